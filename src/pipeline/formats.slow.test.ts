/** Topics with a format on a real schema registry: as applications run, and when schemas change or it is away. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../core/clock.ts'
import { avro, protobuf } from '../formats/index.ts'
import { SchemaRegistry } from '../formats/registry.ts'
import { withSchemaRegistry } from '../formats/schema-registry-testing.ts'
import { openEmbeddedLog } from '../log/embedded.ts'
import type { Log } from '../log/log.ts'
import { Codecs, formatUses } from './codecs.ts'
import { deadLetters } from './dead-letter-store.ts'
import { pipeline } from './pipeline.ts'
import { Runner } from './runner.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const app = fileURLToPath(new URL('./formats-testing-app.ts', import.meta.url))
const bin = path.resolve(import.meta.dirname, '../../bin/millrace.js')
const one = { partitions: 1 }
const record = (...fields: object[]) => ({ type: 'record', name: 'Order', fields })
const id = { name: 'id', type: 'string' }
const cents = { name: 'cents', type: 'long' }

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function millrace(words: readonly string[], variables: object): Promise<Ended> {
  const env = { ...process.env, ...variables } as NodeJS.ProcessEnv
  delete env.NODE_TEST_CONTEXT
  const child = spawn(process.execPath, [bin, ...words], { env })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

withSchemaRegistry('topics with a format on a real registry', (registry) => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'millrace-formats-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  describe('an application', () => {
    const variables = (more: object = {}) => ({
      SCHEMA_REGISTRY_URL: registry().url,
      MILLRACE_DIR: path.join(folder, 'app'),
      ...more,
    })
    const run = (more?: object) =>
      millrace(['run', app, '--until-caught-up', '--json', '--no-page'], variables(more))

    it('does not start where its schemas are not registered, and nothing is made', async () => {
      const { code, stderr } = await run({ FORMATS_REGISTER: 'no' })
      assert.equal(code, 1, stderr)
      assert.match(stderr, /orders-value.*register: true.*SCHEMA_MISSING/s)
      const topics = await millrace(['topics', 'list', '--json'], variables())
      assert.doesNotMatch(topics.stdout, /orders/)
    })

    it('registers them, and reads and writes: Avro in, Protobuf out', async () => {
      const { code, stdout, stderr } = await run()
      assert.equal(code, 0, stderr)
      const line = JSON.parse(stdout.trim().split('\n').at(-1)!)
      assert.deepEqual(
        [line.messages, line.deadLetters, line.ledger, line.cents],
        [1000, 0, 'balanced', 999_000],
      )
      const words = ['topics', 'tail', 'doubled', '--json', '--limit', '1']
      const tail = JSON.parse((await millrace(words, variables())).stdout)
      assert.equal(tail.valueFormat, 'protobuf')
      assert.match(tail.value.id, /^order \d+$/)
    })

    it('does not start with a schema that does not go with what is there, fresh or not', async () => {
      const FORMATS_AVRO = JSON.stringify(record(id, { name: 'total', type: 'long' }))
      for (const words of [[], ['--fresh']]) {
        const all = ['run', app, '--until-caught-up', '--json', '--no-page', ...words]
        const { code, stderr } = await millrace(all, variables({ FORMATS_AVRO }))
        assert.equal(code, 1, stderr)
        assert.match(stderr, /orders-value.*total.*SCHEMA_INCOMPATIBLE/s)
      }
      const kept = await millrace(['topics', 'tail', 'orders', '--limit', '9999'], variables())
      assert.equal(kept.stdout.trim().split('\n').length, 1000)
    })
  })

  describe('a pipeline', () => {
    const codecsOf = () =>
      new Codecs({ name: 'test', prefix: '', connection: async () => ({ urls: [registry().url] }) })
    const run = (log: Log, ...pipelines: Parameters<typeof runUntilCaughtUp>[1]) =>
      runUntilCaughtUp(log, pipelines, undefined, codecsOf())
    const out = topic<object>('out', one)
    let count = 0
    /** A log of its own, and names that no other test uses. */
    async function place() {
      const name = `t${++count}-${process.pid}`
      const log = await openEmbeddedLog({
        ...{ directory: path.join(folder, name), maintain: false },
        durability: 'process',
      })
      for (const one of ['in', name, 'out']) await log.createTopic(one, { partitions: 1 })
      return { name, log, input: topic<object>('in', one) }
    }

    it('reads with an older schema what is written with a newer one that goes with it', async () => {
      const { name, log, input } = await place()
      const format = (schema: object) => ({
        format: avro({ schema: { ...schema }, register: true }),
        ...one,
      })
      const older = topic<object>(name, format(record(id)))
      const currency = { name: 'currency', type: 'string', default: 'EUR' }
      const newer = topic<object>(name, format(record(id, currency)))
      await appendAll(log, 'in', [{ value: { id: 'a' } }])
      await run(log, pipeline('w1').from(input).to(older))
      const next = topic<object>('next', one)
      await log.createTopic('next', one)
      await appendAll(log, 'next', [{ value: { id: 'b', currency: 'USD' } }])
      await run(log, pipeline('w2').from(next).to(newer))
      await run(log, pipeline('r1').from(older).to(out))
      assert.deepEqual(await readValues(log, 'out'), [{ id: 'a' }, { id: 'b' }])
      const out2 = topic<object>('out2', one)
      await run(log, pipeline('r2').from(newer).to(out2))
      const both = [
        { id: 'a', currency: 'EUR' },
        { id: 'b', currency: 'USD' },
      ]
      assert.deepEqual(await readValues(log, 'out2'), both)
      await log.close()
    })

    it('makes dead letters of messages whose schema nobody knows', async () => {
      const { name, log, input } = await place()
      const format = protobuf({
        schema: 'syntax = "proto3"; message Order { message Line { int32 n = 1; } string id = 1; }',
        register: true,
      })
      const orders = topic<object>(name, { format, ...one })
      await appendAll(log, 'in', [{ value: { id: 'a' } }])
      await run(log, pipeline('w').from(input).to(orders))
      const [message] = await readAll(log, name)
      const unknown = Buffer.from(message!.value!)
      unknown.writeUInt32BE(999_999, 1)
      await appendAll(log, name, [{ value: unknown }])
      await run(log, pipeline('r').from(orders).to(out))
      assert.deepEqual(await readValues(log, 'out'), [{ id: 'a' }])
      const letters = []
      for await (const letter of deadLetters(log, 'r')) letters.push(letter)
      assert.deepEqual(
        letters.map(({ error, step }) => [error, step]),
        [['SCHEMA_UNKNOWN', 'read']],
      )
      assert.deepEqual(letters[0]!.value, unknown)
      await log.close()
    })

    it('waits for a registry that is gone, and goes on when it is back', async () => {
      const { name, log, input } = await place()
      const orders = topic<object>(name, {
        format: avro({ schema: record(id, cents), register: true }),
        ...one,
      })
      await appendAll(log, 'in', [{ value: { id: 'a', cents: 1 } }])
      await run(log, pipeline('w').from(input).to(orders))
      const read = pipeline('r').from(orders).to(out)['~pipeline']
      for (const internal of ['r.dead-letters', 'r.replay']) await log.createTopic(internal, one)
      const codecs = codecsOf()
      await codecs.open(formatUses([read]))
      await registry().kill()
      const stopping = new AbortController()
      const runner = new Runner({
        ...{ definition: read, log, codecs, directory: folder, clock: systemClock },
        ...{ random: Math.random, ratePerSecond: undefined, untilEnd: false },
      })
      const running = runner.run(stopping.signal)
      while (!/schemas of .*ECONN/.test(runner.progress.waiting ?? '')) await systemClock.sleep(20)
      assert.deepEqual(await readValues(log, 'out'), [])
      await registry().start()
      while ((await readValues(log, 'out')).length === 0) await systemClock.sleep(20)
      stopping.abort()
      await running
      assert.deepEqual(await readValues(log, 'out'), [{ id: 'a', cents: 1 }])
      const known = await new SchemaRegistry({ urls: [registry().url] }).latest(`${name}-value`)
      assert.equal(known?.type, 'AVRO')
      await log.close()
    })
  })
})
