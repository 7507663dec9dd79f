/**
 * Texts to one row of numbers each: cleaned, then read by one or several vectorisers whose columns
 * stand side by side, each weighed by tf-idf of its own where asked, as scikit-learn's FeatureUnion of
 * pipelines does. Learn with it; to score, compile it together with the weights (models/).
 */
import { fail } from '../core/errors.ts'
import { type CleaningStep, checkCleaning, cleaner } from './clean.ts'
import { CountVectorizer } from './count-vectorizer.ts'
import type {
  CheckedCountVectorizerOptions,
  CountVectorizerOptions,
} from './count-vectorizer-options.ts'
import {
  type CheckedHashingVectorizerOptions,
  HashingVectorizer,
  type HashingVectorizerOptions,
} from './hashing-vectorizer.ts'
import { joinColumns, type SparseMatrix } from './sparse.ts'
import {
  type CheckedTfidfTransformerOptions,
  TfidfTransformer,
  type TfidfTransformerOptions,
} from './tfidf-transformer.ts'

/** One vectoriser of a union: a count vectoriser unless it says 'hashing'. */
export type VectorizerOptions =
  | (CountVectorizerOptions & { readonly vectorizer?: 'count' })
  | (HashingVectorizerOptions & { readonly vectorizer: 'hashing' })

export interface TextFeaturesOptions {
  /** Cleaning steps by name, in that order. Default: none, the text as it stands. */
  readonly clean?: readonly CleaningStep[]
  /** One vectoriser or several. Default: a CountVectorizer with its defaults. */
  readonly features?: VectorizerOptions | readonly VectorizerOptions[]
  /** tf-idf of each vectoriser's columns: true with its defaults. Default false. */
  readonly tfidf?: TfidfTransformerOptions | boolean
}

export interface LearntTfidf {
  readonly options: CheckedTfidfTransformerOptions
  readonly idf: Float64Array
}

/** A learnt vectoriser as plain data. */
export type TextBlock = CountBlock | HashingBlock

export interface CountBlock {
  readonly vectorizer: 'count'
  readonly options: CheckedCountVectorizerOptions
  /** The term of each column. */
  readonly terms: readonly string[]
  readonly tfidf: LearntTfidf | null
}

export interface HashingBlock {
  readonly vectorizer: 'hashing'
  readonly options: CheckedHashingVectorizerOptions
  /**
   * The buckets that the training met, rising: one column each. One more column, the last, stands for
   * every other bucket: nothing was learnt of any of them, so all weigh the same.
   */
  readonly buckets: Int32Array
  readonly tfidf: LearntTfidf | null
}

export const columnsOf = (block: TextBlock) =>
  block.vectorizer === 'count' ? block.terms.length : block.buckets.length + 1

/**
 * Columns that hashing into features may have: a scorer keeps 25 bytes for each, whatever was learnt.
 */
const mostBuckets = 2 ** 26

interface CheckedTextFeatures {
  readonly clean: readonly CleaningStep[]
  readonly vectorizers: readonly (CountVectorizer | HashingVectorizer)[]
  readonly tfidf: CheckedTfidfTransformerOptions | null
}

export class TextFeatures {
  readonly clean: readonly CleaningStep[]
  readonly #checked: CheckedTextFeatures
  #blocks: readonly TextBlock[] | undefined
  /** By block, ready to read texts. */
  #readers: readonly (CountVectorizer | HashingVectorizer)[] = []

  /** Throws `OPTIONS_INVALID`. */
  constructor(options: TextFeaturesOptions = {}) {
    this.#checked = check(options)
    this.clean = this.#checked.clean
  }

  /** The same features, as they were learnt. */
  static fromBlocks(clean: readonly CleaningStep[], blocks: readonly TextBlock[]): TextFeatures {
    const features = new TextFeatures({ clean })
    features.#blocks = blocks
    features.#readers = blocks.map((block) =>
      block.vectorizer === 'count'
        ? CountVectorizer.fromTerms(block.options, block.terms)
        : new HashingVectorizer(block.options),
    )
    return features
  }

  /** What the vectorisers are, for people: 'word:1-2', 'char_wb:2-5+tfidf'. */
  get names(): readonly string[] {
    const ending = this.#checked.tfidf === null ? '' : '+tfidf'
    return this.#checked.vectorizers.map(({ options }) => {
      const [shortest, longest] = options.ngramRange
      const hashing = 'nFeatures' in options ? 'hashing-' : ''
      return `${hashing}${options.analyzer}:${shortest}-${longest}${ending}`
    })
  }

  /** What was learnt. Throws `TRAINING_INVALID` before that. */
  get blocks(): readonly TextBlock[] {
    if (this.#blocks === undefined) {
      throw fail('TRAINING_INVALID', 'text features: nothing learnt yet; call fitTransform first')
    }
    return this.#blocks
  }

  /** By column: for how many it stands; undefined: each for itself. Hashing's last is for many. */
  get multiplicities(): Float64Array | undefined {
    if (this.blocks.every((block) => block.vectorizer === 'count')) return undefined
    const columns = this.blocks.reduce((sum, block) => sum + columnsOf(block), 0)
    const multiplicities = new Float64Array(columns).fill(1)
    let end = 0
    for (const block of this.blocks) {
      end += columnsOf(block)
      if (block.vectorizer === 'count') continue
      multiplicities[end - 1] = block.options.nFeatures - block.buckets.length
    }
    return multiplicities
  }

  /** Learns vocabularies and document frequencies. Throws `TRAINING_INVALID` when no term is left. */
  fitTransform(texts: readonly string[]): SparseMatrix {
    const cleaned = this.#cleaned(texts)
    const blocks: TextBlock[] = []
    const parts = this.#checked.vectorizers.map((vectorizer) => {
      const [block, counts] =
        vectorizer instanceof CountVectorizer
          ? learnCounts(vectorizer, cleaned)
          : learnBuckets(vectorizer, cleaned)
      const { tfidf } = this.#checked
      if (tfidf === null) {
        blocks.push(block)
        return counts
      }
      const transformer = new TfidfTransformer(tfidf).fit(counts)
      blocks.push({ ...block, tfidf: { options: tfidf, idf: transformer.idf } })
      return transformer.transform(counts)
    })
    this.#blocks = blocks
    this.#readers = this.#checked.vectorizers
    return joinColumns(parts)
  }

  /**
   * Rows of the learnt columns; terms that were not learnt are left out, or of hashing's last column,
   * which then may stand several times in a row.
   */
  transform(texts: readonly string[]): SparseMatrix {
    const cleaned = this.#cleaned(texts)
    const parts = this.blocks.map((block, index) => {
      const read = this.#readers[index]!.transform(cleaned)
      const counts = block.vectorizer === 'count' ? read : inBuckets(read, block.buckets)
      if (block.tfidf === null) return counts
      return TfidfTransformer.fromIdf(block.tfidf.options, block.tfidf.idf).transform(counts)
    })
    return joinColumns(parts)
  }

  #cleaned(texts: readonly string[]): readonly string[] {
    return this.clean.length === 0 ? texts : texts.map(cleaner(this.clean))
  }
}

