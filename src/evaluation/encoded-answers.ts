/** Truths and answers as numbers, checked: the first step of an evaluation. */
import { fail } from '../core/errors.ts'
import { sortByCodePoint } from '../features/tokenise.ts'
import { unknownLabel } from '../models/model.ts'
import { type TopLabels, topLabels } from './calibration-error.ts'
import { checkProbabilities, checkSameLength, invalid } from './scored-rows.ts'

export interface ClassifierAnswers {
  /** The true label of each row. */
  readonly truths: readonly string[]
  /** The labels that the model learnt, in the order of the probabilities' columns. */
  readonly labels: readonly string[]
  /** A row a row, a column a label. They add up to one in each row. */
  readonly probabilities: ArrayLike<number>
  /** What the model answered, if not always the likeliest label. It may be 'unknown'. */
  readonly predictions?: readonly string[] | undefined
  /** Where no label is as probable as this, the answer counts as 'unknown'. */
  readonly minConfidence?: number | null | undefined
}

export interface EncodedAnswers {
  /** The model's labels, then 'unknown' if it is an answer, then the truths it never learnt. */
  readonly names: readonly string[]
  /** By row: indexes in `names`. */
  readonly truths: Int32Array
  readonly predictions: Int32Array
  /** The index of 'unknown' where that is an answer and no label, else -1. */
  readonly abstention: number
  readonly unseenLabels: readonly string[]
  readonly top: TopLabels
}

/** Throws `EVALUATION_INVALID` or `OPTIONS_INVALID`. */
export function encodeAnswers(who: string, answers: ClassifierAnswers): EncodedAnswers {
  const { truths, labels, probabilities, minConfidence = null } = answers
  checkShapes(who, answers)
  const indexOf = new Map(labels.map((label, index) => [label, index]))
  const canAbstain =
    !indexOf.has(unknownLabel) &&
    (minConfidence !== null || (answers.predictions?.includes(unknownLabel) ?? false))
  const abstention = canAbstain ? labels.length : -1
  if (canAbstain) indexOf.set(unknownLabel, abstention)
  const unseenLabels = sortByCodePoint([...new Set(truths)].filter((label) => !indexOf.has(label)))
  const names = [...labels, ...(canAbstain ? [unknownLabel] : []), ...unseenLabels]
  const predictable = new Map(indexOf)
  for (const label of unseenLabels) indexOf.set(label, indexOf.size)
  const truthIndexes = Int32Array.from(truths, (label) => indexOf.get(label)!)
  const top = topLabels({ truths: truthIndexes, probabilities, labelCount: labels.length })
  const predictions = predictionsOf(who, answers, predictable, top)
  if (minConfidence !== null) {
    for (let row = 0; row < predictions.length; row++) {
      if (top.confidences[row]! < minConfidence) predictions[row] = abstention
    }
  }
  return { names, truths: truthIndexes, predictions, abstention, unseenLabels, top }
}

function predictionsOf(
  who: string,
  { predictions, truths }: ClassifierAnswers,
  indexOf: ReadonlyMap<string, number>,
  top: TopLabels,
): Int32Array {
  if (predictions === undefined) return Int32Array.from(top.predictions)
  checkSameLength(who, truths.length, predictions.length, 'predictions')
  return Int32Array.from(predictions, (label, row) => {
    const index = indexOf.get(label)
    if (index !== undefined) return index
    throw invalid(who, `prediction ${row} is '${label}', which is no label of the model`)
  })
}

function checkShapes(who: string, answers: ClassifierAnswers): void {
  const { truths, labels, probabilities, minConfidence = null } = answers
  if (labels.length === 0 || new Set(labels).size !== labels.length) {
    throw invalid(who, `${labels.length} labels, some twice or none at all; name each once`)
  }
  const bad = truths.findIndex((truth) => typeof truth !== 'string')
  if (bad >= 0) throw invalid(who, `truth ${bad} is ${typeof truths[bad]}; give strings`)
  if (probabilities.length !== truths.length * labels.length) {
    throw invalid(
      who,
      `${probabilities.length} probabilities for ${truths.length} rows of ${labels.length} labels; give one a row and label`,
    )
  }
  checkProbabilities(who, probabilities, labels.length)
  checkSums(who, probabilities, labels.length)
  if (minConfidence === null) return
  if (!(minConfidence >= 0 && minConfidence <= 1)) {
    throw fail(
      'OPTIONS_INVALID',
      `${who}: minConfidence is ${minConfidence}; give a number from 0 to 1, or null`,
    )
  }
  if (labels.includes(unknownLabel)) {
    throw fail(
      'OPTIONS_INVALID',
      `${who}: minConfidence answers '${unknownLabel}', which is a label of the model; leave it out`,
    )
  }
}

/** The bound is scikit-learn's (numpy.allclose): single precision passes. */
function checkSums(who: string, probabilities: ArrayLike<number>, width: number): void {
  for (let start = 0; start < probabilities.length; start += width) {
    let sum = 0
    for (let label = 0; label < width; label++) sum += probabilities[start + label]!
    if (Math.abs(sum - 1) <= 1e-5) continue
    throw invalid(
      who,
      `the probabilities of row ${start / width} add up to ${sum}; calibrate the scores first`,
    )
  }
}
