/**
 * Drives a window step through a stream in batches, with crashes between its calls, and tells what
 * came of it in words that can be compared with the reference.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Aggregator } from './aggregator.ts'
import { MemoryKeyedState } from './keyed-state-testing.ts'
import {
  type ReferenceEvent,
  type ReferenceMessage,
  referenceWatermarks,
} from './watermark-reference-testing.ts'
import type { Window } from './window.ts'
import { windowId } from './window-id.ts'
import { referenceWindows } from './window-reference-testing.ts'
import type { WindowInput, WindowOutput, WindowResult, WindowStep } from './window-step.ts'

/** What happens behind a batch, besides a close. */
export interface Break {
  /** How many events the batch has. */
  readonly events: number
  /** 0: nothing is closed behind this batch. Else with so much at once. */
  readonly limit: number
  readonly crash: 'never' | 'behind take' | 'while closing'
  readonly flush: boolean
}

export const breaks = (options: { readonly flush?: boolean } = {}): fc.Arbitrary<Break[]> =>
  fc.array(
    fc.record({
      events: fc.oneof(
        fc.constant(1),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 5, max: 30 }),
      ),
      limit: fc.constantFrom(0, 1, 2, 3, 1000),
      crash: fc.constantFrom('never', 'never', 'behind take', 'while closing'),
      flush: options.flush ? fc.nat(4).map((number) => number === 0) : fc.constant(false),
    }),
    { maxLength: 60, size: 'max' },
  )

export const wholeStream: Break = { events: 1e9, limit: 1000, crash: 'never', flush: false }

/** Messages of a window by their ids; refuses those of the key 'b/c'. */
export const memberIds: Aggregator<unknown, string, string[]> = {
  ...{ name: 'ids', version: 1, order: 'any' },
  start: () => [],
  check(message) {
    if ((message as ReferenceMessage).key === 'b/c') throw new Error('no b/c')
  },
  add(ids, message) {
    ids.push((message as ReferenceMessage).id)
    return ids
  },
  merge(one, other) {
    const ids = [...one, ...other]
    // Both may be used up.
    one.push('used up')
    other.push('used up')
    return ids
  },
  result: (ids) => ids.toSorted().join(),
  save: (ids) => [...ids],
  load: (saved) => [...(saved as string[])],
}

export interface Outcome {
  /** `id end revision members`, sorted. */
  readonly final: string[]
  readonly open: string[]
  readonly late: string[]
}

class Told implements WindowOutput {
  readonly results: WindowResult[] = []
  readonly late_: string[] = []
  readonly failed_: string[] = []
  /** By id, what a destination holds that takes the higher revision and deletes. */
  readonly kept = new Map<string, WindowResult | number>()
  rows: readonly ReferenceMessage[] = []

  late(row: number): void {
    this.late_.push(this.rows[row]!.id)
  }

  failed(row: number, error: unknown): void {
    assert.equal((error as Error).message, 'no b/c')
    this.failed_.push(this.rows[row]!.id)
  }

  result(result: WindowResult): void {
    const id = windowId('w', result.key, result.startMs)
    const before = this.kept.get(id)
    assert.notEqual(typeof before, 'number', `${id} comes back`)
    assert.ok(!((before as WindowResult)?.revision > result.revision), `${id} goes back`)
    this.results.push(result)
    this.kept.set(id, result)
  }

  gone(key: string, startMs: number, revision: number): void {
    const id = windowId('w', key, startMs)
    const before = this.kept.get(id) as WindowResult | undefined
    assert.ok(before !== undefined && before.revision < revision, `${id} was not emitted`)
    this.kept.set(id, revision)
  }
}

export const line = ({ key, startMs, endMs, revision, value }: WindowResult) =>
  `${windowId('w', key, startMs)} ${endMs} ${revision} ${value}`

