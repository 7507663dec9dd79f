/**
 * Everything that can be said of a classifier from its answers to rows whose label is known, in one
 * call: for reports, for the decision whether a candidate is good enough, and for the registry.
 */
import { bootstrapCounts, type Interval } from './bootstrap.ts'
import { calibrationErrorOf, reliabilityCurve, type TopLabels } from './calibration-error.ts'
import { type AnswerCells, countCells, labelCountsOf } from './cells.ts'
import { labelReport } from './classification.ts'
import { type ClassifierAnswers, type EncodedAnswers, encodeAnswers } from './encoded-answers.ts'
import type {
  CalibrationReport,
  Confusion,
  ConfusionTable,
  CoverageReport,
  EvaluatedLabel,
  EvaluationReport,
  ReportIntervals,
} from './evaluation-report.ts'
import { brierScore, logLoss } from './probability-scores.ts'
import { averageOf, type LabelRanking, labelRankings } from './ranking.ts'
import type { ScoredRows } from './scored-rows.ts'
import { type CoveragePoint, precisionAtCoverages } from './selective.ts'
import { type LabelCounts, share, summarise } from './summary.ts'

const maxConfusionLabels = 256
const maxConfusions = 10
const who = 'evaluateClassifier'

export interface EvaluateClassifierOptions extends ClassifierAnswers {
  /** Samples of the bootstrap behind the intervals. Default 1,000; 0: no intervals. */
  readonly resamples?: number | undefined
  /** Of the bootstrap. Default 0. */
  readonly seed?: number | undefined
}

/**
 * Evaluates a classifier: its answers against the truths. The answer is plain data, the same for the
 * same rows in any order (but for the last digits of sums) and seed. A truth that the model never
 * learnt is a wrong answer and named in `unseenLabels`; log loss, Brier score, ROC AUC and average
 * precision, which ask for its probability, leave such rows out. Throws `EVALUATION_INVALID` for rows
 * that do not fit together, `OPTIONS_INVALID` for options.
 *
 * @example
 * const probabilities = model.predictProbabilities(texts)
 * const report = evaluateClassifier({ truths, labels: model.labels, probabilities })
 * console.log(reportText(report))
 */
export function evaluateClassifier(options: EvaluateClassifierOptions): EvaluationReport {
  const { labels, resamples = 1000, seed = 0 } = options
  const answers = encodeAnswers(who, options)
  const { names, abstention } = answers
  const cells = countCells(answers.truths, answers.predictions, names.length)
  const counts = labelCountsOf(cells, cells.counts)
  const summary = summarise(counts, { everyLabel: false, abstention })
  const scored = learntRows(options, answers)
  const rankings = labelRankings(scored)
  const calibration = calibrationOf(answers.top)
  return {
    ...summary,
    intervals: resamples === 0 ? null : intervalsOf(cells, abstention, resamples, seed),
    rocAuc:
      (labels.length === 2 ? rankings[1]!.rocAuc : averageOf(rankings, 'rocAuc', 'macro')) ?? null,
    weightedRocAuc: averageOf(rankings, 'rocAuc', 'weighted') ?? null,
    averagePrecision: averageOf(rankings, 'averagePrecision', 'macro') ?? null,
    logLoss: logLoss(scored) ?? null,
    brier: brierScore(scored) ?? null,
    ece: calibrationErrorOf(calibration?.bins ?? []) ?? null,
    calibration,
    coverage: abstention < 0 ? null : coverageOf(counts, answers),
    accuracyByCoverage: accuracyByCoverage(answers.top),
    labels: labelsOf(counts, rankings, answers),
    confusion: confusionOf(cells, names),
    largestConfusions: largestConfusions(cells, answers),
    unseenLabels: answers.unseenLabels,
    unseenCount: answers.unseenLabels.reduce(
      (sum, _, index) => sum + counts.support.at(index - answers.unseenLabels.length)!,
      0,
    ),
    absentLabels: labels.filter((_, label) => !occurs(counts, label)),
  }
}

function occurs({ support, predicted }: LabelCounts, label: number): boolean {
  return support[label]! > 0 || predicted[label]! > 0
}

