/** Rolling statistics beside a list that is looked through whole, and what they cost. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import type { Aggregator, Json } from './aggregator.ts'
import {
  count,
  distinct,
  last,
  max,
  mean,
  min,
  standardDeviation,
  sum,
  variance,
} from './aggregators.ts'
import { type RollingState, rolling } from './rolling.ts'
import { singleCells } from './rolling-cells.ts'
import { RollingLine } from './rolling-line.ts'
import { type RollingKind, type RollingMeasure, rollingKinds } from './rolling-measures.ts'
import type { Scalar } from './value-hash.ts'

interface Arrival {
  readonly value: Scalar
  readonly timeMs: number
}

/** The aggregators, which are held to plain ways of their own. */
const whole: Record<RollingKind, () => Aggregator<never, unknown>> = {
  count,
  sum,
  mean,
  variance,
  standardDeviation,
  min,
  max,
  distinct,
  last,
}

/** What the head of rolling.ts says, done with all values that ever came. */
function expected(all: readonly Arrival[], measure: RollingMeasure, atMs: number, r?: number) {
  const { kind, overMs, delayMs = 0 } = measure
  const floor = (timeMs: number) => (r === undefined ? timeMs : Math.floor(timeMs / r) * r)
  const begin = floor(atMs - delayMs - overMs)
  const end = delayMs === 0 ? atMs : floor(atMs - delayMs)
  const aggregator = whole[kind]()
  let state = aggregator.start()
  for (const { value, timeMs } of all) {
    if (timeMs > begin && timeMs <= end) {
      state = aggregator.add(state, value as never, timeMs)
    }
  }
  return aggregator.result(state, atMs)
}

/** Every kind over a short window, a long one, and one that ended a while ago. */
function measuresOf(kinds: readonly RollingKind[]): Record<string, RollingMeasure> {
  const measures: Record<string, RollingMeasure> = {}
  for (const kind of kinds) {
    measures[`${kind} short`] = { kind, overMs: 10 }
    measures[`${kind} long`] = { kind, overMs: 35 }
    measures[`${kind} before`] = { kind, overMs: 20, delayMs: 13 }
  }
  return measures
}

type Step =
  | { readonly do: 'add'; readonly value: Scalar; readonly timeMs: number }
  | { readonly do: 'ask' | 'prune'; readonly timeMs: number }
  | { readonly do: 'restart' }

const time = fc.integer({ min: 0, max: 100 })
const numbers = fc.oneof(
  fc.constant(-0),
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -9999, max: 9999 }).map((cents) => cents / 100),
  fc.double({ noNaN: true, min: -1e120, max: 1e120 }),
)
const scalars = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('0', '1'), fc.boolean())

const stepsOf = (values: fc.Arbitrary<Scalar>) =>
  fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant('add' as const), value: values, timeMs: time }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('ask' as const), timeMs: time }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('prune' as const), timeMs: time }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
    ),
    { maxLength: 60, size: 'max' },
  )

/** Runs the steps beside the plain way; what is asked lies at the horizon or after it. */
function runSteps(
  measures: Record<string, RollingMeasure>,
  steps: readonly Step[],
  resolutionMs?: number,
): void {
  const built = rolling(measures, { resolutionMs })
  const all: Arrival[] = []
  let state = built.start()
  const ask = (atMs: number) => {
    const results = built.result(state, atMs) as Record<string, unknown>
    for (const [field, measure] of Object.entries(measures)) {
      assert.deepEqual(
        results[field],
        expected(all, measure, atMs, resolutionMs),
        `${field} ${atMs}`,
      )
    }
  }
  let horizonMs = 0
  for (const step of steps) {
    if (step.do === 'add') {
      all.push(step)
      state = built.add(state, step.value as never, step.timeMs)
    } else if (step.do === 'ask') ask(Math.max(horizonMs, step.timeMs))
    else if (step.do === 'restart') state = throughJson(built, state)
    else {
      built.prune(state, step.timeMs)
      horizonMs = Math.max(horizonMs, step.timeMs)
    }
  }
  ask(horizonMs)
  ask(horizonMs + 17)
}

