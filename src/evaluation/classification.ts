/**
 * How good a classifier's answers are, from pairs of truth and prediction: pure arithmetic, with
 * scikit-learn's meaning. Where a share is of nothing, it is 0.
 */

export interface LabelReport {
  /** Of those predicted to have the label, the share that has it. */
  readonly precision: number
  /** Of those that have the label, the share predicted to. */
  readonly recall: number
  /** The harmonic mean of precision and recall. */
  readonly f1: number
  /** Of those that do not have the label, the share predicted to. */
  readonly falsePositiveRate: number
  /** How many have the label. */
  readonly support: number
}

export interface ClassificationReport {
  readonly count: number
  /** The share of right answers. */
  readonly accuracy: number
  /** The mean of the labels' F1. */
  readonly macroF1: number
  /** The share of the commonest label: the accuracy of always answering it. */
  readonly majorityShare: number
  readonly labels: Readonly<Record<string, LabelReport>>
}

/** Counts answers by truth and prediction. Labels not named are added as they come. */
export class ConfusionMatrix {
  readonly #labels: string[] = []
  readonly #indexes = new Map<string, number>()
  /** By truth, by prediction. */
  readonly #counts: number[][] = []

  constructor(labels: Iterable<string> = []) {
    for (const label of labels) this.#indexOf(label)
  }

  get labels(): readonly string[] {
    return this.#labels
  }

  add(truth: string, prediction: string, count = 1): void {
    const row = this.#indexOf(truth)
    this.#counts[row]![this.#indexOf(prediction)]! += count
  }

  count(truth: string, prediction: string): number {
    const row = this.#indexes.get(truth)
    const column = this.#indexes.get(prediction)
    return row === undefined || column === undefined ? 0 : this.#counts[row]![column]!
  }

  /** A row a truth, a column a prediction, in the order of `labels`. */
  toArray(): number[][] {
    return this.#counts.map((row) => [...row])
  }

  report(): ClassificationReport {
    const total = sum(this.#counts.map(sum))
    const reports = this.#labels.map((label, index) => [label, this.#report(index, total)] as const)
    return {
      count: total,
      accuracy: share(sum(this.#counts.map((row, index) => row[index]!)), total),
      macroF1: share(sum(reports.map(([, { f1 }]) => f1)), reports.length),
      majorityShare: share(Math.max(0, ...reports.map(([, { support }]) => support)), total),
      labels: Object.fromEntries(reports),
    }
  }

  #report(index: number, total: number): LabelReport {
    const right = this.#counts[index]![index]!
    const support = sum(this.#counts[index]!)
    const predicted = sum(this.#counts.map((row) => row[index]!))
    return {
      precision: share(right, predicted),
      recall: share(right, support),
      f1: share(2 * right, support + predicted),
      falsePositiveRate: share(predicted - right, total - support),
      support,
    }
  }

  #indexOf(label: string): number {
    const known = this.#indexes.get(label)
    if (known !== undefined) return known
    const index = this.#labels.push(label) - 1
    this.#indexes.set(label, index)
    for (const row of this.#counts) row.push(0)
    this.#counts.push(new Array<number>(index + 1).fill(0))
    return index
  }
}

/** The report of answers at hand: `predictions[i]` was said of what is `truths[i]`. */
export function classificationReport(
  truths: readonly string[],
  predictions: readonly string[],
): ClassificationReport {
  const matrix = new ConfusionMatrix()
  for (const [index, truth] of truths.entries()) matrix.add(truth, predictions[index]!)
  return matrix.report()
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
