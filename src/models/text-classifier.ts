/**
 * The text classifier of all linear models: cleaning, vectorisers, tf-idf where asked, and a linear
 * model, learnt together, calibrated where needed, and compiled into one scorer.
 */
import { fail } from '../core/errors.ts'
import type { SparseMatrix } from '../features/sparse.ts'
import { TextFeatures, type TextFeaturesOptions } from '../features/text-features.ts'
import { type CalibrationMethod, calibrationMethods } from './calibration.ts'
import { CompiledTextClassifier } from './compiled-scorer.ts'
import {
  type FitWeightsOptions,
  type LinearEstimator,
  type LinearWeights,
  mostWeight,
} from './linear.ts'
import { type Link, naturalLink } from './link.ts'
import { type FitOptions, type TextEstimator, unknownLabel } from './model.ts'
import { multinomialNB } from './multinomial-nb.ts'
import { calibrateOutOfFold, canCalibrate } from './out-of-fold.ts'

export interface TextClassifierOptions extends TextFeaturesOptions {
  /** Default: `multinomialNB()`. */
  readonly estimator?: LinearEstimator
  /**
   * How scores are calibrated, by rows that a model of the other folds did not learn from. Default:
   * 'temperature' for margins (SVM, hinge), which are no probabilities; null, not at all, for the
   * rest. 'temperature' never changes which label wins; 'sigmoid' and 'isotonic' may.
   */
  readonly calibrate?: CalibrationMethod | null | undefined
  /** Folds of the calibration. Default 3. */
  readonly calibrationFolds?: number
  /**
   * Answers 'unknown' where no term of a text is known or no label is at least as probable as this,
   * from 0 to 1. Default null: always the likeliest label.
   */
  readonly minConfidence?: number | null
}

export interface LinearTextEstimator extends TextEstimator {
  fit<Label extends string>(
    texts: readonly string[],
    labels: readonly Label[],
    options?: FitOptions,
  ): CompiledTextClassifier<Label>
}

/**
 * An estimator of text classifiers. Throws `OPTIONS_INVALID`.
 *
 * @example
 * const spam = textClassifier({ features: { ngramRange: [1, 2] }, estimator: multinomialNB({ alpha: 0.1 }) })
 * const [answer] = spam.fit(texts, labels).predict(['win a prize'])
 */
export function textClassifier(options: TextClassifierOptions = {}): LinearTextEstimator {
  const settings = check(options)
  const { estimator, minConfidence, features: featureOptions } = settings
  // Refuses wrong options now, and not when the training begins.
  const { names } = new TextFeatures(featureOptions)
  return {
    name: `${names.join('+')}+${estimator.name}`,
    fit(texts, labels, { seed = 0 } = {}) {
      checkTrainingRows(texts, labels, minConfidence)
      const features = new TextFeatures(featureOptions)
      const matrix = features.fitTransform(texts)
      const { clean, blocks, multiplicities } = features
      const fitOptions: FitWeightsOptions = { seed, multiplicities }
      const weights = estimator.fitWeights(matrix, labels, fitOptions)
      checkFinite(estimator, weights)
      return new CompiledTextClassifier({
        ...weights,
        clean,
        blocks,
        link: linkOf(settings, weights.scoreKind, matrix, labels, fitOptions),
        minConfidence,
        trainingPriors: priorsOf(weights.labels, labels),
        priors: null,
        estimator: { name: estimator.name, options: estimator.options },
      })
    },
  }
}

function linkOf(
  { estimator, calibrate, calibrationFolds }: Settings,
  scoreKind: LinearWeights['scoreKind'],
  matrix: SparseMatrix,
  labels: readonly string[],
  fitOptions: FitWeightsOptions,
): Link {
  const asItIs = naturalLink(scoreKind)
  if (calibrate === null) return asItIs
  if (calibrate === undefined) {
    // Unasked it is done where it is needed and where there are rows for it.
    if (scoreKind !== 'margin' || !canCalibrate(labels, calibrationFolds)) return asItIs
  }
  const method = calibrate ?? 'temperature'
  return calibrateOutOfFold(estimator, matrix, labels, method, calibrationFolds, fitOptions)
}

type Settings = ReturnType<typeof check>

function check({
  estimator = multinomialNB(),
  calibrate,
  calibrationFolds = 3,
  minConfidence = null,
  ...features
}: TextClassifierOptions) {
  if (typeof calibrate === 'string' && !calibrationMethods.includes(calibrate)) {
    throw invalid(`calibrate is '${calibrate}'; give ${calibrationMethods.join(', ')} or null`)
  }
  if (!(Number.isInteger(calibrationFolds) && calibrationFolds >= 2)) {
    throw invalid(`calibrationFolds is ${calibrationFolds}; give a whole number from 2`)
  }
  if (minConfidence !== null && !(minConfidence >= 0 && minConfidence <= 1)) {
    throw invalid(`minConfidence is ${minConfidence}; give a number from 0 to 1, or null`)
  }
  return { estimator, calibrate, calibrationFolds, minConfidence, features }
}

function checkTrainingRows(
  texts: readonly unknown[],
  labels: readonly unknown[],
  minConfidence: number | null,
): void {
  if (texts.length !== labels.length) {
    throw fail(
      'TRAINING_INVALID',
      `text classifier: ${texts.length} texts but ${labels.length} labels; give one label a text`,
    )
  }
  for (const [name, values] of [
    ['text', texts],
    ['label', labels],
  ] as const) {
    const bad = values.findIndex((value) => typeof value !== 'string')
    if (bad < 0) continue
    throw fail(
      'TRAINING_INVALID',
      `text classifier: ${name} ${bad} is ${typeof values[bad]}; give strings`,
    )
  }
  if (minConfidence === null || !labels.includes(unknownLabel)) return
  throw fail(
    'TRAINING_INVALID',
    `text classifier: a row is labelled '${unknownLabel}', which minConfidence answers by itself; rename that label`,
  )
}

function checkFinite(estimator: LinearEstimator, weights: LinearWeights): void {
  const isUsable = (weight: number) => Math.abs(weight) <= mostWeight
  if (weights.coefficients.every(isUsable) && weights.intercepts.every(isUsable)) return
  throw fail(
    'TRAINING_INVALID',
    `${estimator.name}: it learnt a weight that is not finite, or too large; check its options (${JSON.stringify(estimator.options)})`,
  )
}

function priorsOf(classes: readonly string[], labels: readonly string[]): Float64Array {
  const counts = new Map<string, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return Float64Array.from(classes, (label) => counts.get(label)! / labels.length)
}

function invalid(what: string) {
  return fail('OPTIONS_INVALID', `text classifier: ${what}`)
}
