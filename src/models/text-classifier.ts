/**
 * The text classifier to begin with: count vectoriser, tf-idf where asked, and a linear model, learnt
 * together and compiled into one scorer.
 */
import { fail } from '../core/errors.ts'
import {
  CountVectorizer,
  type CountVectorizerOptions,
  checkTfidfTransformerOptions,
  TfidfTransformer,
  type TfidfTransformerOptions,
} from '../features/index.ts'
import { CompiledTextClassifier } from './compiled-scorer.ts'
import type { LinearEstimator } from './linear.ts'
import type { FitOptions, TextEstimator } from './model.ts'
import { multinomialNB } from './multinomial-nb.ts'

export interface TextClassifierOptions {
  readonly features?: CountVectorizerOptions
  /** False, the default: counts as they are. True: tf-idf with its defaults. */
  readonly tfidf?: TfidfTransformerOptions | boolean
  /** Default: `multinomialNB()`. */
  readonly estimator?: LinearEstimator
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
  const { features: given, tfidf: tfidfGiven = false, estimator = multinomialNB() } = options
  const features = new CountVectorizer(given).options
  const tfidf =
    tfidfGiven === false
      ? null
      : checkTfidfTransformerOptions(tfidfGiven === true ? {} : tfidfGiven)
  return {
    name: `count-vectorizer${tfidf === null ? '' : '+tfidf'}+${estimator.name}`,
    fit(texts, labels, { seed = 0 } = {}) {
      checkTrainingRows(texts, labels)
      const vectorizer = new CountVectorizer(features)
      const counts = vectorizer.fitTransform(texts)
      const transformer = tfidf === null ? null : new TfidfTransformer(tfidf).fit(counts)
      const matrix = transformer === null ? counts : transformer.transform(counts)
      const weights = estimator.fitWeights(matrix, labels, { seed })
      return new CompiledTextClassifier({
        ...weights,
        features,
        terms: vectorizer.featureNames,
        tfidf: transformer === null ? null : { options: transformer.options, idf: transformer.idf },
        estimator: { name: estimator.name, options: estimator.options },
      })
    },
  }
}

function checkTrainingRows(texts: readonly unknown[], labels: readonly unknown[]): void {
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
}
