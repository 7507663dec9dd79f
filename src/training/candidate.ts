/**
 * One way to learn a text classifier, as plain data: what `--estimator`, `--features` and the other
 * settings say, what cross-validation compares and what a recipe keeps.
 */
import type { CleaningStep } from '../features/clean.ts'
import type { VectorizerOptions } from '../features/text-features.ts'
import type { TfidfTransformerOptions } from '../features/tfidf-transformer.ts'
import type { CalibrationMethod } from '../models/calibration.ts'
import { type EstimatorName, estimatorNamed } from '../models/estimators.ts'
import { type LinearTextEstimator, textClassifier } from '../models/text-classifier.ts'

export interface FeatureSettings {
  readonly clean: readonly CleaningStep[]
  readonly features: readonly VectorizerOptions[]
  readonly tfidf: TfidfTransformerOptions | boolean
}

export interface Candidate extends FeatureSettings {
  readonly estimator: EstimatorName
  /** The estimator's options; those not named have their defaults. */
  readonly options: Readonly<Record<string, unknown>>
}

/** What is decided apart from which candidate is best. */
export interface AnswerSettings {
  readonly calibrate?: CalibrationMethod | null | undefined
  readonly minConfidence?: number | null | undefined
}

/** The estimator that a candidate describes. Throws `OPTIONS_INVALID`. */
export function estimatorOf(
  { clean, features, tfidf, estimator, options }: Candidate,
  { calibrate, minConfidence = null }: AnswerSettings = {},
): LinearTextEstimator {
  return textClassifier({
    clean,
    features,
    tfidf,
    estimator: estimatorNamed(estimator, options),
    calibrate,
    minConfidence,
  })
}

/** In words, for people: 'complement-nb(alpha=0.1) on word:1-2, tf-idf (sublinear)'. */
export function candidateText(candidate: Candidate): string {
  return `${estimatorText(candidate)} on ${featureText(candidate)}`
}

/** In words: 'complement-nb(alpha=0.1)'. */
export function estimatorText({ estimator, options }: Candidate): string {
  const given = Object.entries(options).map(([name, value]) => `${name}=${wordOf(value)}`)
  return given.length === 0 ? estimator : `${estimator}(${given.join(', ')})`
}

/** In words: 'word:1-2 + char_wb:2-5 (minDf=2), tf-idf (sublinear)'. */
export function featureText({ clean, features, tfidf }: FeatureSettings): string {
  const vectorizers = features.map((one) => {
    const { vectorizer, analyzer = 'word', ngramRange = [1, 1], ...others } = one
    const hashing = vectorizer === 'hashing' ? 'hashing-' : ''
    const rest = Object.entries(others)
      // What 'hashing-word' stands for.
      .filter(([name, value]) => name !== 'alternateSign' || value !== false)
      .map(([name, value]) => `${name}=${wordOf(value)}`)
    const named = `${hashing}${analyzer}:${ngramRange[0]}-${ngramRange[1]}`
    return rest.length === 0 ? named : `${named} (${rest.join(', ')})`
  })
  const weighing =
    tfidf === false
      ? 'counts'
      : typeof tfidf === 'object' && tfidf.sublinearTf
        ? 'tf-idf (sublinear)'
        : 'tf-idf'
  const cleaning = clean.length === 0 ? [] : [`cleaned of ${clean.join(', ')}`]
  return [vectorizers.join(' + '), weighing, ...cleaning].join(', ')
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
