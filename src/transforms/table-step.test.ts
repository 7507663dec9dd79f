import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Json } from './aggregator.ts'
import { MemoryKeyedState } from './keyed-state-testing.ts'
import { TableStep } from './table-step.ts'

type Event =
  | { readonly kind: 'change'; readonly key: string; readonly time: number; readonly value: Json }
  | { readonly kind: 'ask'; readonly key: string; readonly time: number }
  | { readonly kind: 'forget'; readonly to: number }
  | { readonly kind: 'restart' }

const key = fc.constantFrom('a', 'b', 'ü/1')
const time = fc.integer({ min: 0, max: 200 })
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      key,
      time,
      value: fc.option(fc.integer(), { freq: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask' as const), key, time }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), to: time }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
)
const events = fc.array(event, { maxLength: 80, size: 'max' })

/** What the table says, from all changes that there ever were; 'late' where they may be forgotten. */
function slowly(before: readonly Event[], key: string, time: number, asOfMs: number | undefined) {
  const forgotten = before.flatMap((one) => (one.kind === 'forget' ? [one.to] : []))
  if (asOfMs !== undefined && time < Math.max(-Infinity, ...forgotten) - asOfMs) return 'late'
  const changes = before.filter((one) => one.kind === 'change' && one.key === key)
  let found: { time: number; value: Json } | undefined
  for (const change of changes) {
    if (change.kind !== 'change') continue
    if (asOfMs === undefined) found = change
    else if (change.time <= time && change.time >= (found?.time ?? -Infinity)) found = change
  }
  return found?.value ?? null
}

/** Without changes from before what is forgotten: of those it is not known what they come behind. */
function inTime(all: readonly Event[], asOfMs: number | undefined): Event[] {
  if (asOfMs === undefined) return [...all]
  let horizonMs = -Infinity
  return all.filter((one) => {
    if (one.kind === 'forget') horizonMs = Math.max(horizonMs, one.to - asOfMs)
    return one.kind !== 'change' || one.time > horizonMs
  })
}

async function fast(all: readonly Event[], asOfMs: number | undefined): Promise<unknown[]> {
  const make = () => new TableStep({ field: 'found', asOfMs, decode: (value) => value })
  let step = make()
  let state = new MemoryKeyedState(step.form)
  let forgottenMs = -Infinity
  const told: unknown[] = []
  for (const one of all) {
    if (one.kind === 'restart') {
      step = make()
      state = state.restarted(step.form)
    } else if (one.kind === 'forget') {
      forgottenMs = Math.max(forgottenMs, one.to)
      while (await step.forget(state, forgottenMs, 2));
    } else {
      const row = { count: 1, keys: [one.key], timesMs: [one.time] }
      if (one.kind === 'change') {
        await step.takeTable(state, { ...row, values: [one.value] }, forgottenMs)
      } else {
        const input = { ...row, values: [{}], watermarksMs: [-Infinity] }
        await step.take(state, input, forgottenMs, {
          passes: (_, value) => told.push((value as { found: unknown }).found),
          late: () => told.push('late'),
          duplicate: () => assert.fail('no duplicate'),
          filtered: () => assert.fail('nothing is filtered'),
          failed: (_, error) => assert.fail(String(error)),
          called: () => assert.fail(),
        })
      }
    }
  }
  return told
}

describe('a table', () => {
  for (const asOfMs of [undefined, 0, 40]) {
    const name = asOfMs === undefined ? 'of newest values' : `as of up to ${asOfMs} ms ago`
    it(`${name} says what all changes before say`, async () => {
      await fc.assert(
        fc.asyncProperty(events, async (drawn) => {
          const all = inTime(drawn, asOfMs)
          const expected = all.flatMap((one, index) => {
            if (one.kind !== 'ask') return []
            return [slowly(all.slice(0, index), one.key, one.time, asOfMs)]
          })
          assert.deepEqual(await fast(all, asOfMs), expected)
        }),
        { numRuns: 300 },
      )
    })
  }

  it('forgets what nobody may ask for any more', async () => {
    const step = new TableStep({ field: 'found', asOfMs: 10, decode: (value) => value })
    const state = new MemoryKeyedState(step.form)
    for (const [time, value] of [
      [0, 1],
      [5, 2],
      [8, null],
    ] as const) {
      await step.takeTable(state, { count: 1, keys: ['a'], timesMs: [time], values: [value] }, 0)
    }
    while (await step.forget(state, 17, 10));
    assert.ok(state.size > 0, 'who asks as of 7 gets 2')
    while (await step.forget(state, 18, 10));
    assert.equal(state.size, 0)
  })
})
