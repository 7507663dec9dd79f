/** Tallies by the values of a field, bounded: of a great many values the rare ones are put together. */
import type { Reader } from './field.ts'
import { type Meter, Tally } from './tally.ts'

/** So many values are kept when there are more than twice as many. */
const keptValues = 10_000
const longestName = 200

export class Groups {
  readonly #read: Reader
  readonly #meter: Meter
  readonly #others = new Tally()
  #tallies = new Map<string, Tally>()
  #isApproximate = false

  constructor(read: Reader, meter: Meter) {
    this.#read = read
    this.#meter = meter
  }

  add(value: unknown): void {
    const number = this.#meter.take(value)
    if (number === undefined) return
    for (const name of namesIn(this.#read(value))) this.#tally(name).add(number)
  }

  get isApproximate(): boolean {
    return this.#isApproximate
  }

  /** The values with the greatest results, and the tally of all others together. */
  greatest(top: number): {
    readonly slices: readonly { readonly name: string; readonly value: number }[]
    readonly others: Tally
  } {
    const found = [...this.#tallies].flatMap(([name, tally]) => {
      const value = this.#meter.result(tally)
      return value === null ? [] : [{ name, value, tally }]
    })
    found.sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1))
    const others = new Tally()
    others.addTally(this.#others)
    for (const { tally } of found.slice(top)) others.addTally(tally)
    return { slices: found.slice(0, top).map(({ name, value }) => ({ name, value })), others }
  }

  #tally(name: string): Tally {
    const known = this.#tallies.get(name)
    if (known !== undefined) return known
    if (this.#tallies.size >= 2 * keptValues) this.#forgetRare()
    const tally = new Tally()
    this.#tallies.set(name, tally)
    return tally
  }

  /** Lossy counting (Manku and Motwani 2002) with one bound on the number of values. */
  #forgetRare(): void {
    const byCount = [...this.#tallies].sort(([, a], [, b]) => b.count - a.count)
    for (const [, tally] of byCount.splice(keptValues)) this.#others.addTally(tally)
    this.#tallies = new Map(byCount)
    this.#isApproximate = true
  }
}

/** What a field's value is called: each entry of a list once, nothing where there is no value. */
export function namesIn(found: unknown): readonly string[] {
  if (found === undefined || found === null) return []
  if (!Array.isArray(found)) return [nameOf(found)]
  return [...new Set(found.filter((entry) => entry !== undefined && entry !== null).map(nameOf))]
}

function nameOf(value: unknown): string {
  const name = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return name.slice(0, longestName)
}
