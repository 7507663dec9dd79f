/** Models and the estimators that learn them. */
export {
  type ArtefactOptions,
  artefactBytes,
  describeArtefact,
  modelOfArtefact,
} from './artefact.ts'
export { type BernoulliNBOptions, bernoulliNB } from './bernoulli-nb.ts'
export { type CalibrationMethod, calibrationMethods, fitCalibration } from './calibration.ts'
export { CompiledTextClassifier } from './compiled-scorer.ts'
export { type ComplementNBOptions, complementNB } from './complement-nb.ts'
export { type EstimatorName, estimatorNamed, estimatorNames, estimators } from './estimators.ts'
export { type ExplainOptions, type Explanation, explain, type TermContribution } from './explain.ts'
export {
  type FitWeightsOptions,
  type LinearEstimator,
  type LinearWeights,
  linearScores,
  predictLabels,
  type ScoreKind,
} from './linear.ts'
export { type LinearSVCOptions, linearSVC } from './linear-svc.ts'
export type { LinearTextModel } from './linear-text-model.ts'
export { type Link, predictProbabilities } from './link.ts'
export { type LogisticRegressionOptions, logisticRegression } from './logistic-regression.ts'
export {
  type Classification,
  type FitOptions,
  type Model,
  type TextClassifier,
  type TextEstimator,
  unknownLabel,
} from './model.ts'
export { type MultinomialNBOptions, multinomialNB } from './multinomial-nb.ts'
export { type NbSvmOptions, nbSvm } from './nb-svm.ts'
export {
  correctPriors,
  type EstimatedPriors,
  type EstimatePriorsOptions,
  estimatePriors,
  type PriorShiftTest,
  priorShiftTest,
} from './prior-correction.ts'
export { type SGDClassifierOptions, sgdClassifier } from './sgd-classifier.ts'
export {
  type LinearTextEstimator,
  type TextClassifierOptions,
  textClassifier,
} from './text-classifier.ts'
export type { ClassWeight } from './training-rows.ts'
export { lexiconSentiment, type Sentiment, type SentimentLabel } from './vader.ts'
