/**
 * Random streams for tests of windows (fast-check): late, duplicated, out of order, skewed keys,
 * times around 1970, several inputs that fall idle and end, times too far ahead.
 */
import fc from 'fast-check'
import type { ReferenceEvent, ReferenceMessage } from './watermark-reference-testing.ts'
import { calendar, hopping, session, sliding, tumbling, type Window } from './window.ts'

export interface StreamOptions {
  /** 1, where it is not said. */
  readonly inputs?: number
  /** How far event time goes from one message to the next, at most: 20 ms. */
  readonly mostStepMs?: number
  /** How far behind a message may be, mostly: 30 ms. Now and then ten times that. */
  readonly mostBehindMs?: number
  /** So far ahead is a time that is not to be believed. Left out: there is none. */
  readonly aheadMs?: number
  /** With looks at the wall clock. */
  readonly ticks?: boolean
  /** Ends all inputs, so that every window closes: one at the end, several anywhere. */
  readonly finish?: boolean
  /** 60, where it is not said. */
  readonly maxLength?: number
}

type Stroke = 'message' | 'again' | 'ahead' | 'tick'

/** Values are small whole numbers, for sums. */
export function streams(options: StreamOptions = {}): fc.Arbitrary<ReferenceEvent<number>[]> {
  const { inputs = 1, mostStepMs = 20, mostBehindMs = 30, maxLength = 60 } = options
  const stroke = fc.oneof(
    { weight: 12, arbitrary: fc.constant<Stroke>('message') },
    { weight: 1, arbitrary: fc.constant<Stroke>('again') },
    ...(options.aheadMs ? [{ weight: 1, arbitrary: fc.constant<Stroke>('ahead') }] : []),
    ...(options.ticks ? [{ weight: 3, arbitrary: fc.constant<Stroke>('tick') }] : []),
  )
  const move = fc.record({
    stroke,
    // Half of all messages have one key, some have a key with a slash.
    key: fc.constantFrom('hot', 'hot', 'hot', 'a', 'b/c', ''),
    input: fc.nat(inputs - 1),
    stepMs: fc.oneof(fc.nat(2), fc.nat(mostStepMs)),
    behindMs: fc.oneof(fc.constant(0), fc.nat(mostBehindMs), fc.nat(10 * mostBehindMs)),
    clockMs: fc.nat(4 * mostStepMs),
  })
  const ends = fc.array(fc.nat(2 * maxLength), { minLength: inputs, maxLength: inputs })
  return fc
    .tuple(
      fc.integer({ min: -20 * mostStepMs, max: 0 }),
      fc.array(move, { maxLength, size: 'max' }),
      inputs > 1 ? ends : fc.constant([maxLength]),
    )
    .map(([startMs, moves, endsAt]) => {
      const events = eventsOf(startMs, moves, options)
      return options.finish ? withEnds(events, endsAt) : events
    })
}

interface Move {
  readonly stroke: Stroke
  readonly key: string
  readonly input: number
  readonly stepMs: number
  readonly behindMs: number
  readonly clockMs: number
}

function eventsOf(startMs: number, moves: readonly Move[], options: StreamOptions) {
  const events: ReferenceEvent<number>[] = []
  let last: ReferenceMessage<number> | undefined
  let eventMs = startMs
  let nowMs = startMs
  for (const [index, { stroke, key, input, stepMs, behindMs, clockMs }] of moves.entries()) {
    nowMs += stroke === 'tick' ? clockMs : stepMs
    if (stroke === 'tick') {
      events.push({ kind: 'tick', nowMs })
      continue
    }
    if (stroke === 'message') eventMs += stepMs
    const timeMs = stroke === 'ahead' ? nowMs + options.aheadMs! + behindMs : eventMs - behindMs
    const fresh = { id: `m${index}`, key, timeMs, value: stepMs, input, nowMs }
    // What comes again has its id, its time and its key; it is another message all the same.
    const message = stroke === 'again' && last !== undefined ? { ...last, nowMs } : fresh
    if (stroke !== 'ahead') last = message
    events.push({ kind: 'message', message })
  }
  return events
}

/** Ends each input at its place, or at the end; it has no messages behind that. */
function withEnds(events: readonly ReferenceEvent<number>[], endsAt: readonly number[]) {
  const ended: ReferenceEvent<number>[] = []
  for (let index = 0; index <= Math.max(events.length, ...endsAt); index++) {
    for (const [input, at] of endsAt.entries()) {
      if (at === index) ended.push({ kind: 'finish', input })
    }
    const event = events[index]
    const isOver = event?.kind === 'message' && index >= endsAt[event.message.input ?? 0]!
    if (event !== undefined && !isOver) ended.push(event)
  }
  return ended
}

/** Small windows of one kind, with every option. */
export function windowsOfKind(kind: Window['kind']): fc.Arbitrary<Window> {
  const lateness = fc.oneof(fc.constant(0), fc.nat(40))
  const sizes = fc.integer({ min: 1, max: 60 })
  const parts = fc.tuple(fc.nat(10_000), fc.nat(10_000))
  switch (kind) {
    case 'tumbling':
      return fc
        .tuple(sizes, parts, lateness)
        .map(([size, [offset], late]) => tumbling(size, { offset: offset % size, lateness: late }))
    case 'hopping':
      return fc.tuple(sizes, parts, lateness).map(([size, [part, offset], late]) => {
        const every = 1 + (part % size)
        return hopping(size, { every, offset: offset % every, lateness: late })
      })
    case 'sliding':
      return fc.tuple(sizes, lateness).map(([size, late]) => sliding(size, { lateness: late }))
    case 'session':
      return fc
        .tuple(sizes, fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined }), lateness)
        .map(([gap, longest, late]) => session({ gap, longest, lateness: late }))
    case 'calendar':
      return calendars(lateness)
  }
}

const zones = ['Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Apia', 'UTC']

function calendars(lateness: fc.Arbitrary<number>): fc.Arbitrary<Window> {
  const units = fc.constantFrom('day' as const, 'week' as const, 'month' as const)
  return fc
    .tuple(units, fc.constantFrom(...zones), fc.constantFrom('0s', '4h', '2h30m'), lateness)
    .map(([unit, timeZone, offset, late]) => calendar(unit, { timeZone, offset, lateness: late }))
}
