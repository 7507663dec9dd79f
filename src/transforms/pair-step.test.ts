import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MemoryKeyedState } from './keyed-state-testing.ts'
import { PairStep, type Side } from './pair-step.ts'

const withinMs = 20

type Event =
  | { readonly kind: 'message'; readonly side: Side; readonly key: string; readonly time: number }
  | { readonly kind: 'close'; readonly to: number }
  | { readonly kind: 'restart' }

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('message' as const),
      side: fc.constantFrom('left' as const, 'right' as const),
      key: fc.constantFrom('a', 'b'),
      time: fc.integer({ min: 0, max: 150 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('close' as const),
      to: fc.integer({ min: 0, max: 200 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
)
const events = fc.array(event, { maxLength: 60, size: 'max' })

/** Each with each; what is late, and which left ones stay alone for good, by the last watermark. */
function slowly(all: readonly Event[]) {
  const taken: { side: Side; key: string; time: number; id: string }[] = []
  const late: string[] = []
  let watermarkMs = -Infinity
  for (const [index, one] of all.entries()) {
    if (one.kind === 'close') watermarkMs = Math.max(watermarkMs, one.to)
    if (one.kind !== 'message') continue
    const id = String(index)
    if (one.time + withinMs < watermarkMs) late.push(id)
    else taken.push({ ...one, id })
  }
  const of = (side: Side) => taken.filter((one) => one.side === side)
  const pairs = of('left').flatMap((left) =>
    of('right')
      .filter(({ key, time }) => key === left.key && Math.abs(time - left.time) <= withinMs)
      .map((right) => `${left.id}+${right.id}`),
  )
  const alone = of('left')
    .filter(({ time }) => time + 2 * withinMs < watermarkMs)
    .filter(({ id }) => !pairs.some((pair) => pair.startsWith(`${id}+`)))
    .map(({ id }) => id)
  return { pairs: pairs.sort(), alone: alone.sort(), late: late.sort() }
}

async function fast(all: readonly Event[]) {
  const make = () => new PairStep({ withinMs, tellsAlone: true })
  let step = make()
  let state = new MemoryKeyedState(step.form)
  let closedMs = -Infinity
  const [pairs, alone, late]: [string[], string[], string[]] = [[], [], []]
  for (const [index, one] of all.entries()) {
    if (one.kind === 'restart') {
      step = make()
      state = state.restarted(step.form)
    } else if (one.kind === 'close') {
      closedMs = Math.max(closedMs, one.to)
      while (await step.close(state, closedMs, 1, (_, { id }) => alone.push(id)));
    } else {
      const half = { timeMs: one.time, id: String(index), version: 0, json: '{}' }
      const input = { count: 1, keys: [one.key], halves: [half], watermarksMs: [-Infinity] }
      await step.take(state, one.side, input, closedMs, {
        pair: (_, left, right) => pairs.push(`${left.id}+${right.id}`) > 0,
        duplicate: () => assert.fail('no duplicate'),
        late: () => late.push(String(index)),
      })
    }
  }
  return { pairs: pairs.sort(), alone: alone.sort(), late: late.sort(), state, step }
}

describe('pairs within a time', () => {
  it('are each with each, and who stays alone is told once', async () => {
    await fc.assert(
      fc.asyncProperty(events, async (all) => {
        const { pairs, alone, late } = await fast(all)
        assert.deepEqual({ pairs, alone, late }, slowly(all))
      }),
      { numRuns: 400 },
    )
  })

  it('leave nothing behind when their time is over', async () => {
    const { state, step } = await fast([
      { kind: 'message', side: 'left', key: 'a', time: 0 },
      { kind: 'message', side: 'right', key: 'a', time: 20 },
    ])
    while (await step.close(state, 61, 10, () => undefined));
    assert.equal(state.size, 0)
  })

  it('do not count a message twice', async () => {
    const step = new PairStep({ withinMs, tellsAlone: false })
    const state = new MemoryKeyedState(step.form)
    const half = { timeMs: 1, id: 'x', version: 0, json: '{}' }
    const input = { count: 2, keys: ['a', 'a'], halves: [half, half], watermarksMs: [0, 0] }
    const told: string[] = []
    await step.take(state, 'left', input, 0, {
      pair: () => told.push('pair') > 0,
      duplicate: (row) => told.push(`duplicate ${row}`),
      late: () => told.push('late'),
    })
    assert.deepEqual(told, ['duplicate 1'])
  })
})
