/**
 * The order of columns: terms by code point. Only their parts, words or characters, are compared as
 * strings. A space comes before every character of a word, so that n-grams of either are in order
 * when they are in the order of their first parts, then of their second ones, and so on, the shorter
 * first: a counting sort a place.
 */
import type { TermReader } from './term-reader.ts'
import { sortByCodePoint } from './tokenise.ts'

/** The numbers of the terms, in the order of the terms. `longest`: parts of the longest of them. */
export function inTermOrder(table: TermReader, numbers: Int32Array, longest: number): Int32Array {
  const parts = new Int32Array(numbers.length * longest).fill(-1)
  for (const [index, number] of numbers.entries()) table.partsOf(number, parts, index * longest)
  const { ranks, count } = rankParts(table, parts)
  // From the last place to the first, each pass stable: radix sort.
  let order = Int32Array.from(numbers, (_, index) => index)
  for (let place = longest - 1; place >= 0; place--) {
    const starts = new Int32Array(count + 2)
    const rankAt = (index: number) => {
      const part = parts[index * longest + place]!
      return part < 0 ? 0 : ranks[part]! + 1
    }
    for (const index of order) starts[rankAt(index) + 1]!++
    for (let rank = 0; rank <= count; rank++) starts[rank + 1]! += starts[rank]!
    const next = new Int32Array(order.length)
    for (const index of order) next[starts[rankAt(index)]!++] = index
    order = next
  }
  return order.map((index) => numbers[index]!)
}

/** By part, its place among the parts that occur, sorted by code point. */
function rankParts(
  table: TermReader,
  parts: Int32Array,
): { readonly ranks: Int32Array; readonly count: number } {
  const ranks = new Int32Array(table.size)
  const numberOf = new Map<string, number>()
  for (const part of parts) {
    if (part < 0 || ranks[part] !== 0) continue
    ranks[part] = 1
    numberOf.set(table.termOf(part), part)
  }
  const sorted = sortByCodePoint([...numberOf.keys()])
  for (const [rank, text] of sorted.entries()) ranks[numberOf.get(text)!] = rank
  return { ranks, count: sorted.length }
}
