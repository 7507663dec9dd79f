/** What reads the terms of texts as numbers: one contract for words and for characters. */

export interface TermReader {
  /** What `read` found: valid up to the count that it returned, until the next call. */
  readonly terms: Int32Array
  /** How many terms are numbered, among them those that only begin others. */
  readonly size: number
  /**
   * Finds the terms of a text, as often as they stand in it, in `terms`, and returns how many. With
   * `learn`, unknown ones are numbered; without, they are left out.
   */
  read(text: string, learn: boolean): number
  /** The number of a term, new or known; of any length from 1, in words or in code points. */
  add(term: string): number
  /** The term of a number. */
  termOf(number: number): string
  /**
   * Writes the numbers of a term's parts, words or characters, which are terms themselves, into
   * `target` from `at` on, and returns how many. Terms are in order when their parts are.
   */
  partsOf(number: number, target: Int32Array, at: number): number
}
