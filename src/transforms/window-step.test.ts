/** Window steps against the reference: in any batches, closed late or in pieces, with crashes. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ReferenceEvent } from './watermark-reference-testing.ts'
import type { Window } from './window.ts'
import { breaks, expectedOutcome, held, outcome } from './window-step-testing.ts'
import { streams, windowsOfKind } from './window-streams-testing.ts'

const hourMs = 3_600_000
const kinds = ['tumbling', 'hopping', 'calendar', 'session'] as const

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

for (const kind of kinds) {
  const runs = { numRuns: kind === 'calendar' ? 40 : 150 }
  describe(`${kind} windows as a step`, () => {
    it('final results, revisions, open windows and late messages are those of the reference', () =>
      fc.assert(
        fc.asyncProperty(drawn(kind), async ({ events, window, outOfOrderMs, cuts }) => {
          assert.deepEqual(
            await outcome(window, events, outOfOrderMs, cuts),
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
            assert.deepEqual(await held(current, events, outOfOrderMs, cuts), expected)
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
            assert.deepEqual(await held(window, events, outOfOrderMs, cuts), expected)
          },
        ),
        runs,
      ))
  })
}
