/**
 * Watermarks said slowly and plainly, for tests: after each event of a stream, everything is counted
 * anew from all events so far. Shares no code with `watermark.ts`.
 */

export interface ReferenceMessage<Value = unknown> {
  readonly id: string
  readonly key: string
  readonly timeMs: number
  readonly value?: Value
  /** The input (partition, upstream partition) it came from: 0, where it is not said. */
  readonly input?: number
  /** What the wall clock showed when it was read: 0, where it is not said. */
  readonly nowMs?: number
}

/** What happens to a step, in order. */
export type ReferenceEvent<Value = unknown> =
  | { readonly kind: 'message'; readonly message: ReferenceMessage<Value> }
  /** Everything was read and the wall clock is looked at. */
  | { readonly kind: 'tick'; readonly nowMs: number }
  /** A finite input is at its end. */
  | { readonly kind: 'finish'; readonly input: number }

export interface ReferenceTime {
  readonly outOfOrderMs: number
  /** 1, where it is not said. */
  readonly inputs?: number
  /** Any time is believed, where it is not said. */
  readonly maxSkewMs?: number
  /** No input is ever idle, where it is not said. */
  readonly idleMs?: number
  /** What the wall clock showed when it began: 0, where it is not said. */
  readonly beginMs?: number
}

/** False when a message's time is too far ahead to be believed. */
export function isBelieved(message: ReferenceMessage, { maxSkewMs = Infinity }: ReferenceTime) {
  return message.timeMs <= (message.nowMs ?? 0) + maxSkewMs
}

/** The watermark after each event. */
export function referenceWatermarks(
  events: readonly ReferenceEvent[],
  time: ReferenceTime,
): number[] {
  let highest = -Infinity
  return events.map((_, index) => {
    highest = Math.max(highest, watermarkOf(events.slice(0, index + 1), time))
    return highest
  })
}

/** What the last event says, had there been no other watermark before it. */
function watermarkOf(events: readonly ReferenceEvent[], time: ReferenceTime): number {
  const inputs = Array.from({ length: time.inputs ?? 1 }, (_, input) =>
    inputOf(input, events, time),
  )
  const open = inputs.filter((input) => !input.isDone)
  if (open.length === 0) return Infinity
  const active = open.filter((input) => !input.isIdle)
  if (active.length > 0) return Math.min(...active.map((input) => input.atMs))
  const last = events.at(-1)!
  if (last.kind !== 'tick') return -Infinity
  return Math.max(...inputs.map((input) => input.atMs + Math.max(0, last.nowMs - input.heardMs)))
}

function inputOf(input: number, events: readonly ReferenceEvent[], time: ReferenceTime) {
  const isOf = (event: ReferenceEvent) =>
    event.kind === 'message' &&
    (event.message.input ?? 0) === input &&
    isBelieved(event.message, time)
  const own = events.flatMap((event) =>
    event.kind === 'message' && isOf(event) ? [event.message] : [],
  )
  const heardMs = own.at(-1)?.nowMs ?? (own.length > 0 ? 0 : (time.beginMs ?? 0))
  const behindLast = events.slice(events.findLastIndex(isOf) + 1)
  return {
    heardMs,
    atMs: Math.max(...own.map(({ timeMs }) => timeMs)) - time.outOfOrderMs,
    isDone: events.some((event) => event.kind === 'finish' && event.input === input),
    isIdle: behindLast.some(
      (event) => event.kind === 'tick' && event.nowMs - heardMs >= (time.idleMs ?? Infinity),
    ),
  }
}
