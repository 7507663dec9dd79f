/** The fast arithmetic of windows and watermarks, put together as a step would, and its model. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { JointWatermark, PartitionWatermark } from './watermark.ts'
import type {
  ReferenceEvent,
  ReferenceMessage,
  ReferenceTime,
} from './watermark-reference-testing.ts'
import type { AlignedWindow, SessionWindow, SlidingWindow, Window } from './window.ts'
import { closesAfterMs, isAligned, windowAssigner } from './window-assign.ts'
import { windowId } from './window-id.ts'
import { referenceWindows } from './window-reference-testing.ts'
import { mergeSessions, noMerge, replacedStarts } from './window-session.ts'
import {
  closingSlidingWindows,
  isLateSliding,
  isSpentSliding,
  nextSlidingClose,
} from './window-sliding.ts'
import { streams, windowsOfKind } from './window-streams-testing.ts'

type Members = string[]
interface Step {
  take(message: ReferenceMessage, watermarkMs: number): boolean
  /** By id, what closes when the watermark goes from one to the other. */
  close(fromMs: number, toMs: number): [string, Members][]
}

class AlignedStep implements Step {
  readonly #windows = new Map<string, { endMs: number; members: Members }>()
  readonly #assigner: ReturnType<typeof windowAssigner>
  readonly #afterMs: number

  constructor(window: AlignedWindow) {
    this.#assigner = windowAssigner(window)
    this.#afterMs = closesAfterMs(window)
  }

  take({ id, key, timeMs }: ReferenceMessage, watermarkMs: number): boolean {
    let taken = false
    this.#assigner.assign(timeMs, {
      window: (startMs, endMs) => {
        if (endMs + this.#afterMs <= watermarkMs) return
        const name = windowId('w', key, startMs)
        const open = this.#windows.get(name) ?? { endMs, members: [] }
        this.#windows.set(name, open)
        open.members.push(id)
        taken = true
      },
    })
    return taken
  }

  close(_: number, toMs: number): [string, Members][] {
    const due = [...this.#windows].filter(([, { endMs }]) => endMs + this.#afterMs <= toMs)
    for (const [name] of due) this.#windows.delete(name)
    return due.map(([name, { members }]) => [name, members])
  }
}

class SessionStep implements Step {
  readonly #keys = new Map<string, { startMs: number; endMs: number; members: Members }[]>()
  readonly #merge = noMerge()
  readonly #window: SessionWindow

  constructor(window: SessionWindow) {
    this.#window = window
  }

