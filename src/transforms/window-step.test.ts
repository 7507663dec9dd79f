/** Window steps against the reference, a few streams; `window-step.slow.test.ts` has many. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SlidingWindow } from './window.ts'
import type { WindowStep } from './window-step.ts'
import { windowStepLaws } from './window-step-laws-testing.ts'
import { SlidingStep } from './window-step-sliding.ts'
import { expectedOutcome, held, memberIds } from './window-step-testing.ts'

windowStepLaws(25)

describe('sliding windows in small blocks', () => {
  it('show what lies between two messages of a batch that are far apart', async () => {
    const events = [0, -1, -2, 1, -3, 2, 3, 3, -4].map((timeMs, index) => {
      const nowMs = Math.max(0, timeMs)
      const message = { id: `m${index}`, key: 'k', timeMs, value: 0, input: 0, nowMs }
      return { kind: 'message' as const, message }
    })
    const window: SlidingWindow = { kind: 'sliding', sizeMs: 1, latenessMs: 0, emit: 'current' }
    const cuts = [2, 5].map((events) => ({
      events,
      limit: 0,
      crash: 'never' as const,
      flush: true,
    }))
    const make = () => new SlidingStep(window, memberIds, 2) as WindowStep
    const { final, open, late } = expectedOutcome({ ...window, emit: 'final' }, events, 6)
    const expected = { held: [...final, ...open].sort(), late }
    assert.deepEqual(await held(make, events, 6, cuts), expected)
  })
})
