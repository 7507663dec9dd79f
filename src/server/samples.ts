/** Counters as they stood in the last minute, so that rates can be told. */

export type Counted = ReadonlyMap<string, number>

interface Sample {
  readonly atMs: number
  readonly counted: Counted
}

const keptMs = 60_000

export class Samples {
  #samples: Sample[] = []

  add(atMs: number, counted: Counted): void {
    this.#samples.push({ atMs, counted })
    const from = atMs - keptMs
    this.#samples = this.#samples.filter((sample) => sample.atMs >= from)
  }

  /**
   * How much a counter rose a second over the last `overMs`, or since it is known. A counter that
   * fell began anew: 0.
   */
  perSecond(name: string, overMs = 10_000): number {
    const { rise, seconds } = this.#rise(name, overMs)
    return seconds === 0 ? 0 : rise / seconds
  }

  /** How much it rose over the last `overMs`, or since it is known. */
  rise(name: string, overMs: number): number {
    return this.#rise(name, overMs).rise
  }

  #rise(name: string, overMs: number): { rise: number; seconds: number } {
    const last = this.#samples.at(-1)
    if (last === undefined) return { rise: 0, seconds: 0 }
    const first = this.#samples.find(
      ({ atMs, counted }) => atMs >= last.atMs - overMs && counted.has(name),
    )
    if (first === undefined) return { rise: 0, seconds: 0 }
    const rise = (last.counted.get(name) ?? 0) - first.counted.get(name)!
    return { rise: Math.max(0, rise), seconds: (last.atMs - first.atMs) / 1000 }
  }
}