  take({ id, key, timeMs }: ReferenceMessage, watermarkMs: number): boolean {
    const sessions = this.#keys.get(key) ?? []
    this.#keys.set(key, sessions)
    const merge = this.#merge
    if (!mergeSessions(this.#window, sessions, timeMs, watermarkMs, merge)) return false
    const joined = sessions.slice(merge.from, merge.to)
    const starts = [...replacedStarts(sessions, merge), merge.startMs]
    for (const { startMs } of joined) assert.ok(starts.includes(startMs))
    const members = [...joined.flatMap((one) => one.members), id]
    const merged = { startMs: merge.startMs, endMs: merge.endMs, members }
    sessions.splice(merge.from, merge.to - merge.from, merged)
    for (const [index, one] of sessions.entries()) {
      const before = sessions[index - 1]
      assert.ok(before === undefined || before.endMs < one.startMs, 'ascending and apart')
    }
    return true
  }

  close(fromMs: number, toMs: number): [string, Members][] {
    const afterMs = closesAfterMs(this.#window)
    return [...this.#keys].flatMap(([key, sessions]) => {
      const due = sessions.filter(
        ({ endMs }) => endMs + afterMs > fromMs && endMs + afterMs <= toMs,
      )
      // One key keeps what is closed: it may stay there, and changes nothing.
      if (key !== 'a') sessions.splice(0, due.length)
      return due.map(({ startMs, members }): [string, Members] => [
        windowId('w', key, startMs),
        members,
      ])
    })
  }
}

class SlidingStep implements Step {
  readonly #keys = new Map<string, { times: number[]; members: Members[] }>()
  readonly #window: SlidingWindow

  constructor(window: SlidingWindow) {
    this.#window = window
  }

  take({ id, key, timeMs }: ReferenceMessage, watermarkMs: number): boolean {
    if (isLateSliding(this.#window, timeMs, watermarkMs)) return false
    const panes = this.#keys.get(key) ?? { times: [], members: [] }
    this.#keys.set(key, panes)
    const found = panes.times.findIndex((time) => time >= timeMs)
    const at = found < 0 ? panes.times.length : found
    if (panes.times[at] !== timeMs) {
      panes.times.splice(at, 0, timeMs)
      panes.members.splice(at, 0, [])
    }
    panes.members[at]!.push(id)
    return true
  }

  close(fromMs: number, toMs: number): [string, Members][] {
    const found: [string, Members][] = []
    for (const [key, { times, members }] of this.#keys) {
      const due = nextSlidingClose(this.#window, times, fromMs)
      const count = found.length
      closingSlidingWindows(this.#window, times, fromMs, toMs, {
        window: (startMs, endMs) => {
          const inside = members.filter((_, at) => times[at]! >= startMs && times[at]! <= endMs)
          found.push([windowId('w', key, startMs), inside.flat()])
        },
      })
      assert.equal(found.length > count, due !== undefined && due <= toMs, 'told beforehand')
      while (times.length > 0 && isSpentSliding(this.#window, times[0]!, toMs)) {
        times.shift()
        members.shift()
      }
    }
    return found
  }
}

function stepOf(window: Window): Step {
  if (isAligned(window)) return new AlignedStep(window)
  return window.kind === 'session' ? new SessionStep(window) : new SlidingStep(window)
}

/** Runs the fast code over the events; `savedAt` stops it there and goes on from what was saved. */
function run(events: readonly ReferenceEvent[], window: Window, time: ReferenceTime, savedAt = -1) {
  const { outOfOrderMs, inputs = 1, maxSkewMs = Infinity, idleMs = Infinity, beginMs = 0 } = time
  const options = { outOfOrderMs, maxSkewMs }
  let marks = Array.from({ length: inputs }, () => new PartitionWatermark(options))
  let joint = new JointWatermark({ inputs, idleMs }, beginMs)
  const step = stepOf(window)
  const result = { final: [] as string[], late: [] as string[], ahead: [] as string[] }
  const watermarks: number[] = []
  for (const [index, event] of events.entries()) {
    const wasMs = joint.atMs
    if (event.kind === 'tick') joint.tick(event.nowMs)
    else if (event.kind === 'finish') joint.finish(event.input)
    else {
      const { id, timeMs, input = 0, nowMs = 0 } = event.message
      const mark = marks[input]!
      if (!mark.observe(timeMs, nowMs)) result.ahead.push(id)
      else {
        if (!step.take(event.message, wasMs)) result.late.push(id)
        joint.advance(input, mark.atMs, nowMs)
      }
    }
    assert.ok(joint.atMs >= wasMs, 'a watermark never goes back')
    if (joint.atMs > wasMs) {
      const closed = step.close(wasMs, joint.atMs)
      result.final.push(...closed.map(([id, members]) => `${index} ${id}: ${members.sort()}`))
    }
    watermarks.push(joint.atMs)
    if (index === savedAt) {
      const copy = JSON.parse(JSON.stringify([marks.map((mark) => mark.save()), joint.save()]))
      marks = copy[0].map((saved: number | null) => new PartitionWatermark(options, saved))
      joint = new JointWatermark({ inputs, idleMs }, beginMs, copy[1])
    }
  }
  result.final.sort()
  return { ...result, watermarks }
}

/** The same of the reference. */
function expected(events: readonly ReferenceEvent[], window: Window, time: ReferenceTime) {
  const reference = referenceWindows(events, { window, step: 'w', ...time })
  const { final, late, ahead, watermarks, taken, open } = reference
  const count = events.filter(({ kind }) => kind === 'message').length
  assert.equal(taken.length + late.length + ahead.length, count, 'each message once')
  if (watermarks.at(-1) === Infinity) assert.equal(open.length, 0, 'all windows are closed')
  assert.equal(new Set(final.map(({ id }) => id)).size, final.length, 'no id is given twice')
  const ids = (messages: readonly ReferenceMessage[]) => messages.map(({ id }) => id)
  const told = final.map((one) => `${one.closedBy} ${one.id}: ${ids(one.members).sort()}`)
  return { final: told.sort(), late: ids(late), ahead: ids(ahead), watermarks }
}

const bounds = fc.oneof(fc.constant(0), fc.nat(40))

describe('windows, fast and plain', () => {
  for (const kind of ['tumbling', 'hopping', 'sliding', 'session'] as const) {
    it(`${kind}: the same windows, members and late messages`, () => {
      const stream = streams({ finish: true, aheadMs: 1000 })
      fc.assert(
        fc.property(stream, windowsOfKind(kind), bounds, (events, window, outOfOrderMs) => {
          const time = { outOfOrderMs, maxSkewMs: 500 }
          assert.deepEqual(run(events, window, time), expected(events, window, time))
        }),
        { numRuns: 100 },
      )
    })
  }

  it('calendar: the same, over days with 23, 24 and 25 hours', () => {
    const hourMs = 3_600_000
    const stream = streams({ mostStepMs: 40 * hourMs, mostBehindMs: 30 * hourMs, maxLength: 30 })
    // Before the clocks of all these zones change, and before Apia left out a day.
    const starts = fc.constantFrom(Date.UTC(2011, 11, 25), Date.UTC(2024, 2, 20))
    fc.assert(
      fc.property(stream, windowsOfKind('calendar'), starts, (events, window, startMs) => {
        const moved = events.map((event): ReferenceEvent => {
          if (event.kind !== 'message') return event
          return { ...event, message: { ...event.message, timeMs: event.message.timeMs + startMs } }
        })
        const time = { outOfOrderMs: 20 * hourMs }
        assert.deepEqual(run(moved, window, time), expected(moved, window, time))
      }),
      { numRuns: 25 },
    )
  })

  it('several inputs, some idle, some at their end: the same watermarks and windows', () => {
    const kinds = fc.constantFrom('tumbling' as const, 'sliding' as const, 'session' as const)
    const inputs = fc.integer({ min: 1, max: 4 })
    const drawn = fc.tuple(inputs, kinds, fc.boolean()).chain(([count, kind, finish]) => {
      const stream = streams({ inputs: count, ticks: true, finish, aheadMs: 1000, maxLength: 40 })
      return fc.tuple(stream, windowsOfKind(kind), fc.constant(count))
    })
    fc.assert(
      fc.property(drawn, bounds, fc.nat(100), ([events, window, count], outOfOrderMs, idleMs) => {
        const time = { outOfOrderMs, inputs: count, idleMs, maxSkewMs: 500, beginMs: -400 }
        assert.deepEqual(run(events, window, time), expected(events, window, time))
      }),
      { numRuns: 100 },
    )
  })

  it('watermarks saved and loaded midway give what was never stopped', () => {
    const stream = streams({ inputs: 3, finish: true, aheadMs: 1000 })
    fc.assert(
      fc.property(stream, fc.nat(60), bounds, (events, savedAt, outOfOrderMs) => {
        const time = { outOfOrderMs, inputs: 3, maxSkewMs: 500 }
        const window = fc.sample(windowsOfKind('hopping'), { numRuns: 1, seed: savedAt })[0]!
        assert.deepEqual(run(events, window, time, savedAt), run(events, window, time))
      }),
      { numRuns: 100 },
    )
  })

  it('in order enough, the order of arrival changes no final window', () => {
    const kinds = fc.constantFrom('tumbling' as const, 'sliding' as const, 'session' as const)
    const drawn = kinds.chain((kind) => fc.tuple(windowsOfKind(kind), fc.array(fc.nat(300))))
    fc.assert(
      fc.property(drawn, fc.infiniteStream(fc.nat(40)), ([drawnWindow, times], jitter) => {
        // Where a session that is too long is cut depends on the order, as its page says.
        const window = { ...drawnWindow, longestMs: undefined } as Window
        const messages = times.map((timeMs, index) => ({ id: `m${index}`, key: 'k', timeMs }))
        const asEvents = (list: readonly ReferenceMessage[]): ReferenceEvent[] => [
          ...list.map((message) => ({ kind: 'message', message }) as const),
          { kind: 'finish', input: 0 },
        ]
        const inOrder = messages.toSorted((a, b) => a.timeMs - b.timeMs)
        const delayed = inOrder
          .map((message) => ({ message, atMs: message.timeMs + jitter.next().value }))
          .sort((a, b) => a.atMs - b.atMs)
          .map(({ message }) => message)
        const [one, other] = [inOrder, delayed].map((list) => {
          const { final, late } = run(asEvents(list), window, { outOfOrderMs: 40 })
          assert.deepEqual(late, [])
          return final.map((text) => text.replace(/^\d+ /, '')).sort()
        })
        assert.deepEqual(one, other)
      }),
      { numRuns: 100 },
    )
  })
})