/** The rows whose truth the model learnt: all of them as they are, most often. */
function learntRows(
  { labels, probabilities }: ClassifierAnswers,
  { truths }: EncodedAnswers,
): ScoredRows {
  const labelCount = labels.length
  const isLearnt = (truth: number) => truth < labelCount
  if (truths.every(isLearnt)) return { truths, probabilities, labelCount }
  const kept = truths.filter(isLearnt)
  const keptProbabilities = new Float64Array(kept.length * labelCount)
  for (let row = 0, target = 0; row < truths.length; row++) {
    if (!isLearnt(truths[row]!)) continue
    for (let label = 0; label < labelCount; label++) {
      keptProbabilities[target++] = probabilities[row * labelCount + label]!
    }
  }
  return { truths: kept, probabilities: keptProbabilities, labelCount }
}

function intervalsOf(
  cells: AnswerCells,
  abstention: number,
  resamples: number,
  seed: number,
): ReportIntervals | null {
  const confidence = 0.95
  const intervals = bootstrapCounts(
    cells.counts,
    (drawn) => {
      const drawnCounts = labelCountsOf(cells, drawn)
      const summary = summarise(drawnCounts, { everyLabel: false, abstention })
      return [summary.accuracy, summary.macroF1, summary.weightedF1, summary.balancedAccuracy]
    },
    { resamples, confidence, seed },
  )
  if (intervals.includes(undefined)) return null
  const [accuracy, macroF1, weightedF1, balancedAccuracy] = intervals as Interval[]
  return {
    confidence,
    resamples,
    seed,
    accuracy: accuracy!,
    macroF1: macroF1!,
    weightedF1: weightedF1!,
    balancedAccuracy: balancedAccuracy!,
  }
}

function calibrationOf({ isRight, confidences }: TopLabels): CalibrationReport | null {
  const bins = reliabilityCurve(isRight, confidences)
  if (bins.length === 0) return null
  const meanOf = (figure: 'accuracy' | 'meanConfidence') =>
    bins.reduce((sum, bin) => sum + bin.count * bin[figure], 0) / isRight.length
  return { meanConfidence: meanOf('meanConfidence'), accuracy: meanOf('accuracy'), bins }
}

function coverageOf(
  { predicted, right }: LabelCounts,
  { abstention, truths }: EncodedAnswers,
): CoverageReport {
  const answeredCount = truths.length - predicted[abstention]!
  const answeredRight = right.reduce((sum, count) => sum + count, 0) - right[abstention]!
  return {
    answeredCount,
    coverage: share(answeredCount, truths.length),
    answeredAccuracy: answeredCount === 0 ? null : answeredRight / answeredCount,
  }
}

/** Points that are the same, because many answers are equally confident, come once. */
function accuracyByCoverage({ isRight, confidences }: TopLabels): CoveragePoint[] {
  const tenths = Array.from({ length: 10 }, (_, index) => (index + 1) / 10)
  const points = precisionAtCoverages(isRight, confidences, tenths)
  return points.filter((point, index) => point.threshold !== points[index - 1]?.threshold)
}

function labelsOf(
  counts: LabelCounts,
  rankings: readonly LabelRanking[],
  { names, truths, abstention }: EncodedAnswers,
): Record<string, EvaluatedLabel> {
  const entries: [string, EvaluatedLabel][] = []
  for (const [label, name] of names.entries()) {
    if (!occurs(counts, label) || (label === abstention && counts.support[label] === 0)) continue
    entries.push([
      name,
      {
        ...labelReport(counts, label, truths.length),
        rocAuc: rankings[label]?.rocAuc ?? null,
        averagePrecision: rankings[label]?.averagePrecision ?? null,
      },
    ])
  }
  return Object.fromEntries(entries)
}

function confusionOf(cells: AnswerCells, names: readonly string[]): ConfusionTable | null {
  if (names.length > maxConfusionLabels) return null
  const counts = names.map(() => names.map(() => 0))
  for (let cell = 0; cell < cells.counts.length; cell++) {
    counts[cells.truths[cell]!]![cells.predictions[cell]!] = cells.counts[cell]!
  }
  return { labels: names, counts }
}

function largestConfusions(
  { truths, predictions, counts }: AnswerCells,
  { names, abstention }: EncodedAnswers,
): Confusion[] {
  const mistakes = Array.from(counts, (_, cell) => cell).filter(
    (cell) => truths[cell] !== predictions[cell] && predictions[cell] !== abstention,
  )
  // Equal ones stay in the order of the labels.
  mistakes.sort((a, b) => counts[b]! - counts[a]!)
  return mistakes.slice(0, maxConfusions).map((cell) => ({
    truth: names[truths[cell]!]!,
    prediction: names[predictions[cell]!]!,
    count: counts[cell]!,
  }))
}
