/**
 * The averaged figures of a classifier, from three counts a label. Everything that is made of hits
 * and misses alone follows from them, so a bootstrap that draws new counts asks here too.
 */

/** By label: how many have it, how many were said to, and how many both. */
export interface LabelCounts {
  readonly support: Float64Array
  readonly predicted: Float64Array
  readonly right: Float64Array
}

export interface ClassificationSummary {
  readonly count: number
  /** The share of right answers. */
  readonly accuracy: number
  /** The mean of the labels' precision. */
  readonly macroPrecision: number
  /** The mean of the labels' recall. */
  readonly macroRecall: number
  /** The mean of the labels' F1. */
  readonly macroF1: number
  /** The mean of the labels' precision, each as often as it occurs. */
  readonly weightedPrecision: number
  /** The mean of the labels' recall, each as often as it occurs: the accuracy. */
  readonly weightedRecall: number
  /** The mean of the labels' F1, each as often as it occurs. */
  readonly weightedF1: number
  /** The mean recall of the labels that occur as truths (`balanced_accuracy_score`). */
  readonly balancedAccuracy: number
  /**
   * Matthews correlation of truths and answers, for many labels by Gorodkin (2004), as
   * `matthews_corrcoef`: from -1 to 1, 0 for chance and where one of both never varies.
   */
  readonly matthewsCorrelation: number
  /** The share of the commonest label: the accuracy of always answering it. */
  readonly majorityShare: number
}

export interface SummaryOptions {
  /**
   * True: the macro averages are over all labels, 0 for those that never occur. False, as
   * scikit-learn does when it is given no labels: over those that are some truth or some answer.
   */
  readonly everyLabel: boolean
  /**
   * Index of an answer that abstains ('unknown'), or -1. It is no label to average over unless it is
   * some truth.
   */
  readonly abstention: number
}

/** The figures of these counts. A share of nothing is 0. Float errors aside, row order is nothing. */
export function summarise(counts: LabelCounts, options: SummaryOptions): ClassificationSummary {
  const { support, predicted, right } = counts
  let count = 0
  let rightCount = 0
  let present = 0
  let averaged = 0
  let majority = 0
  const macro = { precision: 0, recall: 0, f1: 0 }
  const weighted = { precision: 0, recall: 0, f1: 0 }
  for (let label = 0; label < support.length; label++) {
    const has = support[label]!
    const said = predicted[label]!
    const hits = right[label]!
    count += has
    rightCount += hits
    if (has > 0) present++
    if (has > majority) majority = has
    const occurs = has > 0 || (said > 0 && label !== options.abstention)
    if (!(occurs || options.everyLabel)) continue
    averaged++
    const precision = share(hits, said)
    const recall = share(hits, has)
    const f1 = share(2 * hits, has + said)
    macro.precision += precision
    macro.recall += recall
    macro.f1 += f1
    weighted.precision += has * precision
    weighted.recall += hits
    weighted.f1 += has * f1
  }
  return {
    count,
    accuracy: share(rightCount, count),
    macroPrecision: share(macro.precision, averaged),
    macroRecall: share(macro.recall, averaged),
    macroF1: share(macro.f1, averaged),
    weightedPrecision: share(weighted.precision, count),
    weightedRecall: share(weighted.recall, count),
    weightedF1: share(weighted.f1, count),
    // Labels that are no truth have no hits: their recall adds nothing.
    balancedAccuracy: share(macro.recall, present),
    matthewsCorrelation: matthews(counts, count, rightCount),
    majorityShare: share(majority, count),
  }
}

function matthews({ support, predicted }: LabelCounts, count: number, right: number): number {
  let both = 0
  let truths = 0
  let answers = 0
  for (let label = 0; label < support.length; label++) {
    both += support[label]! * predicted[label]!
    truths += support[label]! ** 2
    answers += predicted[label]! ** 2
  }
  const spread = (count ** 2 - answers) * (count ** 2 - truths)
  return spread === 0 ? 0 : (right * count - both) / Math.sqrt(spread)
}

/** `part / whole`, and 0 of nothing. */
export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
