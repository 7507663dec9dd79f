/**
 * What logistic regression makes smallest: the mean logarithmic loss of the rows, and the penalty.
 * Scores and slopes are kept feature by feature, the labels of one beside each other.
 */
import type { SparseMatrix } from '../features/index.ts'
import type { Objective } from './lbfgs.ts'

export interface LogisticProblem {
  readonly matrix: SparseMatrix
  /** By row: the index of its label. */
  readonly labelOfRow: Int32Array
  /** By row: how much it counts. */
  readonly rowWeights: Float64Array
  /** Scores a row has: as many as labels, or 1 for two labels, the score of the second. */
  readonly outputs: number
  readonly fitIntercept: boolean
  /** Half of this times the squared weights, without intercepts, is added to the mean loss. */
  readonly penalty: number
}

/** The weights of a feature stand at `feature * outputs`, one an output; intercepts come last. */
export function logisticObjective(problem: LogisticProblem): Objective {
  const { matrix, labelOfRow, outputs, fitIntercept, penalty } = problem
  const byColumn = transposed(matrix)
  const totalWeight = problem.rowWeights.reduce((sum, weight) => sum + weight, 0)
  const shares = problem.rowWeights.map((weight) => weight / totalWeight)
  const scores = new Float64Array(matrix.rows * outputs)
  const zeros = new Float64Array(outputs)
  const weightCount = matrix.columns * outputs
  const toSlopes = outputs === 1 ? binaryLoss : softmaxLoss
  return (x, gradient) => {
    multiply(matrix, x, fitIntercept ? x.subarray(weightCount) : zeros, outputs, scores)
    const loss = toSlopes(scores, labelOfRow, shares, outputs)
    multiply(byColumn, scores, zeros, outputs, gradient)
    if (fitIntercept) sumRows(scores, outputs, gradient.subarray(weightCount))
    return loss + addPenalty(x, gradient, weightCount, penalty)
  }
}

/** Scores to the slopes of the mean loss by them, in place; returns that loss. */
function binaryLoss(scores: Float64Array, labelOfRow: Int32Array, shares: Float64Array): number {
  let loss = 0
  for (let row = 0; row < scores.length; row++) {
    const sign = labelOfRow[row] === 1 ? 1 : -1
    const margin = sign * scores[row]!
    const power = Math.exp(-Math.abs(margin))
    loss += shares[row]! * (Math.log1p(power) + Math.max(0, -margin))
    scores[row] = (-sign * shares[row]! * (margin > 0 ? power : 1)) / (1 + power)
  }
  return loss
}

function softmaxLoss(
  scores: Float64Array,
  labelOfRow: Int32Array,
  shares: Float64Array,
  outputs: number,
): number {
  let loss = 0
  for (let row = 0; row < shares.length; row++) {
    const start = row * outputs
    const end = start + outputs
    const share = shares[row]!
    const own = start + labelOfRow[row]!
    let highest = scores[start]!
    for (let place = start + 1; place < end; place++) {
      if (scores[place]! > highest) highest = scores[place]!
    }
    const margin = scores[own]! - highest
    let sum = 0
    for (let place = start; place < end; place++) {
      const power = Math.exp(scores[place]! - highest)
      scores[place] = power
      sum += power
    }
    loss += share * (Math.log(sum) - margin)
    for (let place = start; place < end; place++) scores[place]! *= share / sum
    // What the others have, and not 1 less: near certainty that would be rounding alone.
    let others = 0
    for (let place = start; place < end; place++) if (place !== own) others += scores[place]!
    scores[own] = -others
  }
  return loss
}

function sumRows(values: Float64Array, outputs: number, sums: Float64Array): void {
  sums.fill(0)
  for (let start = 0; start < values.length; start += outputs) {
    for (let output = 0; output < outputs; output++) sums[output]! += values[start + output]!
  }
}

function addPenalty(
  x: Float64Array,
  gradient: Float64Array,
  weightCount: number,
  penalty: number,
): number {
  let squares = 0
  for (let index = 0; index < weightCount; index++) {
    const weight = x[index]!
    squares += weight * weight
    gradient[index]! += penalty * weight
  }
  return (penalty * squares) / 2
}

/** The same entries column by column: a matrix whose rows are the columns of the given one. */
function transposed(matrix: SparseMatrix): SparseMatrix {
  const { rows, columns, indptr, indices } = matrix
  const starts = new Int32Array(columns + 1)
  for (let entry = 0; entry < indices.length; entry++) starts[indices[entry]! + 1]!++
  for (let column = 0; column < columns; column++) starts[column + 1]! += starts[column]!
  const next = starts.slice()
  const rowOfEntry = new Int32Array(indices.length)
  const data = new Float64Array(indices.length)
  for (let row = 0; row < rows; row++) {
    for (let entry = indptr[row]!; entry < indptr[row + 1]!; entry++) {
      const place = next[indices[entry]!]!++
      rowOfEntry[place] = row
      data[place] = matrix.data[entry]!
    }
  }
  return { rows: columns, columns: rows, indptr: starts, indices: rowOfEntry, data }
}

/**
 * Each row times the table of `outputs` numbers a column, plus `added`. Four outputs at a time, so
 * that their sums stay in registers while the entries pass.
 */
function multiply(
  { rows, indptr, indices, data }: SparseMatrix,
  table: Float64Array,
  added: Float64Array,
  outputs: number,
  target: Float64Array,
): void {
  for (let row = 0; row < rows; row++) {
    const first = indptr[row]!
    const end = indptr[row + 1]!
    const place = row * outputs
    let output = 0
    for (; output + 4 <= outputs; output += 4) {
      let sum0 = added[output]!
      let sum1 = added[output + 1]!
      let sum2 = added[output + 2]!
      let sum3 = added[output + 3]!
      for (let entry = first; entry < end; entry++) {
        const value = data[entry]!
        const cell = indices[entry]! * outputs + output
        sum0 += value * table[cell]!
        sum1 += value * table[cell + 1]!
        sum2 += value * table[cell + 2]!
        sum3 += value * table[cell + 3]!
      }
      target[place + output] = sum0
      target[place + output + 1] = sum1
      target[place + output + 2] = sum2
      target[place + output + 3] = sum3
    }
    for (; output < outputs; output++) {
      let sum = added[output]!
      for (let entry = first; entry < end; entry++) {
        sum += data[entry]! * table[indices[entry]! * outputs + output]!
      }
      target[place + output] = sum
    }
  }
}
