/**
 * The law of aggregators: what they promise about order, grouping, saving and bad values, whatever
 * they reckon. A test of an aggregator calls `aggregatorContract` with a slow, plain way to the result.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import type { Aggregator, Json } from './aggregator.ts'

export interface Timed<In> {
  readonly value: In
  readonly timeMs: number
}

export interface AggregatorCase<In, Out, State> {
  readonly name: string
  readonly aggregator: Aggregator<In, Out, State>
  /** Values that it takes; null and undefined come of themselves. */
  readonly values: fc.Arbitrary<In>
  /** The plain way: from all values that are there, in their order, to the result. */
  expected(values: readonly Timed<In>[], atMs: number): unknown
  /** How a result is held against another where rounding is allowed; else they have to be equal. */
  assertClose?(result: Out, expected: Out, values: readonly Timed<In>[]): void
  /** Values that it refuses. */
  readonly refused: readonly unknown[]
  /** How many values a run has at most. */
  readonly maxLength?: number
}

/** The latest time at which a value of the suite comes: so few times that many are the same. */
const endMs = 12

export function aggregatorContract<In, Out, State>(given: AggregatorCase<In, Out, State>): void {
  const { aggregator, values, assertClose } = given
  const at = <Value>(value: fc.Arbitrary<Value>) =>
    fc.record({ value, timeMs: fc.integer({ min: 0, max: endMs }) }, { noNullPrototype: true })
  const timed = at(values as fc.Arbitrary<In | null | undefined>)
  const missing = at(fc.constantFrom<null | undefined>(null, undefined))
  const inputs = fc.array(fc.oneof({ weight: 9, arbitrary: timed }, missing), {
    maxLength: given.maxLength ?? 40,
    size: 'max',
  }) as fc.Arbitrary<Timed<In>[]>
  const times = fc.oneof(
    fc.integer({ min: -5, max: endMs + 30 }),
    fc.integer({ min: endMs - 2, max: endMs }),
  )

  const added = (list: readonly Timed<In>[], from = aggregator.start()) =>
    list.reduce((state, { value, timeMs }) => aggregator.add(state, value, timeMs), from)
  const present = (list: readonly Timed<In>[]) =>
    list.filter(({ value }) => value !== null && value !== undefined)
  const loaded = (state: State) => aggregator.load(throughJson(aggregator.save(state)))
  /** In the case's own way, or equal where the aggregator promises that. */
  const hold = (result: Out, expected: Out, list: readonly Timed<In>[]) =>
    assertClose === undefined
      ? assert.deepEqual(result, expected)
      : assertClose(result, expected, present(list))
  const holdPromised = (result: Out, expected: Out, list: readonly Timed<In>[]) =>
    aggregator.order === 'nearly'
      ? hold(result, expected, list)
      : assert.deepEqual(result, expected)

  describe(`contract: transforms/${given.name}`, () => {
    it('gives what the plain way gives, without what is missing', () => {
      fc.assert(
        fc.property(inputs, times, (list, atMs) => {
          const result = aggregator.result(added(list), atMs)
          hold(result, given.expected(present(list), atMs) as Out, list)
        }),
      )
    })

    it('merged in any grouping, it gives what one gives that took all', () => {
      fc.assert(
        fc.property(inputs, fc.array(fc.nat(99)), times, (list, cuts, atMs) => {
          const states = split(list, cuts).map((part) => added(part))
          // Neighbours, from places that the cuts choose.
          for (let turn = 0; states.length > 1; turn++) {
            const place = (cuts[turn % Math.max(1, cuts.length)] ?? 0) % (states.length - 1)
            const [one, other] = states.splice(place, 2) as [State, State]
            states.splice(place, 0, aggregator.merge(one, other))
          }
          holdPromised(
            aggregator.result(states[0]!, atMs),
            aggregator.result(added(list), atMs),
            list,
          )
        }),
      )
    })

    it(`keeps to its order: ${aggregator.order}`, () => {
      const shuffled = inputs.chain((list) =>
        fc.tuple(
          fc.constant(list),
          fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
        ),
      )
      fc.assert(
        fc.property(shuffled, times, ([list, other], atMs) => {
          const seen = new Set<number>()
          const isFirst = ({ timeMs }: Timed<In>) => !seen.has(timeMs) && seen.add(timeMs)
          const mayTie = aggregator.order !== 'ties'
          const used = mayTie ? list : list.filter(isFirst)
          const moved = mayTie ? other : other.filter((item) => used.includes(item))
          const one = aggregator.result(added(used), atMs)
          holdPromised(aggregator.result(added(moved), atMs), one, used)
        }),
      )
    })

    it('saved and loaded midway, it goes on as one that never stopped', () => {
      fc.assert(
        fc.property(inputs, inputs, times, (before, after, atMs) => {
          const never = added(after, added(before))
          const stopped = added(after, loaded(added(before)))
          assert.deepEqual(aggregator.result(stopped, atMs), aggregator.result(never, atMs))
          assert.deepEqual(aggregator.save(stopped), aggregator.save(never))
        }),
      )
    })

    it('reading and saving change nothing', () => {
      fc.assert(
        fc.property(inputs, inputs, times, (before, after, atMs) => {
          const read = added(before)
          const saved = throughJson(aggregator.save(read))
          const result = aggregator.result(read, atMs)
          aggregator.result(read, atMs + 1000)
          assert.deepEqual(aggregator.result(read, atMs), result)
          assert.deepEqual(throughJson(aggregator.save(read)), saved)
          const later = aggregator.result(added(after, read), atMs)
          assert.deepEqual(later, aggregator.result(added([...before, ...after]), atMs))
        }),
      )
    })

    it('gives finite numbers, and changes no value that it is given', () => {
      fc.assert(
        fc.property(inputs, times, (list, atMs) => {
          const copies = structuredClone(list)
          const result = aggregator.result(added(list), atMs)
          assert.deepEqual(list, copies)
          assert.deepEqual(throughJson(result as Json), result)
        }),
      )
    })

    it('refuses what it cannot take, and is as it was', () => {
      fc.assert(
        fc.property(inputs, fc.constantFrom(...given.refused, null), (list, bad) => {
          const state = added(list)
          const saved = throughJson(aggregator.save(state))
          const isRefused = (error: unknown) => codeOf(error) === 'AGGREGATE_INPUT_INVALID'
          if (bad === null) aggregator.check(bad as In)
          else {
            assert.throws(() => aggregator.check(bad as In), isRefused)
            assert.throws(() => aggregator.add(state, bad as In, 1), isRefused)
          }
          assert.deepEqual(throughJson(aggregator.save(state)), saved)
        }),
      )
    })

    it('loads nothing that it did not save', () => {
      const damaged: Json[] = [null, true, -1, 0.5, '*', [-1], [null], [[], []], [0, 0, 0, 0, 0, 0]]
      for (const saved of [...damaged, { other: 1 }, [{}, {}, {}], [1, 'x', []]]) {
        try {
          // A few of them may be what one of the aggregators saves.
          assert.deepEqual(throughJson(aggregator.save(aggregator.load(saved))), saved)
        } catch (error) {
          assert.equal(codeOf(error), 'STATE_UNREADABLE', JSON.stringify(saved))
        }
      }
    })
  })
}

function throughJson(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}

/** Cuts a list at some places; an empty part may be among them. */
function split<Item>(list: readonly Item[], cuts: readonly number[]): Item[][] {
  const places = cuts.map((cut) => cut % (list.length + 1)).sort((a, b) => a - b)
  return [...places, list.length].map((end, index) => list.slice(places[index - 1] ?? 0, end))
}
