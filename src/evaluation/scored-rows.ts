/** Rows of truths and probabilities, checked once: what the figures of probabilities are made of. */
import { fail } from '../core/errors.ts'

/** What a classifier said of rows whose label is known. */
export interface ScoredRows {
  /** By row: the index of its true label, from 0 up to `labelCount`. */
  readonly truths: ArrayLike<number>
  /** A row a row, a column a label: how likely the label is, from 0 to 1. */
  readonly probabilities: ArrayLike<number>
  readonly labelCount: number
}

/**
 * Throws `EVALUATION_INVALID` unless there is a probability from 0 to 1 for each row and label, and
 * each truth is a label. `who` begins the message.
 */
export function checkScoredRows(who: string, { truths, probabilities, labelCount }: ScoredRows) {
  if (!(Number.isInteger(labelCount) && labelCount >= 1)) {
    throw invalid(who, `labelCount is ${labelCount}; give a whole number from 1`)
  }
  if (probabilities.length !== truths.length * labelCount) {
    throw invalid(
      who,
      `${probabilities.length} probabilities for ${truths.length} rows of ${labelCount} labels; give one a row and label`,
    )
  }
  for (let row = 0; row < truths.length; row++) {
    const truth = truths[row]!
    if (Number.isInteger(truth) && truth >= 0 && truth < labelCount) continue
    throw invalid(who, `truth ${row} is ${truth}; give the index of one of ${labelCount} labels`)
  }
  checkProbabilities(who, probabilities, labelCount)
}

/** Throws `EVALUATION_INVALID` for what is not from 0 to 1, naming its row of `width` values. */
export function checkProbabilities(who: string, values: ArrayLike<number>, width = 1): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!
    if (value >= 0 && value <= 1) continue
    throw invalid(
      who,
      `a probability of row ${Math.floor(index / width)} is ${value}; give numbers from 0 to 1`,
    )
  }
}

/** Throws `EVALUATION_INVALID` unless both have as many rows. */
export function checkSameLength(who: string, first: number, second: number, what: string): void {
  if (first === second) return
  throw invalid(who, `${first} truths but ${second} ${what}; give one a row`)
}

export function invalid(who: string, what: string) {
  return fail('EVALUATION_INVALID', `${who}: ${what}`)
}
