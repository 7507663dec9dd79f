/**
 * How good a classifier's answers are, from pairs of truth and prediction: pure arithmetic, with
 * scikit-learn's meaning. Where a share is of nothing, it is 0.
 */
import { type ClassificationSummary, type LabelCounts, share, summarise } from './summary.ts'

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

export interface ClassificationReport extends ClassificationSummary {
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

  /** The macro averages are over all of `labels`, also those that never occurred. */
  report(): ClassificationReport {
    const counts = this.#labelCounts()
    const summary = summarise(counts, { everyLabel: true, abstention: -1 })
    const reports = this.#labels.map(
      (label, index) => [label, labelReport(counts, index, summary.count)] as const,
    )
    return { ...summary, labels: Object.fromEntries(reports) }
  }

  #labelCounts(): LabelCounts {
    const size = this.#labels.length
    const support = new Float64Array(size)
    const predicted = new Float64Array(size)
    for (let row = 0; row < size; row++) {
      const counts = this.#counts[row]!
      for (let column = 0; column < size; column++) {
        support[row]! += counts[column]!
        predicted[column]! += counts[column]!
      }
    }
    return { support, predicted, right: support.map((_, index) => this.#counts[index]![index]!) }
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

/** The figures of one label of `counts`, which count `total` rows. */
export function labelReport(counts: LabelCounts, label: number, total: number): LabelReport {
  const right = counts.right[label]!
  const support = counts.support[label]!
  const predicted = counts.predicted[label]!
  return {
    precision: share(right, predicted),
    recall: share(right, support),
    f1: share(2 * right, support + predicted),
    falsePositiveRate: share(predicted - right, total - support),
    support,
  }
}
