/** Every estimator by the name that `--estimator`, artefacts and reports have for it. */
import { fail, suggestion } from '../core/errors.ts'
import { bernoulliNB } from './bernoulli-nb.ts'
import { complementNB } from './complement-nb.ts'
import type { LinearEstimator } from './linear.ts'
import { linearSVC } from './linear-svc.ts'
import { logisticRegression } from './logistic-regression.ts'
import { multinomialNB } from './multinomial-nb.ts'
import { nbSvm } from './nb-svm.ts'
import { sgdClassifier } from './sgd-classifier.ts'

type Options = Readonly<Record<string, unknown>>

/** Each with one line for people, and what makes it from options, which it checks. */
export const estimators = {
  'multinomial-nb': {
    summary: 'multinomial naive Bayes: learns in one pass, hard to beat on few or short texts',
    make: (options: Options) => multinomialNB(options),
  },
  'complement-nb': {
    summary: 'complement naive Bayes: as quick, better where labels are unevenly common or many',
    make: (options: Options) => complementNB(options),
  },
  'bernoulli-nb': {
    summary: 'Bernoulli naive Bayes: terms are there or not; also their absence counts',
    make: (options: Options) => bernoulliNB(options),
  },
  'logistic-regression': {
    summary: 'multinomial logistic regression: good probabilities, takes its time',
    make: (options: Options) => logisticRegression(options),
  },
  'linear-svc': {
    summary: 'linear support vector machine: most often right on topics',
    make: (options: Options) => linearSVC(options),
  },
  'sgd-classifier': {
    summary: 'linear models by stochastic gradient descent: for very many rows',
    make: (options: Options) => sgdClassifier(options),
  },
  'nb-svm': {
    summary: 'SVM on naive Bayes features: strong on sentiment and other short texts',
    make: (options: Options) => nbSvm(options),
  },
} as const

export type EstimatorName = keyof typeof estimators

export const estimatorNames = Object.keys(estimators) as readonly EstimatorName[]

/** Throws `OPTIONS_INVALID`, with the nearest name or what is wrong with the options. */
export function estimatorNamed(name: string, options: Options = {}): LinearEstimator {
  const found = Object.hasOwn(estimators, name) ? estimators[name as EstimatorName] : undefined
  if (found !== undefined) return found.make(options)
  const hint = suggestion(name, estimatorNames) || `known: ${estimatorNames.join(', ')}`
  throw fail('OPTIONS_INVALID', `estimator '${name}' is not one; ${hint}`)
}
