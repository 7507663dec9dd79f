/** Features as people type them: `word:1-2,char_wb:2-5`, a vectoriser each. */
import { fail, suggestion } from '../core/errors.ts'
import type { VectorizerOptions } from '../features/text-features.ts'

const analyzers = ['word', 'char', 'char_wb'] as const
const hashing = 'hashing-'
const known = analyzers.flatMap((analyzer) => [analyzer, `${hashing}${analyzer}`])

/** What every vectoriser of the list gets, where it counts. */
export interface SharedVectorizerOptions {
  readonly minDf?: number | undefined
  readonly maxDf?: number | undefined
  readonly maxFeatures?: number | undefined
  readonly stopWords?: 'english' | readonly string[] | undefined
  readonly binary?: boolean | undefined
  readonly lowercase?: boolean | undefined
}

/**
 * The vectorisers that a list names: an analyser (`word`, `char`, `char_wb`; `hashing-word` and so on
 * hash instead of learning a vocabulary), a colon, and the shortest and longest n-gram. Hashed terms
 * have no sign (`alternateSign`), so that naive Bayes and sublinear tf-idf can take them. Throws
 * `OPTIONS_INVALID`, with the nearest name.
 */
export function featuresOf(
  words: string,
  shared: SharedVectorizerOptions = {},
): readonly VectorizerOptions[] {
  return words.split(',').map((word) => featureOf(word.trim(), shared))
}

function featureOf(word: string, shared: SharedVectorizerOptions): VectorizerOptions {
  const [, name = '', first = '1', last = first] =
    word.match(/^([a-z_-]*)(?::(\d+)(?:-(\d+))?)?$/) ?? []
  if (!known.includes(name)) {
    const hint = suggestion(name, known) || `known: ${known.join(', ')}`
    throw fail(
      'OPTIONS_INVALID',
      `features: '${word}' is not one; ${hint}; for instance word:1-2,char_wb:2-5`,
    )
  }
  const isHashing = name.startsWith(hashing)
  const analyzer = analyzers.find((one) => one === name.replace(hashing, ''))!
  const ngramRange = [Number(first), Number(last)] as const
  const { stopWords, binary, lowercase, ...counting } = withoutUndefined(shared)
  const common = withoutUndefined({ analyzer, ngramRange, binary, lowercase })
  const stops = analyzer === 'word' ? withoutUndefined({ stopWords }) : {}
  return isHashing
    ? { vectorizer: 'hashing', alternateSign: false, ...common, ...stops }
    : { ...common, ...stops, ...counting }
}

function withoutUndefined<Value extends object>(value: Value): Value {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  return Object.fromEntries(entries) as Value
}
