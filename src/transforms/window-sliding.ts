/**
 * Sliding windows as in Kafka Streams (KIP-450): of all places where a stretch can be put on a
 * key's time line, those that hold a set of messages of their own. For each message that is the
 * window that ends with it, and the one that begins a millisecond behind it, if anything is in it.
 * A step keeps, by key, what it knows of each time at which messages came (a partial aggregate),
 * ascending; a window's result is those from its start to its end, both included, put together.
 */
import type { SlidingWindow } from './window.ts'
import { closesAfterMs, type WindowTarget } from './window-assign.ts'

/**
 * Hands over, ascending, the open windows that a message at `timeMs` changed, and that which it
 * brought about behind itself. `times` are all times of the key, ascending, each once, this one
 * among them; `isNew` says that it was not before.
 */
export function changedSlidingWindows(
  window: SlidingWindow,
  times: ArrayLike<number>,
  timeMs: number,
  isNew: boolean,
  watermarkMs: number,
  target: WindowTarget,
): void {
  const { sizeMs } = window
  const firstEnd = Math.max(timeMs, watermarkMs - closesAfterMs(window) + 1)
  eachWindow(times, sizeMs, firstEnd, timeMs + sizeMs, target)
  const endMs = timeMs + 1 + sizeMs
  if (!isNew || endMs < firstEnd) return
  const behind = times[firstAtLeast(times, timeMs + 1)]
  const wasThere = times[firstAtLeast(times, endMs)] === endMs
  if (behind !== undefined && behind <= endMs && !wasThere) target.window(timeMs + 1, endMs)
}

/** Hands over, ascending, the windows that close when the watermark goes from `from` to `toMs`. */
export function closingSlidingWindows(
  window: SlidingWindow,
  times: ArrayLike<number>,
  fromMs: number,
  toMs: number,
  target: WindowTarget,
): void {
  const afterMs = closesAfterMs(window)
  eachWindow(times, window.sizeMs, fromMs - afterMs + 1, toMs - afterMs, target)
}

/** The watermark at which the next window of a key closes; undefined when all are closed. */
export function nextSlidingClose(
  window: SlidingWindow,
  times: ArrayLike<number>,
  watermarkMs: number,
): number | undefined {
  const afterMs = closesAfterMs(window)
  const ends: number[] = []
  const target = { window: (_: number, endMs: number) => ends.push(endMs) }
  eachWindow(times, window.sizeMs, watermarkMs - afterMs + 1, Infinity, target, 1)
  return ends[0] === undefined ? undefined : ends[0] + afterMs
}

/** True when no window that could hold a message at `timeMs` is open. */
export function isLateSliding(window: SlidingWindow, timeMs: number, watermarkMs: number): boolean {
  return timeMs + window.sizeMs + closesAfterMs(window) <= watermarkMs
}

/** True when a time may be forgotten: the windows that hold it or begin behind it are closed. */
export function isSpentSliding(
  window: SlidingWindow,
  timeMs: number,
  watermarkMs: number,
): boolean {
  return isLateSliding(window, timeMs + 1, watermarkMs)
}

/**
 * All windows that end from `firstEnd` to `lastEnd`: those that end with a message, and those that
 * begin behind one and are not empty, in one walk over the times; at most the first `most`.
 */
function eachWindow(
  times: ArrayLike<number>,
  sizeMs: number,
  firstEnd: number,
  lastEnd: number,
  target: WindowTarget,
  most = Infinity,
): void {
  const count = times.length
  let told = 0
  let ending = firstAtLeast(times, firstEnd)
  let behind = firstAtLeast(times, firstEnd - sizeMs - 1)
  while (told < most && (ending < count || behind < count)) {
    const endOfEnding = ending < count ? times[ending]! : Infinity
    const endOfBehind = behind < count ? times[behind]! + 1 + sizeMs : Infinity
    const endMs = Math.min(endOfEnding, endOfBehind)
    if (endMs > lastEnd) return
    // What begins behind a message holds something only if the next message is in it.
    const holds = endOfEnding === endMs || (times[behind + 1] ?? Infinity) <= endMs
    if (endOfEnding === endMs) ending++
    if (endOfBehind === endMs) behind++
    if (!holds) continue
    target.window(endMs - sizeMs, endMs)
    told++
  }
}

/** The index of the first time that is `least` or more. */
function firstAtLeast(times: ArrayLike<number>, least: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (times[middle]! < least) low = middle + 1
    else high = middle
  }
  return low
}