interface Saving {
  save(state: RollingState): Json
  load(saved: Json): RollingState
}

function throughJson(built: Saving, state: RollingState): RollingState {
  const saved = JSON.parse(JSON.stringify(built.save(state))) as Json
  const loaded = built.load(saved)
  assert.deepEqual(JSON.parse(JSON.stringify(built.save(loaded))), saved)
  return loaded
}

describe('rolling statistics', () => {
  const forScalars = ['count', 'distinct', 'last'] as const
  for (const resolutionMs of [undefined, 1, 5, 7]) {
    const named = resolutionMs === undefined ? 'single values' : `buckets of ${resolutionMs} ms`
    it(`are those of the values in the window, to the last bit: ${named}`, () => {
      const measures = measuresOf(rollingKinds)
      fc.assert(
        fc.property(stepsOf(numbers), (steps) => runSteps(measures, steps, resolutionMs)),
        { numRuns: 40 },
      )
    })

    it(`count texts and booleans too: ${named}`, () => {
      const measures = measuresOf(forScalars)
      fc.assert(
        fc.property(stepsOf(scalars), (steps) => runSteps(measures, steps, resolutionMs)),
        { numRuns: 40 },
      )
    })
  }

  it('hold over a long run, mostly in order', () => {
    const measures = measuresOf(['sum', 'standardDeviation', 'min', 'max', 'distinct', 'last'])
    const random = seededRandom(11)
    for (const resolutionMs of [undefined, 5]) {
      const steps: Step[] = []
      for (let timeMs = 0; timeMs < 700; timeMs++) {
        for (let times = random() * 3; times > 0; times--) {
          const lateMs = random() < 0.1 ? Math.floor(random() * 30) : 0
          steps.push({ do: 'add', value: Math.round(random() * 50) / 10, timeMs: timeMs - lateMs })
        }
        if (timeMs % 5 === 0) steps.push({ do: 'ask', timeMs: timeMs - Math.floor(random() * 20) })
        if (timeMs % 20 === 0) steps.push({ do: 'prune', timeMs: timeMs - 20 })
      }
      runSteps(measures, steps, resolutionMs)
    }
  })

  it('keep what the longest window needs, and no more', () => {
    const built = rolling({
      a: { kind: 'sum', overMs: 10 },
      b: { kind: 'sum', overMs: 30, delayMs: 5 },
    })
    const state = built.start()
    for (let timeMs = 0; timeMs < 1000; timeMs++) built.add(state, timeMs, timeMs)
    assert.equal(built.size(state), 1000)
    built.prune(state, 999)
    assert.equal(built.size(state), 35)
    built.add(state, 1, 964)
    assert.equal(built.size(state), 35, 'it comes too late for any result')
    built.add(state, 1, 965)
    assert.equal(built.size(state), 36)
    assert.throws(() => built.result(state, 998), RangeError)
  })

  it('keep a bucket for each stretch of time, however many values', () => {
    const built = rolling({ a: { kind: 'mean', overMs: 1000 } }, { resolutionMs: 100 })
    const state = built.start()
    for (let index = 0; index < 20_000; index++) {
      built.add(state, index % 10, index / 10)
      if (index % 500 === 0) built.prune(state, index / 10)
    }
    built.prune(state, 2000)
    assert.equal(built.size(state), 10)
    assert.ok(JSON.stringify(built.save(state)).length < 300)
    assert.ok(Math.abs(built.result(state, 2000).a! - 4.5) < 1e-3)
  })

  it('have names that say what they are, in no order', () => {
    const short = { kind: 'sum', overMs: 5 } as const
    const late = { kind: 'mean', overMs: 9, delayMs: 2 } as const
    const { name } = rolling({ short, late }, { resolutionMs: 3 })
    assert.equal(name, 'rolling { late: mean over 9 ms delay 2 ms, short: sum over 5 ms } by 3 ms')
    assert.equal(rolling({ late, short }, { resolutionMs: 3 }).name, name)
    assert.notEqual(rolling({ late, short }).name, name)
  })
})

