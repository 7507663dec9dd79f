/** The options of CountVectorizer: scikit-learn's names in camelCase, its defaults, its meaning. */
import { fail } from '../core/errors.ts'
import type { Analyzer } from './analyse.ts'
import { checkStopWords, type StopWords } from './stop-words.ts'

/**
 * In how many documents: a whole number counts them, a number between 0 and 1 is a share of them.
 * In Python 1 and 1.0 differ; here a plain 1 means what is scikit-learn's default of the option: one
 * document for `minDf`, all of them for `maxDf`. For the other, say `{ share: 1 }` or `{ count: 1 }`.
 */
export type DocumentFrequency = number | { readonly count: number } | { readonly share: number }

export interface CountVectorizerOptions {
  /**
   * What the terms are made of: 'word', n-grams of words; 'char', n-grams of characters; 'char_wb',
   * n-grams of characters within words, each with a space before and behind it. Default 'word'.
   */
  readonly analyzer?: Analyzer
  /** Default true. */
  readonly lowercase?: boolean
  /** Shortest and longest n-gram, in words or in code points. Default [1, 1]. */
  readonly ngramRange?: readonly [number, number]
  /** Leaves out terms that are in fewer documents. Default 1. */
  readonly minDf?: DocumentFrequency
  /** Leaves out terms that are in more documents. Default 1, a share: none. */
  readonly maxDf?: DocumentFrequency
  /**
   * Keeps the terms that occur most often in all documents together; of those that occur equally
   * often, the first by code point (scikit-learn leaves that open). Default null: all.
   */
  readonly maxFeatures?: number | null
  /** A term counts once a document. Default false. */
  readonly binary?: boolean
  /**
   * Words left out before n-grams of words are made, as they stand after lower-casing; 'english' is
   * scikit-learn's list of 318. Without meaning for characters. Default null: none.
   */
  readonly stopWords?: StopWords
}

export interface CheckedCountVectorizerOptions {
  readonly analyzer: Analyzer
  readonly lowercase: boolean
  readonly ngramRange: readonly [number, number]
  readonly minDf: { readonly count: number } | { readonly share: number }
  readonly maxDf: { readonly count: number } | { readonly share: number }
  readonly maxFeatures: number | null
  readonly binary: boolean
  /** 'english' stays a name, so that what is saved is small. */
  readonly stopWords: StopWords
}

/** A reader keeps room for the n-grams that may begin at each place of a text. */
export const longestGram = 1000

const analyzers: ReadonlySet<Analyzer> = new Set(['word', 'char', 'char_wb'] as const)
const known = new Set([
  'analyzer',
  'lowercase',
  'ngramRange',
  'minDf',
  'maxDf',
  'maxFeatures',
  'binary',
  'stopWords',
])

/** Fills in the defaults. Throws `OPTIONS_INVALID`. */
export function checkCountVectorizerOptions(
  options: CountVectorizerOptions,
): CheckedCountVectorizerOptions {
  const unknown = Object.keys(options).find((name) => !known.has(name))
  if (unknown !== undefined) {
    throw invalid(`unknown option '${unknown}'; known: ${[...known].join(', ')}`)
  }
  const analyzer = options.analyzer ?? 'word'
  if (!analyzers.has(analyzer)) {
    throw invalid(`analyzer is '${analyzer}'; give one of: ${[...analyzers].join(', ')}`)
  }
  const [shortest, longest] = checkRange(options.ngramRange ?? [1, 1])
  const maxFeatures = options.maxFeatures ?? null
  if (maxFeatures !== null && !isCount(maxFeatures)) {
    throw invalid(`maxFeatures is ${maxFeatures}; give a whole number from 1, or null`)
  }
  checkStopWords('count vectoriser', options.stopWords ?? null)
  for (const name of ['lowercase', 'binary'] as const) {
    const value = options[name] ?? false
    if (typeof value !== 'boolean') {
      throw invalid(`${name} is ${JSON.stringify(value)}; give true or false`)
    }
  }
  return {
    analyzer,
    lowercase: options.lowercase ?? true,
    ngramRange: [shortest, longest],
    minDf: checkFrequency('minDf', options.minDf ?? 1, 'count'),
    maxDf: checkFrequency('maxDf', options.maxDf ?? 1, 'share'),
    maxFeatures,
    binary: options.binary ?? false,
    stopWords: options.stopWords ?? null,
  }
}

function checkFrequency(
  name: string,
  value: DocumentFrequency,
  one: 'count' | 'share',
): { readonly count: number } | { readonly share: number } {
  if (typeof value === 'number') {
    const isShare = value < 1 || (value === 1 && one === 'share')
    return checkFrequency(name, isShare ? { share: value } : { count: value }, one)
  }
  if (typeof value !== 'object' || value === null) throw wrongFrequency(name, value)
  if ('count' in value && isCount(value.count)) return { count: value.count }
  if ('share' in value && value.share >= 0 && value.share <= 1) return { share: value.share }
  throw wrongFrequency(name, value)
}

function wrongFrequency(name: string, value: unknown) {
  return invalid(
    `${name} is ${JSON.stringify(value)}; give a whole number of documents, or a share from 0 to 1`,
  )
}

function checkRange(range: unknown): [number, number] {
  const [shortest, longest, ...more] = Array.isArray(range) ? (range as readonly number[]) : []
  if (isCount(shortest) && isCount(longest) && longest >= shortest && more.length === 0) {
    if (longest <= longestGram) return [shortest, longest]
  }
  throw invalid(
    `ngramRange is ${JSON.stringify(range)}; give two whole numbers, the lower first, up to ${longestGram}`,
  )
}

/** The frequency as a number of documents, of which a share need not be whole. */
export function documentCount(
  frequency: { readonly count: number } | { readonly share: number },
  documents: number,
): number {
  return 'count' in frequency ? frequency.count : frequency.share * documents
}

function isCount(value: number | undefined): value is number {
  return Number.isInteger(value) && value! >= 1
}

function invalid(what: string) {
  return fail('OPTIONS_INVALID', `count vectoriser: ${what}`)
}
