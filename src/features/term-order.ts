/**
 * The order of columns: terms by code point. Only the words are compared as strings. A space comes
 * before every character of a word, so that n-grams are in order when they are in the order of their
 * first words, then of their second ones, and so on, the shorter first: a counting sort a place.
 */
import type { TermTable } from './term-table.ts'
import { sortByCodePoint } from './tokenise.ts'

/** The numbers of the terms, in the order of the terms. `longest`: words in the longest of them. */
export function inTermOrder(table: TermTable, numbers: Int32Array, longest: number): Int32Array {
  const words = new Int32Array(numbers.length * longest).fill(-1)
  for (const [index, number] of numbers.entries()) table.wordsOf(number, words, index * longest)
  const { ranks, count } = rankWords(table, words)
  // From the last place to the first, each pass stable: radix sort.
  let order = Int32Array.from(numbers, (_, index) => index)
  for (let place = longest - 1; place >= 0; place--) {
    const starts = new Int32Array(count + 2)
    const rankAt = (index: number) => {
      const word = words[index * longest + place]!
      return word < 0 ? 0 : ranks[word]! + 1
    }
    for (const index of order) starts[rankAt(index) + 1]!++
    for (let rank = 0; rank <= count; rank++) starts[rank + 1]! += starts[rank]!
    const next = new Int32Array(order.length)
    for (const index of order) next[starts[rankAt(index)]!++] = index
    order = next
  }
  return order.map((index) => numbers[index]!)
}

/** By word, its place among the words that occur, sorted by code point. */
function rankWords(
  table: TermTable,
  words: Int32Array,
): { readonly ranks: Int32Array; readonly count: number } {
  const ranks = new Int32Array(table.size)
  const numberOf = new Map<string, number>()
  for (const word of words) {
    if (word < 0 || ranks[word] !== 0) continue
    ranks[word] = 1
    numberOf.set(table.termOf(word), word)
  }
  const sorted = sortByCodePoint([...numberOf.keys()])
  for (const [rank, text] of sorted.entries()) ranks[numberOf.get(text)!] = rank
  return { ranks, count: sorted.length }
}
