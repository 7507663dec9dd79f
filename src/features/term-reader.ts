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
  /** The number of a term, new or known. */
  add(term: string): number
  /** The term of a number. */
  termOf(number: number): string
}