describe('the cost of rolling statistics', () => {
  it('is what comes in and falls out of the window', () => {
    let told = 0
    const spied = {
      ...singleCells,
      tell(...all: Parameters<typeof singleCells.tell>) {
        told++
        singleCells.tell(...all)
      },
    }
    const needs = { sum: true, squares: false, values: false }
    const line = new RollingLine<Scalar>(spied, [needs], { low: false, high: false })
    for (let timeMs = 0; timeMs < 5000; timeMs++) {
      line.insert(timeMs, 1)
      const tally = line.tally(0, line.after(timeMs - 1000), line.after(timeMs))
      assert.equal(tally.count, Math.min(timeMs + 1, 1000))
      if (timeMs % 100 === 0) line.dropUpTo(timeMs - 1000)
    }
    assert.ok(told <= 10_000, `${told} for 5000 values`)
    assert.ok(line.times.length < 2300, 'what was dropped is cut off')
    // One that is late moves the cursor there and back again.
    told = 0
    line.insert(4990, 1)
    line.tally(0, line.after(3990), line.after(4990))
    line.tally(0, line.after(4000), line.after(5000))
    assert.ok(told < 50, `${told}`)
  })
})

describe('what rolling statistics refuse', () => {
  it('values of another kind, and then are as they were', () => {
    const built = rolling({ a: { kind: 'sum', overMs: 10 } })
    const state = built.start()
    built.add(state, 1, 1)
    built.add(state, null, 2)
    for (const value of [Number.NaN, 'x', true, 1e200]) {
      assert.throws(
        () => built.add(state, value as number, 2),
        (error) => codeOf(error) === 'AGGREGATE_INPUT_INVALID',
      )
    }
    assert.equal(built.size(state), 1)
  })

  it('measures that make no sense', () => {
    const wrong: [Record<string, RollingMeasure>, number?][] = [
      [{}],
      [{ a: { kind: 'median' as 'sum', overMs: 1 } }],
      [{ a: { kind: 'sum', overMs: 0 } }],
      [{ a: { kind: 'sum', overMs: Number.NaN } }],
      [{ a: { kind: 'sum', overMs: 1, delayMs: -1 } }],
      [{ a: { kind: 'sum', overMs: 10 } }, 20],
      [{ a: { kind: 'sum', overMs: 10 } }, 0.5],
    ]
    for (const [measures, resolutionMs] of wrong) {
      assert.throws(
        () => rolling(measures, { resolutionMs }),
        (error) => codeOf(error) === 'PIPELINE_INVALID',
      )
    }
  })

  it('state that they did not save', () => {
    const built = rolling(
      { a: { kind: 'sum', overMs: 10 }, b: { kind: 'last', overMs: 10 } },
      { resolutionMs: 5 },
    )
    const good = { times: [1], values: [2], ends: [0], buckets: [[1, [2], 2, 0]] }
    built.load(good)
    const damaged: Json[] = [
      null,
      [],
      {},
      { ...good, times: [1, 2] },
      { ...good, times: [1, -1], values: [1, 2] },
      { ...good, values: ['x'] },
      { ...good, horizonMs: 'x' },
      { ...good, ends: [] },
      { ...good, buckets: [[1, [2], 2]] },
      { ...good, buckets: [[1, [2], 2, 0, 0]] },
      { ...good, buckets: [[-1, [2], 2, 0]] },
    ]
    for (const saved of damaged) {
      assert.throws(
        () => built.load(saved),
        (error) => codeOf(error) === 'STATE_UNREADABLE',
        JSON.stringify(saved),
      )
    }
  })
})
