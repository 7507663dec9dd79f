/** Texts to numbers, with scikit-learn's meaning. */
export { type AnalyseOptions, type Analyzer, analyse } from './analyse.ts'
export {
  type Cleaning,
  type CleaningStep,
  checkCleaning,
  cleaner,
  cleaningStepNames,
  cleaningSteps,
} from './clean.ts'
export { CountVectorizer } from './count-vectorizer.ts'
export {
  type CheckedCountVectorizerOptions,
  type CountVectorizerOptions,
  checkCountVectorizerOptions,
  type DocumentFrequency,
} from './count-vectorizer-options.ts'
export {
  type CheckedHashingVectorizerOptions,
  checkHashingVectorizerOptions,
  HashingVectorizer,
  type HashingVectorizerOptions,
} from './hashing-vectorizer.ts'
export {
  documentFrequencies,
  joinColumns,
  mapColumns,
  SparseBuilder,
  type SparseMatrix,
  selectRows,
  sliceRows,
  toDense,
} from './sparse.ts'
export { englishStopWords, type StopWords } from './stop-words.ts'
export type { TermReader } from './term-reader.ts'
export {
  type TermReaderOptions,
  TermTable,
  type TermTableOptions,
  termReader,
} from './term-table.ts'
export {
  TextFeatures,
  type TextFeaturesOptions,
  type VectorizerOptions,
} from './text-features.ts'
export {
  type CheckedTfidfTransformerOptions,
  checkTfidfTransformerOptions,
  TfidfTransformer,
  type TfidfTransformerOptions,
} from './tfidf-transformer.ts'
export { compareCodePoints, sortByCodePoint, tokenise, wordNgrams } from './tokenise.ts'
