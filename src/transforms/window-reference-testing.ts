/**
 * All kinds of windows said slowly and plainly, for tests that compare a step with it: given every
 * event of a stream, which windows come out `final`, with which messages in them, and which
 * messages are late. Shares no arithmetic with the code that it is held against.
 */
import { calendarBounds } from './calendar-reference-testing.ts'
import {
  isBelieved,
  type ReferenceEvent,
  type ReferenceMessage,
  type ReferenceTime,
  referenceWatermarks,
} from './watermark-reference-testing.ts'
import type { AlignedWindow, SessionWindow, SlidingWindow, Window } from './window.ts'

export interface ReferenceOptions extends ReferenceTime {
  readonly window: Window
  /** The name of the step, for ids. */
  readonly step: string
}

export interface ReferenceWindow<Value = unknown> {
  readonly id: string
  readonly key: string
  readonly startMs: number
  /** The first millisecond behind it; of sliding and session windows the last one in it. */
  readonly endMs: number
  /** As they arrived. Their number is the window's revision. */
  readonly members: readonly ReferenceMessage<Value>[]
}

export interface ReferenceResult<Value = unknown> {
  /** In the order in which they close; those that close at once by the moment due, start and key. */
  readonly final: readonly (ReferenceWindow<Value> & {
    /** The index of the event that closed it. */
    readonly closedBy: number
  })[]
  /** Not closed by the last event, by key and start. */
  readonly open: readonly ReferenceWindow<Value>[]
  /** No window took them. */
  readonly late: readonly ReferenceMessage<Value>[]
  /** Their time is not believed. */
  readonly ahead: readonly ReferenceMessage<Value>[]
  /** Messages that were taken. Every message is taken, late or ahead. */
  readonly taken: readonly ReferenceMessage<Value>[]
  /** After each event. */
  readonly watermarks: readonly number[]
}

interface Found<Value> {
  readonly key: string
  readonly startMs: number
  readonly endMs: number
  readonly members: readonly ReferenceMessage<Value>[]
}

/** What one kind of window does. */
interface Kind<Value> {
  /** The first watermark at which a window with that end is closed. */
  closesAt(endMs: number): number
  /** False when the message is late. */
  take(message: ReferenceMessage<Value>, watermarkMs: number): boolean
  /** All windows there ever were with what they have taken, those among them that are closed. */
  windows(): readonly Found<Value>[]
}

export function referenceWindows<Value>(
  events: readonly ReferenceEvent<Value>[],
  options: ReferenceOptions,
): ReferenceResult<Value> {
  const { window, step } = options
  const watermarks = referenceWatermarks(events, options)
  const kind = kindOf<Value>(window)
  const final: (ReferenceWindow<Value> & { closedBy: number })[] = []
  const late: ReferenceMessage<Value>[] = []
  const ahead: ReferenceMessage<Value>[] = []
  const taken: ReferenceMessage<Value>[] = []
  const arrival = new Map(
    events.map((event, index) => [event.kind === 'message' ? event.message : event, index]),
  )
  const named = (found: Found<Value>) => ({
    ...{ id: `${step}/${found.key}/${found.startMs}`, key: found.key },
    ...{ startMs: found.startMs, endMs: found.endMs },
    members: [...found.members].sort((a, b) => arrival.get(a)! - arrival.get(b)!),
  })
  let beforeMs = -Infinity
  for (const [index, event] of events.entries()) {
    if (event.kind === 'message') {
      const { message } = event
      if (!isBelieved(message, options)) ahead.push(message)
      else (kind.take(message, beforeMs) ? taken : late).push(message)
    }
    const nowMs = watermarks[index]!
    if (nowMs === beforeMs) continue
    const closing = kind.windows().filter(({ endMs }) => {
      return kind.closesAt(endMs) > beforeMs && kind.closesAt(endMs) <= nowMs
    })
    final.push(...closing.sort(byClosing).map((one) => ({ ...named(one), closedBy: index })))
    beforeMs = nowMs
  }
  const open = kind.windows().filter(({ endMs }) => kind.closesAt(endMs) > beforeMs)
  return { final, open: open.map(named).sort(byKey), late, ahead, taken, watermarks }
}

function kindOf<Value>(window: Window): Kind<Value> {
  if (window.kind === 'sliding') return new Sliding(window)
  if (window.kind === 'session') return new Sessions(window)
  return new Aligned(window)
}

class Aligned<Value> implements Kind<Value> {
  readonly #window: AlignedWindow
  readonly #found = new Map<string, Found<Value> & { members: ReferenceMessage<Value>[] }>()

  constructor(window: AlignedWindow) {
    this.#window = window
  }

  closesAt(endMs: number): number {
    return endMs + this.#window.latenessMs
  }

