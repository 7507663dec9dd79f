/** A whole run that looks up in a real Postgres, by a connection of its environment, while the server is killed. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openEmbeddedLog } from '../log/embedded.ts'
import { TestPostgres, whyNoPostgres } from '../lookups/postgres-testing.ts'
import { run } from './run.ts'
import type { RunStatus } from './run-options.ts'
import { readAll, readValues } from './testing.ts'

const count = 6000
const known = 500
const app = `
import { pipeline, topic } from 'millrace'
import { postgres } from 'millrace/lookups'
import { generate } from 'millrace/sources'

const orders = topic<{ id: number; by: string | number }>('orders', { key: (one) => String(one.by), partitions: 4 })
const value = (id: number) => ({ id, by: id % 1000 === 999 ? 'nobody' : id % ${known + 100} })

export const ingest = pipeline('ingest')
  .from(generate({ name: 'orders', value, count: ${count}, ratePerSecond: 3000 }))
  .to(orders)
export const enrich = pipeline('enrich')
  .from(orders)
  .lookup('customer', postgres<{ name: string }>({ connection: 'crm', table: 'customers', key: 'id', columns: ['name'], timeoutMs: 2000 }), {
    by: (order) => order.by,
    how: 'inner',
    cache: { timeToLive: '50ms', entries: 100 },
  })
  .to(topic('enriched', { partitions: 2 }))
`
const config = `
import { defineConfig, embedded, postgres, secret } from 'millrace/config'

const crm = postgres({ url: secret('LOOKUP_TEST_URL'), tls: false })
export default defineConfig({ environments: { local: { log: embedded(), connections: { crm } } } })
`
const why = whyNoPostgres()

describe('a run that looks up in Postgres', () => {
  let server: TestPostgres | undefined
  let folder = ''

  before(async () => {
    // Inside the repository, so that its imports resolve as a user's would.
    folder = mkdtempSync(join(import.meta.dirname, '..', '..', 'test', 'lookup-run-'))
    writeFileSync(join(folder, 'app.ts'), app)
    writeFileSync(join(folder, 'millrace.config.ts'), config)
    if (why !== undefined) return
    server = TestPostgres.start(`lookup-run-${process.pid}`)
    process.env.LOOKUP_TEST_URL = server.url
    await server.run(
      'CREATE TABLE customers (id integer PRIMARY KEY, name text)',
      `INSERT INTO customers SELECT n, 'customer ' || n FROM generate_series(0, ${known - 1}) AS n`,
    )
  })
  after(() => {
    server?.stop()
    delete process.env.LOOKUP_TEST_URL
    rmSync(folder, { recursive: true, force: true })
  })

  const runUntil = (onStatus: (status: RunStatus) => void, name = 'app.ts') =>
    run({
      ...{ appPath: join(folder, name), directory: join(folder, '.millrace'), workers: 2 },
      ...{ untilCaughtUp: true, fresh: false, durability: 'process', pipelines: undefined },
      ...{ ratePerSecond: undefined, drain: new AbortController().signal },
      tell: {
        ...{ loaded: () => undefined, training: () => undefined, trained: () => undefined },
        ...{ started: () => undefined, status: onStatus },
      },
    })

  it('waits while the server is killed, says so, and loses nothing', async (t) => {
    if (server === undefined) {
      const message = `SKIPPED: ${why}, so look-ups in a killed Postgres were NOT checked`
      console.error(message)
      t.diagnostic(message)
      assert.ok(process.env.CI !== 'true', message)
      return
    }
    const postgres = server
    let killedAt = 0
    let kills = 0
    const said = new Set<string>()
    const { figures } = await runUntil(({ messages, waiting }) => {
      for (const words of waiting) said.add(words)
      const isWaiting = waiting.some((words) => words.includes('lookup customer'))
      if (killedAt === 0 && kills < 2 && messages > (kills + 1) * 2000) {
        postgres.kill()
        kills++
        killedAt = performance.now()
      } else if (killedAt > 0 && isWaiting && performance.now() - killedAt > 500) {
        postgres.restart()
        killedAt = 0
      }
    })
    assert.equal(kills, 2)
    const words = [...said].filter((one) => one.includes('lookup customer'))
    assert.ok(words.length > 0)
    assert.match(words[0]!, /postgres crm: customers by id: .*\(next try in \d+ s\)/)
    assert.ok([...said].every((one) => !one.includes(postgres.password)))
    assert.equal(figures.ledger, 'balanced')
    const ids = Array.from({ length: count }, (_, id) => id)
    const wrong = ids.filter((id) => id % 1000 === 999)
    const expected = ids.filter((id) => !wrong.includes(id) && id % (known + 100) < known)
    assert.equal(figures.deadLetters, wrong.length)
    assert.equal(figures.filtered, count - wrong.length - expected.length)
    const log = await openEmbeddedLog({ directory: join(folder, '.millrace'), maintain: false })
    try {
      const values = (await readValues(log, 'enriched')) as { id: number; customer: unknown }[]
      assert.deepEqual(
        values.map(({ id }) => id).toSorted((one, other) => one - other),
        expected,
      )
      for (const { id, customer } of values) {
        assert.deepEqual(customer, { name: `customer ${id % (known + 100)}` })
      }
      const letters = await readAll(log, 'enrich.dead-letters')
      const text = letters
        .flatMap(({ headers }) => headers.map(({ value }) => String(value)))
        .join()
      assert.match(text, /invalid input syntax for type integer: "nobody"/)
    } finally {
      await log.close()
    }
  })

  it('starts nothing where the environment has no such connection', async () => {
    writeFileSync(join(folder, 'other.ts'), app.replace("connection: 'crm'", "connection: 'crn'"))
    process.env.LOOKUP_TEST_URL ??= 'postgresql://me@127.0.0.1:1/db'
    await assert.rejects(
      runUntil(() => undefined, 'other.ts'),
      {
        code: 'CONFIG_INVALID',
        message:
          /step 'customer': environment local .* has no connection 'crn'; did you mean 'crm'/,
      },
    )
  })
})
