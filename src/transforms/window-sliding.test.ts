import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { sliding } from './window.ts'
import { changedSlidingWindows, closingSlidingWindows, nextSlidingClose } from './window-sliding.ts'

const all = { fromMs: -Infinity, toMs: Infinity }

function closing(sizeMs: number, times: readonly number[], { fromMs, toMs } = all, lateness = 0) {
  const starts: number[] = []
  closingSlidingWindows(sliding(sizeMs, { lateness }), times, fromMs, toMs, {
    window(startMs, endMs) {
      assert.equal(endMs - startMs, sizeMs)
      starts.push(startMs)
    },
  })
  return starts
}

/** The times in each window of a key, by its start, plainly. */
function windowsOf(sizeMs: number, times: readonly number[]): Map<number, string> {
  const starts = times.flatMap((timeMs) => [timeMs - sizeMs, timeMs + 1])
  const inside = (start: number) => times.filter((at) => at >= start && at <= start + sizeMs)
  const filled = starts.filter((start) => inside(start).length > 0)
  return new Map(filled.map((start) => [start, inside(start).join()]))
}

const someTimes = fc.uniqueArray(fc.integer({ min: -60, max: 60 }), { maxLength: 12 })
const ascending = (times: readonly number[]) => times.toSorted((a, b) => a - b)

describe('sliding windows', () => {
  it('are those of KIP-450: up to each message, and behind each', () => {
    // a at 10, b at 15, c at 20, with windows of 10 ms.
    const starts = closing(10, [10, 15, 20])
    // {a} {a b} {a b c} {b c} {c}
    assert.deepEqual(starts, [0, 5, 10, 11, 16])
    assert.deepEqual(closing(10, [10, 30]), [0, 20], 'nothing is behind 10 within 10 ms')
    assert.deepEqual(closing(10, [10, 21]), [0, 11], 'both ends belong to a window')
    assert.deepEqual(closing(10, []), [])
  })

  it('are all those that hold a set of messages of their own', () => {
    fc.assert(
      fc.property(someTimes, fc.integer({ min: 1, max: 40 }), (drawn, sizeMs) => {
        const times = ascending(drawn)
        const plain = windowsOf(sizeMs, times)
        assert.deepEqual(closing(sizeMs, times), ascending([...plain.keys()]))
        // Every set of messages that any stretch of that size can hold is among them.
        const sets = new Set(plain.values())
        for (let start = -101; start < 62; start++) {
          const held = times.filter((at) => at >= start && at <= start + sizeMs).join()
          assert.ok(held === '' || sets.has(held), held)
        }
      }),
    )
  })

  it('close once, whatever the steps of the watermark', () => {
    const steps = fc.array(fc.nat(30), { maxLength: 12 })
    fc.assert(
      fc.property(someTimes, steps, fc.nat(20), (drawn, moves, lateness) => {
        const times = ascending(drawn)
        const found: number[] = []
        let fromMs = -90
        for (const move of [...moves, Infinity]) {
          const toMs = fromMs + move
          const due = nextSlidingClose(sliding(20, { lateness }), times, fromMs)
          const closed = closing(20, times, { fromMs, toMs }, lateness)
          assert.equal(closed.length > 0, due !== undefined && due <= toMs)
          if (closed.length > 0) assert.equal(due, closed[0]! + 20 + lateness + 1)
          found.push(...closed)
          fromMs = toMs
        }
        assert.deepEqual(found, closing(20, times))
      }),
    )
  })

  it('a message changes those that hold it, and brings about those that were not', () => {
    const watermarks = fc.oneof(fc.constant(-Infinity), fc.integer({ min: -60, max: 60 }))
    fc.assert(
      fc.property(
        someTimes,
        fc.integer({ min: -60, max: 60 }),
        watermarks,
        (drawn, timeMs, mark) => {
          const isNew = !drawn.includes(timeMs)
          const times = ascending(isNew ? [...drawn, timeMs] : drawn)
          const was = windowsOf(20, drawn)
          const changed = [...windowsOf(20, times).keys()].filter((start) => {
            const holds = start <= timeMs && timeMs <= start + 20
            return (holds || !was.has(start)) && start + 20 + 1 > mark
          })
          const told: number[] = []
          const target = { window: (start: number) => told.push(start) }
          changedSlidingWindows(sliding(20), times, timeMs, isNew, mark, target)
          assert.deepEqual(told, ascending(changed))
        },
      ),
      { numRuns: 300 },
    )
  })
})