  take(message: ReferenceMessage<Value>, watermarkMs: number): boolean {
    const windows = boundsOf(this.#window, message.timeMs).filter(
      ({ endMs }) => this.closesAt(endMs) > watermarkMs,
    )
    for (const { startMs, endMs } of windows) {
      const name = JSON.stringify([message.key, startMs])
      const found = this.#found.get(name) ?? { key: message.key, startMs, endMs, members: [] }
      found.members.push(message)
      this.#found.set(name, found)
    }
    return windows.length > 0
  }

  windows(): readonly Found<Value>[] {
    return [...this.#found.values()]
  }
}

/** Tumbling windows are hopping ones that begin as often as they are long. */
function boundsOf(window: AlignedWindow, timeMs: number): { startMs: number; endMs: number }[] {
  if (window.kind === 'calendar') return [calendarBounds(window, timeMs)]
  const everyMs = window.kind === 'hopping' ? window.everyMs : window.sizeMs
  const found: { startMs: number; endMs: number }[] = []
  let number = Math.ceil(timeMs / everyMs) + 1
  for (; number * everyMs + window.offsetMs + window.sizeMs > timeMs; number--) {
    const startMs = number * everyMs + window.offsetMs
    if (startMs <= timeMs) found.push({ startMs, endMs: startMs + window.sizeMs })
  }
  return found
}

class Sliding<Value> implements Kind<Value> {
  readonly #window: SlidingWindow
  readonly #taken: ReferenceMessage<Value>[] = []

  constructor(window: SlidingWindow) {
    this.#window = window
  }

  closesAt(endMs: number): number {
    return endMs + 1 + this.#window.latenessMs
  }

  take(message: ReferenceMessage<Value>, watermarkMs: number): boolean {
    const isLate = this.closesAt(message.timeMs + this.#window.sizeMs) <= watermarkMs
    if (!isLate) this.#taken.push(message)
    return !isLate
  }

  windows(): readonly Found<Value>[] {
    const { sizeMs } = this.#window
    return [...new Set(this.#taken.map(({ key }) => key))].flatMap((key) => {
      const own = this.#taken.filter((message) => message.key === key)
      const starts = new Set(own.flatMap(({ timeMs }) => [timeMs - sizeMs, timeMs + 1]))
      return [...starts].flatMap((startMs) => {
        const endMs = startMs + sizeMs
        const members = own.filter(({ timeMs }) => timeMs >= startMs && timeMs <= endMs)
        return members.length > 0 ? [{ key, startMs, endMs, members }] : []
      })
    })
  }
}

class Sessions<Value> implements Kind<Value> {
  readonly #window: SessionWindow
  #sessions: Found<Value>[] = []

  constructor(window: SessionWindow) {
    this.#window = window
  }

  closesAt(endMs: number): number {
    return endMs + this.#window.gapMs + 1 + this.#window.latenessMs
  }

  take(message: ReferenceMessage<Value>, watermarkMs: number): boolean {
    const { key, timeMs } = message
    const open = this.#sessions
      .filter((session) => session.key === key && this.closesAt(session.endMs) > watermarkMs)
      .sort((a, b) => a.startMs - b.startMs)
    const around = open.find((one) => one.startMs <= timeMs && timeMs <= one.endMs)
    const before = open.findLast((one) => one.endMs < timeMs)
    const after = open.find((one) => one.startMs > timeMs)
    const isNew = this.closesAt(timeMs) > watermarkMs
    const alone = { key, startMs: timeMs, endMs: timeMs, members: [message] }
    // The first of these that is allowed is what happens.
    const choices: readonly (readonly (Found<Value> | undefined)[])[] = around
      ? [[around]]
      : [[before, after], [before], ...(isNew ? [[after], []] : [])]
    for (const choice of choices) {
      if (!choice.every((one) => one !== undefined)) continue
      const parts = [...choice, alone]
      if (!this.#fits(parts)) continue
      this.#sessions = this.#sessions.filter((session) => !choice.includes(session))
      this.#sessions.push({
        ...{ key, members: parts.flatMap(({ members }) => members) },
        startMs: Math.min(...parts.map(({ startMs }) => startMs)),
        endMs: Math.max(...parts.map(({ endMs }) => endMs)),
      })
      return true
    }
    return false
  }

  /** No silence between them is longer than the gap, and together they are not too long. */
  #fits(parts: readonly Found<Value>[]): boolean {
    const inOrder = [...parts].sort((a, b) => a.startMs - b.startMs)
    const gaps = inOrder.slice(1).map((part, index) => part.startMs - inOrder[index]!.endMs)
    const lengthMs = Math.max(...parts.map(({ endMs }) => endMs)) - inOrder[0]!.startMs
    const isShort = parts.length === 1 || lengthMs <= (this.#window.longestMs ?? Infinity)
    return gaps.every((gapMs) => gapMs <= this.#window.gapMs) && isShort
  }

  windows(): readonly Found<Value>[] {
    return this.#sessions
  }
}

function byClosing(a: Found<unknown>, b: Found<unknown>): number {
  return a.endMs - b.endMs || a.startMs - b.startMs || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
}

function byKey(a: ReferenceWindow, b: ReferenceWindow): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : a.startMs - b.startMs
}
