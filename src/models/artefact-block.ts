/** A learnt vectoriser as parameters and sections of an artefact, and back. */
import {
  type CountVectorizerOptions,
  checkCountVectorizerOptions,
} from '../features/count-vectorizer-options.ts'
import type { HashingVectorizerOptions } from '../features/hashing-vectorizer.ts'
import {
  columnsOf,
  hashingVectorizer,
  type LearntTfidf,
  type TextBlock,
} from '../features/text-features.ts'
import {
  checkTfidfTransformerOptions,
  type TfidfTransformerOptions,
} from '../features/tfidf-transformer.ts'
import { damaged, type Section, type Sections } from './artefact-format.ts'
import { decodeStrings, encodeStrings, numbersIn } from './artefact-sections.ts'

type Parameters = Readonly<Record<string, unknown>>

/** The sections of each vectoriser are told apart by its place. */
const named = (index: number, name: string) => `block${index}.${name}`

export function encodeBlock(
  block: TextBlock,
  index: number,
): { readonly parameters: Parameters; readonly sections: Sections } {
  const sections: Record<string, Section> = {}
  if (block.vectorizer === 'count') {
    const { ends, units } = encodeStrings(block.terms)
    sections[named(index, 'termEnds')] = ends
    sections[named(index, 'termUnits')] = units
  } else {
    sections[named(index, 'buckets')] = Uint32Array.from(block.buckets)
  }
  if (block.tfidf !== null) sections[named(index, 'idf')] = block.tfidf.idf
  const { vectorizer, options } = block
  return { parameters: { vectorizer, options, tfidf: block.tfidf?.options ?? null }, sections }
}

/** Throws `MODEL_DAMAGED`, and `OPTIONS_INVALID` for parameters that cannot be. */
export function decodeBlock(
  parameters: Parameters,
  sections: Sections,
  index: number,
  where: string,
): TextBlock {
  const block = decodeVectorizer(parameters, sections, index, where)
  if (parameters.tfidf === null) return block
  const tfidf: LearntTfidf = {
    options: checkTfidfTransformerOptions(parameters.tfidf as TfidfTransformerOptions),
    idf: numbersIn(sections, named(index, 'idf'), columnsOf(block), where),
  }
  return { ...block, tfidf }
}

function decodeVectorizer(
  { vectorizer, options, tfidf }: Parameters,
  sections: Sections,
  index: number,
  where: string,
): TextBlock {
  if (typeof options !== 'object' || options === null || typeof tfidf !== 'object') {
    throw damaged(where, `its vectoriser ${index} has no options`)
  }
  if (vectorizer === 'count') {
    const ends = sections[named(index, 'termEnds')]
    const units = sections[named(index, 'termUnits')]
    return {
      vectorizer,
      options: checkCountVectorizerOptions(options as CountVectorizerOptions),
      terms: decodeStrings(ends, units, where),
      tfidf: null,
    }
  }
  if (vectorizer !== 'hashing') {
    throw damaged(where, `its vectoriser ${index} is a '${String(vectorizer)}'`)
  }
  const checked = hashingVectorizer(options as HashingVectorizerOptions).options
  const buckets = sections[named(index, 'buckets')]
  const isRight =
    buckets instanceof Uint32Array &&
    buckets.every(
      (bucket, at) => bucket < checked.nFeatures && (at === 0 || bucket > buckets[at - 1]!),
    )
  if (!isRight) throw damaged(where, `its vectoriser ${index} lacks its buckets`)
  return { vectorizer, options: checked, buckets: Int32Array.from(buckets), tfidf: null }
}
