/** Look-ups in Postgres, against a real server: the law, values of all kinds, and a server that is killed. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { codeOf, type MillraceError, messageOf } from '../core/errors.ts'
import { lookupContract } from './lookup.contract.ts'
import type { LookupContext, LookupKey } from './lookup.ts'
import { type PostgresOptions, postgres, postgresPart } from './postgres.ts'
import { TestPostgres, whyNoPostgres } from './postgres-testing.ts'

const tables = [
  'CREATE SCHEMA sales',
  `CREATE TABLE sales."Customers" (id text PRIMARY KEY, name varchar(40), tier "char", since date)`,
  `INSERT INTO sales."Customers" VALUES ('ann', 'Ann', 'g', '2020-02-29'),
    ('b"e,n\\', 'Ben', 's', NULL), ('', 'Nobody', 'n', '2021-01-01')`,
  'CREATE TABLE rates (day date, currency char(3), rate numeric(10, 4), n integer)',
  `INSERT INTO rates VALUES ('2025-01-01', 'EUR', 1.0812, 1), ('2025-01-02', 'EUR', 1.09, 2),
    ('2025-01-01', 'NOK', 0.0881, 3), ('2025-01-01', 'SEK', 0.09, 4), ('2025-01-01', 'SEK', 0.1, 5)`,
  `CREATE TYPE mood AS ENUM ('good', 'bad')`,
  `CREATE TABLE kinds (id bigint PRIMARY KEY, i integer, b bigint, n numeric, r real, yes boolean,
    d date, t timestamp, z timestamptz, zs timestamptz[], j jsonb, m mood, u uuid, bytes bytea, v interval)`,
  `INSERT INTO kinds VALUES (9007199254740993, 7, 9007199254740993, 0.1000000000000000055, 0.5, true,
    '2025-03-30', '2025-03-30 02:30:00.25', '2025-03-30 02:30:00+02', '{2025-01-01 00:00:00+00,infinity}',
    '{"a": [1, null]}', 'good', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\xdead', '1 day 2 hours')`,
]

const why = whyNoPostgres()
if (why === undefined) againstTheServer()
else {
  it('look-ups in a real Postgres', (t) => {
    const message = `SKIPPED: ${why}, so look-ups in Postgres were NOT checked`
    console.error(message)
    t.diagnostic(message)
    assert.ok(process.env.CI !== 'true', message)
  })
}

function againstTheServer(): void {
  let server: TestPostgres
  before(async () => {
    server = TestPostgres.start(`lookups-${process.pid}`)
    await server.run(...tables)
  })
  after(() => server?.stop())

  const shared = {
    connection: async () => server.connection,
    async away(work: () => Promise<void>) {
      server.kill()
      await work()
      server.restart()
    },
    stalled: (work: () => Promise<void>) => server.locked(['sales."Customers"', 'rates'], work),
    secrets: () => [server.password],
  }
  lookupContract(postgresPart, [
    {
      ...{ name: 'a table, by a text', ...shared },
      options: () => ({
        ...{ connection: 'crm', table: 'sales.Customers', key: 'id' },
        ...{ columns: ['name', 'since'], maxKeys: 40 },
      }),
      known: [
        { key: 'ann', value: { name: 'Ann', since: '2020-02-29' } },
        { key: 'b"e,n\\', value: { name: 'Ben', since: null } },
        { key: '', value: { name: 'Nobody', since: '2021-01-01' } },
      ],
      unknown: (count) => Array.from({ length: count }, (_, index) => `none-${index}`),
      refused: 'a\0b',
    },
    {
      ...{ name: 'a query, by several columns', ...shared },
      options: () => ({
        ...{ connection: 'crm', key: ['day', 'currency'] },
        query: 'SELECT day, currency, rate, n FROM rates -- all of them',
      }),
      known: [
        ...[
          ['2025-01-01', 'EUR', '1.0812', 1] as const,
          ['2025-01-02', 'EUR', '1.0900', 2] as const,
        ],
        ...[['2025-01-01', 'NOK', '0.0881', 3] as const],
      ].map(([day, currency, rate, n]) => ({
        key: [day, currency],
        value: { day, currency, rate, n },
      })),
      unknown: (count) =>
        Array.from({ length: count }, (_, index) => ['2024-01-01', `X${index}`] as const),
      refused: ['the first', 'EUR'],
    },
  ])

  const opened = (options: Omit<PostgresOptions, 'connection'>, more: object = {}) =>
    postgres({ connection: 'crm', ...options }).open({
      ...{ clock: systemClock, signal: new AbortController().signal },
      connection: (async () => ({ ...server.connection, ...more })) as LookupContext['connection'],
    })

  async function ask(options: Omit<PostgresOptions, 'connection'>, keys: readonly LookupKey[]) {
    const lookup = await opened(options)
    const answers: unknown[] = []
    try {
      const answer = (index: number, value: unknown) => {
        answers[index] = value
      }
      await lookup.find(keys, { answer, signal: new AbortController().signal })
      return answers
    } finally {
      await lookup.close()
    }
  }

  const refused = (says: RegExp) => (error: MillraceError) => {
    assert.equal(error.code, 'LOOKUP_REFUSED')
    assert.match(error.refused.map(({ reason }) => reason).join('\n'), says)
    return true
  }

  describe('lookups: postgres', () => {
    it('gives values that JSON can hold, without a loss, whatever the time zone is', async () => {
      const [row] = await ask({ table: 'kinds', key: 'id' }, [9007199254740993n])
      assert.deepEqual(row, {
        ...{ id: '9007199254740993', i: 7, b: '9007199254740993', n: '0.1000000000000000055' },
        ...{ r: 0.5, yes: true, d: '2025-03-30', t: '2025-03-30T02:30:00.25', m: 'good' },
        ...{ z: '2025-03-30T00:30:00.000Z', zs: ['2025-01-01T00:00:00.000Z', 'infinity'] },
        ...{ j: { a: [1, null] }, u: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' },
        ...{ bytes: '\\xdead', v: '1 day 02:00:00' },
      })
      assert.deepEqual(JSON.parse(JSON.stringify(row)), row)
    })

    it('takes keys as the database reads them, of any type', async () => {
      const n = async (options: object, key: LookupKey) => {
        const [row] = await ask({ table: 'kinds', columns: ['i'], key: 'id', ...options }, [key])
        return (row as { i: number } | undefined)?.i
      }
      assert.equal(await n({}, ' 9007199254740993 '), 7)
      assert.equal(await n({ key: 'm' }, 'good'), 7)
      assert.equal(await n({ key: 'yes' }, true), 7)
      assert.equal(await n({ key: 'z' }, '2025-03-30T00:30:00Z'), 7)
      assert.equal(await n({ key: 'u' }, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'), 7)
      assert.equal(await n({ key: 'm' }, 'bad'), undefined)
      const both = await ask({ table: 'kinds', columns: ['i'], key: 'i' }, [7, '07', 7n])
      assert.deepEqual(both, [{ i: 7 }, { i: 7 }, { i: 7 }])
      await assert.rejects(n({ key: 'm' }, 'no mood'), refused(/invalid input value for enum/))
      await assert.rejects(n({}, 1.5), refused(/invalid input syntax for type bigint: "1.5"/))
      await assert.rejects(n({}, [1, 2]), refused(/the key has 2 fields, not 1/))
    })

    it('refuses a key with several rows, and finds each bad key among many', async () => {
      const by = { table: 'rates', key: ['currency', 'day'], columns: ['n'] }
      const keys = ['EUR', 'SEK', 'NOK'].map((one) => [one, '2025-01-01'])
      await assert.rejects(ask(by, keys), refused(/^several rows have this key$/))
      const many = Array.from({ length: 300 }, (_, index) => (index % 100 === 7 ? 'x' : index))
      await assert.rejects(ask({ table: 'kinds', key: 'id' }, many), (error: MillraceError) => {
        assert.deepEqual(
          error.refused.map(({ index }) => index),
          [7, 107, 207],
        )
        return true
      })
    })

    it('says at the start what a person has to change, without the password', async () => {
      const cases: readonly [Omit<PostgresOptions, 'connection'>, object, RegExp][] = [
        [{ table: 'customers', key: 'id' }, {}, /relation "customers" does not exist \(42P01\)/],
        [{ table: 'rates', key: 'days' }, {}, /rates has no column 'days'; did you mean 'day'/],
        [{ table: 'rates', key: 'day', columns: ['rat'] }, {}, /did you mean 'rate'/],
        [{ query: 'SELECT 1/0 AS id; ', key: 'id' }, {}, /division by zero/],
        [{ query: 'SELEC 1', key: 'id' }, {}, /syntax error/],
        [
          { table: 'rates', key: 'day' },
          { password: async () => 'wrong' },
          /authentication failed/,
        ],
        [{ table: 'rates', key: 'day' }, { database: 'other' }, /"other" does not exist/],
        [{ table: 'rates', key: 'day' }, { tls: {} }, /say postgres\(\{ tls: false \}\)/],
      ]
      for (const [options, more, says] of cases) {
        await assert.rejects(opened(options, more), (error) => {
          assert.equal(codeOf(error), 'LOOKUP_UNUSABLE', String(error))
          assert.match(messageOf(error), says)
          assert.ok(!messageOf(error).includes(server.password))
          return true
        })
      }
    })

    it('is tried again where nobody listens, or where it takes too long', async () => {
      const nobody = opened({ table: 'rates', key: 'day' }, { port: 1 })
      await assert.rejects(nobody, { code: 'LOOKUP_AWAY', message: /ECONNREFUSED/ })
      const lookup = await opened({ table: 'rates', key: ['day', 'currency'], timeoutMs: 100 })
      await server.locked(['rates'], async () => {
        const asking = { answer: () => undefined, signal: new AbortController().signal }
        const slow = lookup.find([['2025-01-01', 'EUR']], asking)
        await assert.rejects(slow, { code: 'LOOKUP_AWAY', message: /timeout/ })
      })
      await lookup.close()
    })

    it('uses the index of a table, for each key', async () => {
      await server.run(
        'CREATE TABLE large (id integer PRIMARY KEY, n integer)',
        'INSERT INTO large SELECT n, n * 2 FROM generate_series(1, 200000) AS n',
        'ANALYZE large',
      )
      const query = 'SELECT id, sum(n) AS n FROM large GROUP BY id'
      const keys = Array.from({ length: 500 }, (_, index) => index * 7 + 1)
      const lookup = await opened({ query, key: 'id', columns: ['n'], timeoutMs: 2000 })
      const found: unknown[] = []
      const answer = (index: number, value: unknown) => {
        found[index] = value
      }
      // Were the whole table grouped for each key, this would take minutes.
      await lookup.find(keys, { answer, signal: new AbortController().signal })
      await lookup.close()
      assert.deepEqual(
        found,
        keys.map((key) => ({ n: `${key * 2}` })),
      )
    })
  })
}
