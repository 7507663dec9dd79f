/**
 * A model scores; an estimator learns one. model.contract.ts is the law of both.
 */

/** Scores inputs. Scoring changes nothing: the same input always gets the same answer. */
export interface Model<in Input, out Output> {
  /** Answers in the order of the inputs; a batch answers as its inputs would one by one. */
  predict(inputs: readonly Input[]): Output[] | Promise<Output[]>
}

/** What a classifier says of one input. */
export interface Classification<Label extends string = string> {
  readonly label: Label
  /** The probability of that label, between 0 and 1. */
  readonly score: number
}

/** What a classifier answers that would rather not: no term is known, or no label likely enough. */
export const unknownLabel = 'unknown'

/** A classifier of texts that is ready to score, whole: cleaning, features and weights. */
export interface TextClassifier<Label extends string = string>
  extends Model<string, Classification<Label>> {
  /** Sorted by code point, as scikit-learn's `classes_`. */
  readonly labels: readonly Label[]
  /**
   * True for one that answers 'unknown', which is none of its labels, where no term of a text is
   * known or no label likely enough; the score is then that of the likeliest label.
   */
  readonly answersUnknown: boolean
  predict(inputs: readonly string[]): Classification<Label>[]
  /** Probabilities of all labels, a row a text, in the order of `labels`. */
  predictProbabilities(inputs: readonly string[]): Float64Array
}

export interface FitOptions {
  /** For estimators that draw: the same seed and rows give the same model. */
  readonly seed?: number | undefined
}

/** Learns a text classifier from texts and their labels. What it holds does not change by it. */
export interface TextEstimator {
  /** The word that artefacts and reports name it by. */
  readonly name: string
  /**
   * The same texts, labels and seed give the same model, byte for byte. Throws `TRAINING_INVALID`
   * for rows that cannot be learnt from.
   */
  fit<Label extends string>(
    texts: readonly string[],
    labels: readonly Label[],
    options?: FitOptions,
  ): TextClassifier<Label>
}
