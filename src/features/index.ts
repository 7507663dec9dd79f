/** Texts to numbers, with scikit-learn's meaning. */
export { CountVectorizer } from './count-vectorizer.ts'
export {
  type CheckedCountVectorizerOptions,
  type CountVectorizerOptions,
  checkCountVectorizerOptions,
  type DocumentFrequency,
} from './count-vectorizer-options.ts'
export {
  documentFrequencies,
  mapColumns,
  SparseBuilder,
  type SparseMatrix,
  sliceRows,
  toDense,
} from './sparse.ts'
export { TermTable, type TermTableOptions } from './term-table.ts'
export {
  type CheckedTfidfTransformerOptions,
  checkTfidfTransformerOptions,
  TfidfTransformer,
  type TfidfTransformerOptions,
} from './tfidf-transformer.ts'
export { compareCodePoints, sortByCodePoint, tokenise, wordNgrams } from './tokenise.ts'
