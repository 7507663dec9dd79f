/**
 * What finds the terms of a text for a compiled block, in one shape for vectorisers that count learnt
 * terms and for those that hash.
 */
import { analyse } from '../features/analyse.ts'
import { HashedTerms } from '../features/hashed-terms.ts'
import { bucketOf } from '../features/hashing-vectorizer.ts'
import { termReader } from '../features/term-table.ts'
import type { CountBlock, HashingBlock, TextBlock } from '../features/text-features.ts'

export interface BlockReader {
  /** The numbers of the terms that `read` found, and where signs matter 1 or -1 for each. */
  readonly terms: Int32Array
  readonly signs: Int8Array | null
  /** How many numbers there are. */
  readonly numbers: number
  /** By number: its row of weights; null: its own number is the row. */
  readonly rowOf: Int32Array | null
  /** By row of weights: its column in the block, or -1. */
  readonly columnOfRow: Int32Array
  /** The row that stands for all terms that the training never met; -1 where they are left out. */
  readonly restRow: number
  /** Finds the terms of a text, and returns how many. */
  read(text: string): number
  /** What each number means in a text: the term, or those that share a bucket, joined by ' | '. */
  namesOf(text: string, numbers: Int32Array): string[]
}

export function blockReader(block: TextBlock): BlockReader {
  return block.vectorizer === 'count' ? new CountReader(block) : new HashingReader(block)
}

class CountReader implements BlockReader {
  readonly signs = null
  readonly rowOf = null
  readonly restRow = -1
  readonly columnOfRow: Int32Array
  readonly #reader: ReturnType<typeof termReader>

  constructor({ options, terms }: CountBlock) {
    this.#reader = termReader(options)
    const numbers = Int32Array.from(terms, (term) => this.#reader.add(term))
    this.columnOfRow = new Int32Array(this.#reader.size).fill(-1)
    for (const [column, number] of numbers.entries()) this.columnOfRow[number] = column
  }

  get terms(): Int32Array {
    return this.#reader.terms
  }

  get numbers(): number {
    return this.columnOfRow.length
  }

  read(text: string): number {
    return this.#reader.read(text, false)
  }

  namesOf(_text: string, numbers: Int32Array): string[] {
    return Array.from(numbers, (number) => this.#reader.termOf(number))
  }
}

class HashingReader implements BlockReader {
  readonly numbers: number
  readonly rowOf: Int32Array
  readonly columnOfRow: Int32Array
  readonly restRow: number
  readonly #options: HashingBlock['options']
  readonly #reader: HashedTerms

  constructor({ options, buckets }: HashingBlock) {
    this.#options = options
    this.#reader = new HashedTerms(options)
    this.numbers = options.nFeatures
    this.restRow = buckets.length
    this.columnOfRow = Int32Array.from({ length: buckets.length + 1 }, (_, row) => row)
    this.rowOf = new Int32Array(options.nFeatures).fill(this.restRow)
    for (const [row, bucket] of buckets.entries()) this.rowOf[bucket] = row
  }

  get terms(): Int32Array {
    return this.#reader.terms
  }

  get signs(): Int8Array {
    return this.#reader.signs
  }

  read(text: string): number {
    return this.#reader.read(text)
  }

  namesOf(text: string, numbers: Int32Array): string[] {
    const names = new Map<number, Set<string>>()
    for (const term of analyse(text, this.#options)) {
      const bucket = bucketOf(term, this.#options)
      names.set(bucket, (names.get(bucket) ?? new Set()).add(term))
    }
    return Array.from(numbers, (number) => [...(names.get(number) ?? [])].join(' | '))
  }
}