function check({ clean = [], features = {}, tfidf = false, ...unknown }: TextFeaturesOptions) {
  const [name] = Object.keys(unknown)
  if (name !== undefined) {
    throw fail(
      'OPTIONS_INVALID',
      `text features: unknown option '${name}'; known: clean, features, tfidf`,
    )
  }
  const list = (Array.isArray(features) ? features : [features]) as readonly VectorizerOptions[]
  if (list.length === 0) {
    throw fail('OPTIONS_INVALID', 'text features: no vectoriser; give one at least')
  }
  return {
    clean: checkCleaning(clean),
    vectorizers: list.map((options) => vectorizerOf(options, tfidf)),
    tfidf: tfidf === false ? null : new TfidfTransformer(tfidf === true ? {} : tfidf).options,
  }
}

function vectorizerOf(given: VectorizerOptions, tfidf: TfidfTransformerOptions | boolean) {
  if (given.vectorizer !== 'hashing') {
    const { vectorizer = 'count', ...options } = given
    if (vectorizer === 'count') return new CountVectorizer(options)
    throw fail(
      'OPTIONS_INVALID',
      `text features: vectorizer is '${vectorizer}'; give 'count' or 'hashing'`,
    )
  }
  const { vectorizer: _, ...options } = given
  if (tfidf === false) return hashingVectorizer(options)
  if (options.norm !== undefined && options.norm !== null) {
    throw fail(
      'OPTIONS_INVALID',
      `text features: hashing has norm '${options.norm}' and tf-idf one of its own; leave the first out`,
    )
  }
  const { alternateSign = true, binary = false } = options
  if (tfidf !== true && tfidf.sublinearTf === true && alternateSign && !binary) {
    throw fail(
      'OPTIONS_INVALID',
      'text features: sublinearTf is the logarithm of a count, and hashing with alternateSign counts below zero; set alternateSign to false',
    )
  }
  return hashingVectorizer({ ...options, norm: null })
}

/** One whose columns a scorer has room for. Throws `OPTIONS_INVALID`. */
export function hashingVectorizer(options: HashingVectorizerOptions): HashingVectorizer {
  const vectorizer = new HashingVectorizer(options)
  const { nFeatures } = vectorizer.options
  if (nFeatures <= mostBuckets) return vectorizer
  throw fail(
    'OPTIONS_INVALID',
    `text features: nFeatures is ${nFeatures}; a model takes ${mostBuckets} at most`,
  )
}

function learnCounts(vectorizer: CountVectorizer, texts: readonly string[]) {
  const counts = vectorizer.fitTransform(texts)
  const { options, featureNames } = vectorizer
  return [{ vectorizer: 'count', options, terms: featureNames, tfidf: null }, counts] as const
}

function learnBuckets(vectorizer: HashingVectorizer, texts: readonly string[]) {
  const hashed = vectorizer.transform(texts)
  const buckets = new Int32Array(new Set(hashed.indices)).sort()
  if (buckets.length === 0) {
    throw fail(
      'TRAINING_INVALID',
      `hashing vectoriser: no term in ${texts.length} texts; are they empty, or all stop words?`,
    )
  }
  const { options } = vectorizer
  return [
    { vectorizer: 'hashing', options, buckets, tfidf: null },
    inBuckets(hashed, buckets),
  ] as const
}

/** Columns of buckets to columns of the block: order within a row stays, as both rise. */
function inBuckets(hashed: SparseMatrix, buckets: Int32Array): SparseMatrix {
  const column = new Int32Array(hashed.columns).fill(buckets.length)
  for (const [place, bucket] of buckets.entries()) column[bucket] = place
  return {
    ...hashed,
    columns: buckets.length + 1,
    indices: hashed.indices.map((bucket) => column[bucket]!),
  }
}
