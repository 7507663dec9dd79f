/**
 * LinearSVC: a linear support vector machine, with scikit-learn's meaning. The model to try on text
 * after naive Bayes: over tf-idf it is among the best that a linear model can do. Its scores are
 * distances to a border, not probabilities: calibrate it where those are needed.
 */
import { fail } from '../core/errors.ts'
import type { SparseMatrix } from '../features/index.ts'
import type { FitWeightsOptions, LinearEstimator, LinearWeights } from './linear.ts'
import {
  checkMarginOptions,
  checkNames,
  checkPositive,
  fitMargins,
  type MarginOptions,
  marginOptionNames,
} from './margin-estimator.ts'
import { encodeTrainingRows } from './training-rows.ts'

export interface LinearSVCOptions extends MarginOptions {
  /** Learn a constant for each label. Default true. */
  readonly fitIntercept?: boolean
  /**
   * The constant is the weight of a feature with this value, and kept small like every weight: raise
   * it to keep it less so. Default 1.
   */
  readonly interceptScaling?: number
}

const who = 'linear-svc'

const known = [...marginOptionNames, 'fitIntercept', 'interceptScaling']

const notOffered = {
  penalty: "penalty is not offered: it is always 'l2'; for sparse weights take another estimator",
  dual: 'dual is not offered: the dual is what is solved, and its optimum is that of the primal',
  multiClass: "multiClass is not offered: it is always 'ovr', each label against the rest",
  randomState: 'randomState is not offered: give fit a seed',
  verbose: 'verbose is not offered',
}

/**
 * LinearSVC for `textClassifier`: one label against the rest, squared hinge or hinge loss, L2
 * penalty, by dual coordinate descent. Labels that did not converge are told in the `warnings` of the
 * weights. Throws `OPTIONS_INVALID`.
 *
 * @example
 * const topics = textClassifier({ tfidf: true, estimator: linearSVC({ C: 0.5 }) })
 */
export function linearSVC(options: LinearSVCOptions = {}): LinearEstimator {
  checkNames(who, options, known, notOffered)
  const { fitIntercept = true, interceptScaling = 1 } = options
  if (typeof fitIntercept !== 'boolean') {
    throw fail('OPTIONS_INVALID', `${who}: fitIntercept is ${fitIntercept}; give true or false`)
  }
  checkPositive(who, 'interceptScaling', interceptScaling)
  const margin = checkMarginOptions(who, options)
  return {
    name: who,
    options: { ...margin, fitIntercept, interceptScaling },
    fitWeights<Label extends string>(
      matrix: SparseMatrix,
      labels: readonly Label[],
      { seed }: FitWeightsOptions,
    ): LinearWeights<Label> {
      const encoded = encodeTrainingRows(who, matrix, labels)
      const interceptFeature = fitIntercept ? interceptScaling : 0
      const fitted = fitMargins({ who, matrix, encoded, options: margin, interceptFeature, seed })
      return { labels: encoded.classes, ...fitted, scoreKind: 'margin', binarize: null }
    },
  }
}
