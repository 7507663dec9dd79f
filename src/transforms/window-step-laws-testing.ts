/** Laws of window steps against the reference: in any batches, closed late or in pieces, with crashes. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ReferenceEvent } from './watermark-reference-testing.ts'
import type { SlidingWindow, Window } from './window.ts'
import { type WindowStep, windowStep } from './window-step.ts'
import { SlidingStep } from './window-step-sliding.ts'
import { breaks, expectedOutcome, held, memberIds, outcome } from './window-step-testing.ts'
import { streams, windowsOfKind } from './window-streams-testing.ts'

const hourMs = 3_600_000
/** Kinds of windows, and what is used for other windows or aggregates than their plain ones. */
const cases: readonly (readonly [name: string, kind: Window['kind'], make?: Make])[] = [
  ['tumbling', 'tumbling'],
  ['hopping', 'hopping'],
  ['calendar', 'calendar'],
  ['session', 'session'],
  ['sliding', 'sliding'],
  ['sliding in small blocks', 'sliding', (window) => inBlocks(window, memberIds)],
  ['sliding nearly', 'sliding', (window) => inBlocks(window, { ...memberIds, order: 'nearly' })],
]

type Make = (window: Window) => WindowStep

const inBlocks = (window: Window, aggregator: typeof memberIds) =>
  new SlidingStep(window as SlidingWindow, aggregator, 2) as WindowStep

/** Calendars have days, and clocks that change. */
function streamOf(kind: Window['kind'], finish: boolean): fc.Arbitrary<ReferenceEvent[]> {
  if (kind !== 'calendar') return streams({ finish })
  const days = { mostStepMs: 40 * hourMs, mostBehindMs: 30 * hourMs, maxLength: 30, finish }
  return streams(days).map((events) =>
    events.map((event): ReferenceEvent => {
      if (event.kind !== 'message') return event
      const timeMs = event.message.timeMs + Date.UTC(2024, 2, 20)
      return { ...event, message: { ...event.message, timeMs } }
    }),
  )
}

const drawn = (kind: Window['kind'], options: { readonly flush?: boolean } = {}) =>
  fc.record({
    events: fc.boolean().chain((finish) => streamOf(kind, finish)),
    window: windowsOfKind(kind),
    outOfOrderMs: fc.oneof(fc.constant(0), fc.nat(kind === 'calendar' ? 20 * hourMs : 40)),
    cuts: breaks(options),
  })

export function windowStepLaws(numRuns: number): void {
  for (const [name, kind, make = (window: Window) => windowStep(window, memberIds)] of cases) {
    const runs = { numRuns: kind === 'calendar' ? Math.ceil(numRuns / 3) : numRuns }
    describe(`${name} windows as a step`, () => {
      it('final results, revisions, open windows and late messages are those of the reference', () =>
        fc.assert(
          fc.asyncProperty(drawn(kind), async ({ events, window, outOfOrderMs, cuts }) => {
            assert.deepEqual(
              await outcome(() => make(window), events, outOfOrderMs, cuts),
              expectedOutcome(window, events, outOfOrderMs),
            )
          }),
          runs,
        ))

      it("with 'current', the last result of each id is the final one", () =>
        fc.assert(
          fc.asyncProperty(
            drawn(kind, { flush: true }),
            async ({ events, window, outOfOrderMs, cuts }) => {
              const current: Window = { ...window, emit: 'current' }
              const { final, open, late } = expectedOutcome(window, events, outOfOrderMs)
              const expected = { held: [...final, ...open].sort(), late }
              assert.deepEqual(
                await held(() => make(current), events, outOfOrderMs, cuts),
                expected,
              )
            },
          ),
          runs,
        ))

      it('flushed midway, what is final goes last', () =>
        fc.assert(
          fc.asyncProperty(
            drawn(kind, { flush: true }),
            async ({ events, window, outOfOrderMs, cuts }) => {
              const { final, open, late } = expectedOutcome(window, events, outOfOrderMs)
              const expected = { held: [...final, ...open].sort(), late }
              assert.deepEqual(await held(() => make(window), events, outOfOrderMs, cuts), expected)
            },
          ),
          runs,
        ))
    })
  }
}