/** Runs a step; the last flush is at the end. */
export async function drive(
  make: () => WindowStep,
  events: readonly ReferenceEvent[],
  outOfOrderMs: number,
  cuts: readonly Break[],
) {
  const watermarks = referenceWatermarks(events, { outOfOrderMs })
  const told = new Told()
  let step = make()
  let state = new MemoryKeyedState(step.form)
  const crash = () => {
    step = make()
    state = state.restarted(step.form)
  }
  const flush = async (limit: number) => {
    let from: string | undefined = ''
    while (from !== undefined) from = await step.flush(state, from, limit, told)
  }
  let closedMs = -Infinity
  for (let at = 0, turn = 0; at < events.length; turn++) {
    const cut = cuts[turn] ?? wholeStream
    const end = Math.min(at + cut.events, events.length)
    const input = inputOf(events, watermarks, at, end)
    told.rows = input.values as ReferenceMessage[]
    await step.take(state, input, closedMs, told)
    at = end
    if (cut.crash === 'behind take') crash()
    if (cut.limit > 0 || at === events.length) {
      closedMs = watermarks[at - 1]!
      while (await step.close(state, closedMs, cut.limit || 1, told)) {
        if (cut.crash === 'while closing') crash()
      }
    }
    if (cut.flush) await flush(cut.limit || 1)
  }
  const closed = told.results.length
  await flush(2)
  const flushed = told.results.length
  if (closedMs === Infinity) assert.equal(state.size, 0, 'all is forgotten')
  await flush(2)
  assert.equal(told.results.length, flushed, 'nothing is flushed twice')
  return { told, closed, state, watermarkMs: watermarks.at(-1) ?? -Infinity }
}

export function inputOf(
  events: readonly ReferenceEvent[],
  watermarks: readonly number[],
  from: number,
  to: number,
): WindowInput {
  const rows: ReferenceMessage[] = []
  const watermarksMs: number[] = []
  for (let index = from; index < to; index++) {
    const event = events[index]!
    if (event.kind !== 'message') continue
    rows.push(event.message)
    watermarksMs.push(watermarks[index - 1] ?? -Infinity)
  }
  return {
    count: rows.length,
    keys: rows.map(({ key }) => key),
    values: rows,
    timesMs: rows.map(({ timeMs }) => timeMs),
    watermarksMs,
  }
}

/** What final results, late messages and open windows are to be. */
export async function outcome(
  make: () => WindowStep,
  events: readonly ReferenceEvent[],
  outOfOrderMs: number,
  cuts: readonly Break[],
): Promise<Outcome> {
  const { told, closed } = await drive(make, events, outOfOrderMs, cuts)
  checkRefused(told, events)
  const late = told.late_.filter((id) => !refusedIds(events).has(id))
  const lines = told.results.map(line)
  return { final: lines.slice(0, closed).sort(), open: lines.slice(closed).sort(), late }
}

/** With 'current': what a destination holds in the end. */
export async function held(
  make: () => WindowStep,
  events: readonly ReferenceEvent[],
  outOfOrderMs: number,
  cuts: readonly Break[],
): Promise<{ held: string[]; late: string[] }> {
  const { told } = await drive(make, events, outOfOrderMs, cuts)
  checkRefused(told, events)
  const kept = [...told.kept.values()].filter((one) => typeof one !== 'number')
  const late = told.late_.filter((id) => !refusedIds(events).has(id))
  return { held: kept.map(line).sort(), late }
}

const refusedIds = (events: readonly ReferenceEvent[]) =>
  new Set(
    events.flatMap((event) =>
      event.kind === 'message' && event.message.key === 'b/c' ? [event.message.id] : [],
    ),
  )

/** What is refused changed nothing: each of these is late or failed, and in no result. */
function checkRefused(told: Told, events: readonly ReferenceEvent[]): void {
  const refused = events.filter((event) => event.kind === 'message' && event.message.key === 'b/c')
  assert.ok(told.results.every(({ key }) => key !== 'b/c'))
  const late = told.late_.filter((id) => refusedIds(events).has(id))
  assert.equal(told.failed_.length + late.length, refused.length)
}

export function expectedOutcome(
  window: Window,
  events: readonly ReferenceEvent[],
  outOfOrderMs: number,
): Outcome {
  const { final, open, late } = referenceWindows(events, { window, step: 'w', outOfOrderMs })
  const lines = (found: typeof open) =>
    found
      .filter(({ key }) => key !== 'b/c')
      .map(({ members, ...bounds }) => {
        const value = members
          .map(({ id }) => id)
          .toSorted()
          .join()
        return line({ ...bounds, revision: members.length, value })
      })
      .sort()
  const lateIds = late.filter(({ key }) => key !== 'b/c').map(({ id }) => id)
  return { final: lines(final), open: lines(open), late: lateIds }
}
