import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import { systemClock } from '../core/clock.ts'
import { avro, jsonSchema, protobuf } from '../formats/index.ts'
import { TestRegistry } from '../formats/registry-testing.ts'
import type { Log } from '../log/log.ts'
import { newLog } from '../log/log-testing.ts'
import { file } from '../sinks/index.ts'
import { Codecs, formatUses } from './codecs.ts'
import { deadLetters, replayDeadLetters } from './dead-letter-store.ts'
import { TopicFollower } from './follow.ts'
import { pipeline } from './pipeline.ts'
import { Runner } from './runner.ts'
import { SummaryReader, summary } from './summary.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const one = { partitions: 1 }
const Order = z.object({ id: z.string(), cents: z.number() })
type Order = z.infer<typeof Order>
const fields = [
  { name: 'id', type: 'string' },
  { name: 'cents', type: 'long' },
]
const schema = { type: 'record', name: 'Order', fields }
const proto = 'syntax = "proto3"; message Order { string id = 1; int64 cents = 2; }'
const plain = topic('plain', { schema: Order, ...one })
const orders = topic('orders', {
  schema: Order,
  key: (order) => order.id,
  format: avro({ schema, register: true }),
  ...one,
})

describe('topics with a format', () => {
  let registry: TestRegistry
  before(async () => {
    registry = await TestRegistry.start()
  })
  after(() => registry.stop())
  beforeEach(() => registry.clear())

  const codecsOf = (prefix = '') =>
    new Codecs({ name: 'test', prefix, connection: async () => ({ urls: [registry.url] }) })
  const run = (log: Log, ...pipelines: Parameters<typeof runUntilCaughtUp>[1]) =>
    runUntilCaughtUp(log, pipelines, undefined, codecsOf())
  async function logWith(values: readonly unknown[], name = 'plain') {
    const log = await newLog()
    await log.createTopic(name, one)
    await appendAll(
      log,
      name,
      values.map((value, index) => ({ key: `k${index}`, value })),
    )
    return log
  }
  async function lettersOf(log: Log, name: string) {
    const letters = []
    for await (const letter of deadLetters(log, name)) letters.push(letter)
    return letters
  }

  it('are written and read in it: Avro in, Protobuf out', async () => {
    const log = await logWith([{ id: 'a', cents: 1 }, { id: 'b', cents: 2 }, null])
    const doubled = topic('doubled', {
      schema: Order,
      format: protobuf({ schema: proto, register: true }),
      ...one,
    })
    const write = pipeline('write').from(plain).to(orders)
    const double = pipeline('double')
      .from(orders)
      .map('double', (order) => ({ ...order, cents: order.cents * 2 }))
      .to(doubled)
    const read = pipeline('read').from(doubled).to(topic<Order>('out', one))
    const { audits } = await run(log, write, double, read)
    for (const audit of audits.values()) assert.deepEqual(audit.imbalances, [])
    const hexOf = async (name: string) =>
      (await readAll(log, name)).map(({ value }) => value?.toString('hex') ?? null)
    assert.deepEqual(await hexOf('orders'), ['0000000001026102', '0000000001026204', null])
    assert.deepEqual(await hexOf('doubled'), [
      '0000000002000a01611002',
      '0000000002000a01621004',
      null,
    ])
    const out = await readAll(log, 'out')
    assert.deepEqual(
      out.map(({ value }) => value && JSON.parse(String(value))),
      [{ id: 'a', cents: 2 }, { id: 'b', cents: 4 }, null],
    )
    const ids = (await readAll(log, 'plain')).map(({ id }) => id)
    assert.deepEqual(
      out.map(({ id }) => id),
      ids,
    )
    assert.deepEqual(
      out.map(({ key }) => String(key)),
      ['a', 'b', 'k2'],
    )
    await log.close()
  })

  it('make dead letters of what does not decode, and replay what does by then', async () => {
    registry.add('orders-value', JSON.stringify(schema))
    const good = Buffer.from('0000000001026102', 'hex')
    const unknown = Buffer.from('0000000009026204', 'hex')
    const log = await logWith([good, unknown, { id: 'c', cents: 1 }, Buffer.alloc(0)], 'orders')
    const read = pipeline('read', { maxDeadLetterShare: 1 })
      .from(orders)
      .to(topic<Order>('out', one))
    const { audits } = await run(log, read)
    assert.deepEqual(audits.get('read')!.imbalances, [])
    assert.deepEqual(await readValues(log, 'out'), [{ id: 'a', cents: 1 }])
    const letters = await lettersOf(log, 'read')
    assert.deepEqual(letters.map(({ step, error }) => `${step} ${error}`).sort(), [
      'read SCHEMA_UNKNOWN',
      'read VALUE_UNREADABLE',
      'read VALUE_UNREADABLE',
    ])
    const kept = letters.find(({ error }) => error === 'SCHEMA_UNKNOWN')!
    assert.deepEqual(kept.value, unknown)
    assert.match(kept.message, /has no schema 9/)
    registry.add('late-value', JSON.stringify(schema), 'AVRO', [], 9)
    await replayDeadLetters(log, 'read', { id: kept.id })
    const again = await run(log, read)
    assert.deepEqual(again.audits.get('read')!.imbalances, [])
    assert.deepEqual((await readValues(log, 'out'))[1], { id: 'b', cents: 2 })
    assert.equal((await lettersOf(log, 'read')).length, 2)
    await log.close()
  })

  it('make a dead letter of what does not fit on the way out', async () => {
    const log = await logWith([
      { id: 'a', cents: 1 },
      { id: 'b', cents: 1.5 },
    ])
    const write = pipeline('write').from(plain).to(orders)
    await run(log, write)
    const [letter] = await lettersOf(log, 'write')
    assert.equal(letter?.error, 'VALUE_UNWRITABLE')
    assert.match(letter.message, /^cents: 1\.5/)
    assert.equal((await readAll(log, 'orders')).length, 1)
    await log.close()
  })

  it('come to sinks, models and JSON topics as JSON', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'millrace-formats-'))
    const log = await logWith([{ id: 'a', cents: 1 }])
    await run(log, pipeline('write').from(plain).to(orders))
    const untyped = topic<Order>('orders', { format: avro({ schema, register: true }), ...one })
    const read = pipeline('read')
      .from(untyped)
      .filter('all', () => true)
      .to(topic<Order>('out', one))
      .to(file({ path: path.join(folder, 'out.ndjson') }))
    await run(log, read)
    assert.deepEqual(await readValues(log, 'out'), [{ id: 'a', cents: 1 }])
    const [line] = readFileSync(path.join(folder, 'out.ndjson'), 'utf8').trim().split('\n')
    assert.match(line!, /"id":"a","cents":1/)
    await log.close()
    rmSync(folder, { recursive: true })
  })

  it('are joined, whichever side comes first, and replayed behind the join', async () => {
    const checks = topic('checks', {
      schema: z.object({ at: z.coerce.date() }),
      format: jsonSchema({
        schema: { type: 'object', properties: { at: { type: 'string' } } },
        register: true,
      }),
      ...one,
    })
    let isBroken = true
    const joined = pipeline('p', { maxDeadLetterShare: 1 })
      .from(orders)
      .join('check', checks)
      .map('year', ({ id, cents, check }) => {
        if (isBroken && id === 'b') throw new Error('broken')
        return { id, cents, year: check.at.getUTCFullYear() }
      })
      .to(topic<object>('out', one))
    const log = await logWith([
      { id: 'a', cents: 1 },
      { id: 'b', cents: 2 },
    ])
    await log.createTopic('dates', one)
    const dates = topic<{ at: string }>('dates', one)
    const writeDates = pipeline('dates').from(dates).to(checks)
    const write = pipeline('write').from(plain).to(orders)
    await appendAll(log, 'dates', [{ key: 'a', value: { at: '2020-01-01' } }])
    await run(log, writeDates, joined)
    await run(log, write, joined)
    await appendAll(log, 'dates', [{ key: 'b', value: { at: '2021-01-01' } }])
    await run(log, writeDates, joined)
    assert.deepEqual(await readValues(log, 'out'), [{ id: 'a', cents: 1, year: 2020 }])
    isBroken = false
    await replayDeadLetters(log, 'p', {})
    await run(log, joined)
    assert.deepEqual((await readValues(log, 'out'))[1], { id: 'b', cents: 2, year: 2021 })
    assert.deepEqual(await lettersOf(log, 'p'), [])
    await log.close()
  })

  it('are followed for figures', async () => {
    const log = await logWith([
      { id: 'a', cents: 1 },
      { id: 'b', cents: 2 },
    ])
    await run(log, pipeline('write').from(plain).to(orders))
    const total = summary(orders, {
      start: () => ({ cents: 0 }),
      add: (state, order) => {
        state.cents += order.cents
      },
      figures: ({ cents }) => ({ cents }),
      line: () => '',
    })
    const codecs = codecsOf()
    const reader = new SummaryReader(log, total, codecs)
    assert.equal(
      await reader.read(),
      false,
      'nothing is read, and nothing missed, before its codec is open',
    )
    await codecs.open(formatUses([], [orders]))
    while (await reader.read());
    assert.deepEqual(reader.figures(), { cents: 3 })
    const nobody = new TopicFollower(log, orders, { take: assert.fail, miss: assert.fail })
    assert.equal(await nobody.read(), false)
    await log.close()
  })

  it('wait for a registry that is away, and go on when it is back', async () => {
    const log = await logWith([{ id: 'a', cents: 1 }])
    await run(log, pipeline('write').from(plain).to(orders))
    const read = pipeline('read').from(orders).to(topic<Order>('out', one))
    await log.createTopic('out', one)
    for (const name of ['read.dead-letters', 'read.replay']) await log.createTopic(name, one)
    const codecs = codecsOf()
    await codecs.open(formatUses([read['~pipeline']]))
    registry.instead = () => [503, { message: 'not now' }]
    const stopping = new AbortController()
    const runner = new Runner({
      ...{ definition: read['~pipeline'], log, codecs, directory: tmpdir(), clock: systemClock },
      ...{ random: () => 0.5, ratePerSecond: undefined, untilEnd: false },
    })
    const running = runner.run(stopping.signal)
    while (!/schemas of orders: .*503/.test(runner.progress.waiting ?? '')) {
      await systemClock.sleep(5)
    }
    assert.equal((await readAll(log, 'out')).length, 0)
    registry.instead = undefined
    while ((await readAll(log, 'out')).length === 0) await systemClock.sleep(5)
    stopping.abort()
    await running
    assert.deepEqual(await lettersOf(log, 'read'), [])
    await log.close()
  })

  it('have subjects that begin with the prefix of their environment', async () => {
    await codecsOf('staging').open(formatUses([pipeline('w').from(plain).to(orders)['~pipeline']]))
    assert.equal(registry.versions('staging.orders-value'), 1)
  })

  it('need a registry, and one declaration', async () => {
    const write = pipeline('w').from(plain).to(orders)['~pipeline']
    for (const codecs of [
      new Codecs(undefined),
      new Codecs({ name: 'local', prefix: '', connection: async () => undefined }),
    ]) {
      await assert.rejects(codecs.open(formatUses([write])), /SCHEMA_REGISTRY_URL/)
    }
    const other = topic<Order>('orders', { format: protobuf({ schema: proto }) })
    const read = pipeline('r').from(other).to(plain)['~pipeline']
    assert.throws(() => formatUses([write, read]), /declared twice, with avro and protobuf/)
    assert.throws(() => topic('x', { format: { schema } as never }), /'format' is one of/)
  })

  it('are opened again for writing where they were open for reading only', async () => {
    const codecs = codecsOf()
    await codecs.open(formatUses([pipeline('r').from(orders).to(plain)['~pipeline']]))
    assert.throws(() => codecs.of('orders')!.encode({ id: 'a', cents: 1 }), /for reading only/)
    await codecs.open(formatUses([pipeline('w').from(plain).to(orders)['~pipeline']]))
    assert.equal(codecs.of('orders')!.encode({ id: 'a', cents: 1 }).length, 8)
    await codecs.close()
    await codecs.close()
    const uses = [pipeline('w').from(plain).to(orders), pipeline('r').from(orders).to(plain)]
    await Promise.all(uses.map((one) => codecs.open(formatUses([one['~pipeline']]))))
    assert.equal(codecs.of('orders')!.encode({ id: 'a', cents: 1 }).length, 8)
    await codecs.close()
    assert.equal(codecs.of('orders'), undefined)
  })
})
