/** Models and the estimators that learn them. */
export {
  type ArtefactOptions,
  artefactBytes,
  describeArtefact,
  loadArtefact,
  saveArtefact,
} from './artefact.ts'
export { CompiledTextClassifier } from './compiled-scorer.ts'
export type { LinearEstimator, LinearWeights } from './linear.ts'
export type { LinearTextModel } from './linear-text-model.ts'
export type { Classification, FitOptions, Model, TextClassifier, TextEstimator } from './model.ts'
export { MultinomialNB, type MultinomialNBOptions, multinomialNB } from './multinomial-nb.ts'
export {
  type LinearTextEstimator,
  type TextClassifierOptions,
  textClassifier,
} from './text-classifier.ts'
