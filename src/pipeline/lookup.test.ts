import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { systemClock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import { newLog } from '../log/log-testing.ts'
import type { Asking, LookupKey, LookupUse } from '../lookups/lookup.ts'
import { replayDeadLetters } from './dead-letter-store.ts'
import { ensureTopics } from './ensure-topics.ts'
import type { LookupCacheOptions } from './lookup-options.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { planText } from './plan-text.ts'
import { Runner } from './runner.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

interface Payment {
  readonly id: number
  readonly of?: string | null
}
interface Customer {
  readonly tier: string
}
const partitions = 2
const payments = topic<Payment>('payments', { partitions })
const enriched = topic<unknown>('enriched', { partitions })

type Answer = (key: LookupKey) => unknown

/** A system that a test is in charge of. */
function systemOf<Value = Customer>(answer: Answer, more: Partial<LookupUse<string, Value>> = {}) {
  const asked: LookupKey[][] = []
  const find = async (keys: readonly LookupKey[], asking: Asking) => {
    asked.push([...keys])
    const refused: { index: number; reason: string }[] = []
    for (const [index, key] of keys.entries()) {
      const value = await answer(key)
      if (value === 'refused') refused.push({ index, reason: `no such form: ${key}` })
      else asking.answer(index, value)
    }
    if (refused.length > 0) throw fail('LOOKUP_REFUSED', 'some are refused', { refused })
  }
  const use: LookupUse<string, Value> = {
    ...{ kind: 'lookup', part: 'test', options: {}, maxKeys: 4, place: 'a test system' },
    schema: undefined,
    open: async () => ({ find, close: async () => undefined }),
    ...more,
  }
  return { asked, use }
}

const away = () => fail('LOOKUP_AWAY', 'the system is away', { waitMs: 1 })

const enrich = (
  use: LookupUse<string, unknown>,
  how: 'left' | 'inner' = 'left',
  cache: LookupCacheOptions | false = {},
) =>
  pipeline('enrich')
    .from(payments)
    .lookup('customer', use, { by: (payment) => payment.of, how, cache })
    .map('short', ({ id, customer }) => ({ id, customer }))
    .to(enriched)

const tiers: Answer = (key) => (String(key).startsWith('none') ? null : { tier: `t-${key}` })

async function filled(values: readonly (Payment | null | unknown)[]) {
  const log = await newLog()
  await log.createTopic('payments', { partitions })
  await appendAll(
    log,
    'payments',
    values.map((value, index) => ({ key: `k${index}`, value, partition: index % partitions })),
  )
  return log
}

const byId = (values: readonly unknown[]) =>
  (values as { id: number; customer: Customer | null }[]).toSorted(
    (one, other) => one.id - other.id,
  )

describe('a look-up', () => {
  it('adds what is known, and asks for each key once', async () => {
    const { use, asked } = systemOf(tiers)
    const log = await filled([
      { id: 0, of: 'ann' },
      { id: 1, of: 'none-1' },
      { id: 2, of: 'ann' },
      { id: 3, of: null },
      { id: 4 },
      null,
    ])
    const { audits } = await runUntilCaughtUp(log, [enrich(use)])
    const all = (await readAll(log, 'enriched')).map(({ value }) => value && JSON.parse(`${value}`))
    assert.deepEqual(byId(all.filter((value) => value !== null)), [
      { id: 0, customer: { tier: 't-ann' } },
      { id: 1, customer: null },
      { id: 2, customer: { tier: 't-ann' } },
      { id: 3, customer: null },
      { id: 4, customer: null },
    ])
    assert.equal(all.filter((value) => value === null).length, 1, 'a delete goes on')
    assert.deepEqual(asked.flat().toSorted(), ['ann', 'none-1'])
    const { passed, filtered } = audits.get('enrich')!.steps.get('customer')!
    assert.deepEqual([passed, filtered], [6, 0])
    assert.deepEqual(audits.get('enrich')!.imbalances, [])
  })

  it('lets only those go on that something is known of, where it is inner', async () => {
    const { use } = systemOf(tiers)
    const log = await filled([{ id: 0, of: 'none' }, { id: 1, of: 'ben' }, { id: 2 }, null])
    const { audits } = await runUntilCaughtUp(log, [enrich(use, 'inner')])
    const all = await readAll(log, 'enriched')
    assert.equal(all.length, 2)
    const { passed, filtered, deadLettered } = audits.get('enrich')!.steps.get('customer')!
    assert.deepEqual([passed, filtered, deadLettered], [2, 2, 0])
    assert.deepEqual(audits.get('enrich')!.imbalances, [])
  })

  it('makes dead letters of keys that are refused, throw, are none, or have what does not fit', async () => {
    const schema = z.object({ tier: z.string().toUpperCase() })
    const answer: Answer = (key) => {
      if (key === 'bad') return 'refused'
      if (key === 'bug') throw new RangeError('cannot do this one')
      return key === 'misfit' ? { tier: 5 } : { tier: `t-${key}` }
    }
    const { use, asked } = systemOf(answer, { schema })
    const customers = ['a', 'bad', 'b', 'bug', 'c', 'misfit', 'd', 'bad', 'e', 'f', 'g', 'h']
    const values: unknown[] = customers.map((of, id) => ({ id, of }))
    const log = await filled([...values, { id: 99, of: Number.NaN }, { id: 98, of: {} }, 'text'])
    const { audits } = await runUntilCaughtUp(log, [enrich(use)])
    const found = byId(await readValues(log, 'enriched'))
    const good = customers.filter((name) => !['bad', 'bug', 'misfit'].includes(name))
    assert.deepEqual(
      found.map(({ customer }) => customer?.tier ?? null),
      [...good.map((name) => `T-${name.toUpperCase()}`), null],
    )
    const letters = await readAll(log, 'enrich.dead-letters')
    const said = letters.map(({ headers }) =>
      String(headers.find(({ key }) => /message$/.test(key))?.value),
    )
    for (const says of [
      /^no such form: bad$/,
      /^cannot do this one$/,
      /^what a test system has for the key does not fit: tier: /,
      /^the key is a value of type object/,
      /^lookup adds a field to an object, the value is a string/,
    ]) {
      assert.ok(
        said.some((words) => says.test(words)),
        `${says} in ${said.join('\n')}`,
      )
    }
    assert.equal(letters.length, 6)
    const { deadLettered } = audits.get('enrich')!.steps.get('customer')!
    assert.equal(deadLettered, 6)
    assert.deepEqual(audits.get('enrich')!.imbalances, [])
    assert.ok(asked.every((keys) => keys.length <= 4))
    await replayDeadLetters(log, 'enrich', {})
    const again = await runUntilCaughtUp(log, [enrich(systemOf(tiers).use)])
    assert.equal((await readValues(log, 'enriched')).length, found.length + 4)
    assert.deepEqual(again.audits.get('enrich')!.imbalances, [])
  })

  it('waits for a system that is away, asks only for what is missing, and loses nothing', async () => {
    let tries = 0
    const { use, asked } = systemOf((key) => {
      if (key === 'c' && ++tries <= 3) throw away()
      return tiers(key)
    })
    const log = await filled(['a', 'x', 'b', 'y', 'c', 'z'].map((of, id) => ({ id, of })))
    const { audits } = await runUntilCaughtUp(log, [enrich(use)])
    assert.equal((await readValues(log, 'enriched')).length, 6)
    assert.deepEqual(audits.get('enrich')!.imbalances, [])
    const withC = asked.filter((keys) => keys.includes('c'))
    assert.deepEqual(withC, [['a', 'b', 'c'], ['c'], ['c'], ['c']])
  })

  it('says what it waits for, is stopped while it does, and holds no other partition', async () => {
    const { use } = systemOf((key) => {
      if (key === 'stuck') throw away()
      return tiers(key)
    })
    const log = await filled([
      { id: 0, of: 'stuck' },
      { id: 1, of: 'ann' },
    ])
    const definition = enrich(use)['~pipeline']
    await ensureTopics(log, planOf([definition]))
    const runner = new Runner({
      ...{ definition, log, directory: '.', clock: systemClock, random: seededRandom(1) },
      ...{ ratePerSecond: undefined, untilEnd: false },
    })
    const stopping = new AbortController()
    const running = runner.run(stopping.signal)
    while ((await readAll(log, 'enriched')).length === 0) await systemClock.sleep(2)
    while (runner.progress.waiting === undefined) await systemClock.sleep(1)
    assert.match(runner.progress.waiting, /lookup customer: the system is away \(next try in/)
    stopping.abort()
    await running
    assert.deepEqual(await readValues(log, 'enriched'), [{ id: 1, customer: { tier: 't-ann' } }])
    assert.equal((await readAll(log, 'enrich.dead-letters')).length, 0)
    const { hits, misses, entries } = runner.meter.figures().lookups!.customer!
    assert.deepEqual([hits, misses >= 1, entries], [0, true, 1])
  })

  it('ends a question that is under way when it is stopped', async () => {
    const { promise: isAsked, resolve } = Promise.withResolvers<void>()
    const find = (_: readonly LookupKey[], { signal }: Asking) =>
      new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('ended')), { once: true })
        resolve()
      })
    const { use } = systemOf(tiers, { open: async () => ({ find, close: async () => undefined }) })
    const log = await filled([{ id: 0, of: 'ann' }])
    const definition = enrich(use)['~pipeline']
    await ensureTopics(log, planOf([definition]))
    const runner = new Runner({
      ...{ definition, log, directory: '.', clock: systemClock, random: seededRandom(1) },
      ...{ ratePerSecond: undefined, untilEnd: false },
    })
    const stopping = new AbortController()
    const running = runner.run(stopping.signal)
    await isAsked
    stopping.abort()
    await running
    assert.equal((await readAll(log, 'enrich.dead-letters')).length, 0)
    assert.equal((await log.group('enrich'))!.checkpoints.length, 0)
  })

  it('stops where the system is not usable, with what it says', async () => {
    const { use } = systemOf(() => {
      throw fail('LOOKUP_UNUSABLE', 'the system lets nobody in')
    })
    const log = await filled([{ id: 0, of: 'ann' }])
    await assert.rejects(runUntilCaughtUp(log, [enrich(use)]), /lets nobody in/)
    assert.equal((await readAll(log, 'enrich.dead-letters')).length, 0)
  })

  it('gives messages that share an answer nothing that one could change for the others', async () => {
    const { use } = systemOf<{ tags: string[] }>(() => ({ tags: ['a'] }))
    const log = await filled([
      { id: 0, of: 'ann' },
      { id: 1, of: 'ann' },
    ])
    const changing = pipeline('enrich')
      .from(payments)
      .lookup('customer', use as LookupUse<string, { tags: string[] }>, {
        by: (one) => one.of,
      })
      .map('change', (one) => ({ ...one, count: one.customer?.tags.push('b') }))
      .to(enriched)
    await runUntilCaughtUp(log, [changing])
    assert.equal((await readAll(log, 'enriched')).length, 0)
    assert.equal((await readAll(log, 'enrich.dead-letters')).length, 2)
  })

  it('is in the plan, and its options are checked', () => {
    const { use } = systemOf(tiers)
    const text = planText(planOf([enrich(use, 'inner')['~pipeline']]))
    assert.match(text, /step {2}'customer': inner look-up in a test system/)
    const wrong: readonly [object, RegExp][] = [
      [{}, /option 'by' is a function/],
      [{ by: () => 'a', how: 'outer' }, /option 'how' is 'inner' or 'left'/],
      [{ by: () => 'a', cash: false }, /unknown option 'cash', did you mean 'cache'/],
      [{ by: () => 'a', cache: { entries: 0 } }, /option 'cache.entries': 0 was given/],
      [{ by: () => 'a', cache: { timeToLive: 'long' } }, /option 'cache.timeToLive': 'long'/],
    ]
    const from = pipeline('wrong').from(payments)
    for (const [options, says] of wrong) {
      assert.throws(() => from.lookup('customers', use, options as never), says)
    }
    assert.throws(() => from.lookup('x', {} as never, { by: () => 'a' }), /give what to look up in/)
  })
})
