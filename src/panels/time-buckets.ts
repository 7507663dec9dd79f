/**
 * Tallies by time, a column a line: with a fixed width, or with one that grows so that there are
 * never many points. Only times that messages have take room, whatever lies between them.
 */
import { Tally } from './tally.ts'

const seconds = 1000
const minutes = 60 * seconds
const hours = 60 * minutes
const days = 24 * hours

/** Each divides the next, so that points can be put together. */
const widthsMs = [
  ...[seconds, 5 * seconds, 15 * seconds, minutes, 5 * minutes, 15 * minutes],
  ...[hours, 3 * hours, 12 * hours, days, 7 * days, 28 * days, 364 * days],
]

/** With a growing width: at most so many points. */
const mostPoints = 150
/** What cannot grow keeps the newest so many when there are more than twice as many. */
const keptPoints = 1000

export class TimeBuckets {
  readonly #isFixed: boolean
  #widthMs: number
  /** By where the point begins; a tally a line, by the line's number. */
  #points = new Map<number, Tally[]>()

  constructor(everyMs: number | undefined) {
    this.#isFixed = everyMs !== undefined
    this.#widthMs = everyMs ?? widthsMs[0]!
  }

  get everyMs(): number {
    return this.#widthMs
  }

  add(timeMs: number, line: number, value: number): void {
    if (!Number.isFinite(timeMs)) return
    const known = this.#points.size
    tallyOf(pointAt(this.#points, timeMs, this.#widthMs), line).add(value)
    if (this.#points.size > known) this.#bound()
  }

  /** Where each point begins, ascending, with its tallies. */
  points(): readonly (readonly [number, readonly Tally[]])[] {
    return [...this.#points].sort(([a], [b]) => a - b)
  }

  #bound(): void {
    while (!this.#isFixed && this.#points.size > mostPoints) {
      const wider = widthsMs.find((width) => width > this.#widthMs)
      if (wider === undefined) break
      this.#widen(wider)
    }
    if (this.#points.size <= 2 * keptPoints) return
    const oldest = [...this.#points.keys()].sort((a, b) => a - b).slice(0, -keptPoints)
    for (const start of oldest) this.#points.delete(start)
  }

  #widen(widthMs: number): void {
    const points = new Map<number, Tally[]>()
    for (const [timeMs, tallies] of this.#points) {
      const point = pointAt(points, timeMs, widthMs)
      for (const [line, tally] of tallies.entries()) tallyOf(point, line).addTally(tally)
    }
    this.#widthMs = widthMs
    this.#points = points
  }
}

function pointAt(points: Map<number, Tally[]>, timeMs: number, widthMs: number): Tally[] {
  const start = Math.floor(timeMs / widthMs) * widthMs
  const known = points.get(start)
  if (known !== undefined) return known
  const point: Tally[] = []
  points.set(start, point)
  return point
}

function tallyOf(point: Tally[], line: number): Tally {
  // No holes: what is never tallied on a line is an empty tally.
  while (point.length <= line) point.push(new Tally())
  return point[line]!
}
