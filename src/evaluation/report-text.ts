/** An evaluation as a text for people: the figures, the labels, the mistakes, the calibration. */
import type { Interval } from './bootstrap.ts'
import type { CalibrationReport, EvaluationReport } from './evaluation-report.ts'
import { alignedLines, labelText } from './text-table.ts'

export interface ReportTextOptions {
  /** How many rows the table of labels has at most, the commonest first. Default 100. */
  readonly maxLabels?: number
}

/**
 * The report in plain text, lines of about 80 columns, without an end of line. The table of labels is
 * that of scikit-learn's `classification_report`, sorted by support.
 */
export function reportText(report: EvaluationReport, options: ReportTextOptions = {}): string {
  const parts = [
    headline(report),
    figures(report),
    coverage(report),
    labelTable(report, options.maxLabels ?? 100),
    confusions(report),
    calibration(report),
  ]
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function headline({ count, labels, unseenLabels, unseenCount, absentLabels }: EvaluationReport) {
  const lines = [`${counted(count, 'row')}, ${counted(Object.keys(labels).length, 'label')}`]
  if (unseenLabels.length > 0) {
    lines.push(
      `${counted(unseenCount, 'row')} with labels that the model never learnt, counted as wrong: ${named(unseenLabels)}`,
    )
  }
  if (absentLabels.length > 0) {
    lines.push(`labels of the model that do not occur here: ${named(absentLabels)}`)
  }
  return lines
}

function figures(report: EvaluationReport): string[] {
  const { intervals } = report
  const rows: [string, number | null, Interval?][] = [
    ['accuracy', report.accuracy, intervals?.accuracy],
    ['  of always the commonest label', report.majorityShare],
    ['macro F1', report.macroF1, intervals?.macroF1],
    ['weighted F1', report.weightedF1, intervals?.weightedF1],
    ['balanced accuracy', report.balancedAccuracy, intervals?.balancedAccuracy],
    ['Matthews correlation', report.matthewsCorrelation],
    ['ROC AUC', report.rocAuc],
    ['average precision', report.averagePrecision],
    ['log loss', report.logLoss],
    ['Brier score', report.brier],
    ['calibration error', report.ece],
  ]
  const between = intervals === null ? '' : `${percentText(intervals.confidence)} of resamples`
  return alignedLines([
    ['', '', between],
    ...rows.map(([name, value, interval]) => [
      name,
      value === null ? '-' : value.toFixed(4),
      interval === undefined ? '' : `${interval.low.toFixed(4)} to ${interval.high.toFixed(4)}`,
    ]),
  ]).filter((line) => line !== '')
}

function coverage({ count, coverage: answered }: EvaluationReport): string[] {
  if (answered === null) return []
  const { answeredCount, coverage: share, answeredAccuracy } = answered
  const right =
    answeredAccuracy === null ? '' : `, ${percentText(answeredAccuracy)} of those are right`
  return [
    `answered ${numberText(answeredCount)} of ${counted(count, 'row')} (${percentText(share)})${right}; the rest is 'unknown'`,
  ]
}

function labelTable(report: EvaluationReport, maxLabels: number): string[] {
  const labels = Object.entries(report.labels).sort(([, a], [, b]) => b.support - a.support)
  if (labels.length === 0) return []
  const row = (name: string, precision: number, recall: number, f1: number, support: number) => [
    name,
    ...[precision, recall, f1].map((figure) => figure.toFixed(3)),
    numberText(support),
  ]
  const shown = labels
    .slice(0, maxLabels)
    .map(([label, figures]) =>
      row(labelText(label), figures.precision, figures.recall, figures.f1, figures.support),
    )
  const { count, macroPrecision, macroRecall, macroF1 } = report
  const { weightedPrecision, weightedRecall, weightedF1 } = report
  const lines = alignedLines([
    ['label', 'precision', 'recall', 'F1', 'support'],
    ...shown,
    row('macro average', macroPrecision, macroRecall, macroF1, count),
    row('weighted average', weightedPrecision, weightedRecall, weightedF1, count),
  ])
  const hidden = labels.length - shown.length
  if (hidden > 0) lines.splice(-2, 0, `... and ${counted(hidden, 'rarer label')}`)
  lines.splice(-2, 0, '')
  return lines
}

function confusions({ largestConfusions }: EvaluationReport): string[] {
  if (largestConfusions.length === 0) return []
  return [
    'largest confusions',
    ...largestConfusions.map(
      ({ truth, prediction, count }) =>
        `  ${labelText(truth)} taken for ${labelText(prediction)}: ${numberText(count)}`,
    ),
  ]
}

function calibration({ ece, calibration: found, accuracyByCoverage }: EvaluationReport): string[] {
  if (ece === null || found === null) return []
  const lines = [`calibration: ${calibrationWords(ece, found)}`]
  const half = accuracyByCoverage.find(({ coverage: share }) => share >= 0.5)
  if (half !== undefined && half.coverage < 1) {
    lines.push(
      `the ${percentText(half.coverage)} most confident answers (from ${half.threshold.toFixed(3)}) are right in ${percentText(half.accuracy)}`,
    )
  }
  return lines
}

/** What to make of an expected calibration error: by convention, not by theory. */
const levels = [
  { below: 0.02, words: 'confidence can be taken as it is' },
  { below: 0.05, words: 'confidence is a little off' },
  { below: 0.1, words: 'confidence is clearly off' },
  {
    below: Number.POSITIVE_INFINITY,
    words: 'confidence is no probability: calibrate before setting a threshold',
  },
]

function calibrationWords(ece: number, { meanConfidence, accuracy }: CalibrationReport): string {
  const level = levels.find(({ below }) => ece < below)!.words
  const gap = meanConfidence - accuracy
  const isSmall = Math.abs(gap) < 0.01 || Math.abs(gap) < ece / 2
  const bias = gap > 0 ? '; the model is too sure of itself' : '; the model is too modest'
  const side = isSmall ? '' : bias
  return `${level}${side} (mean confidence ${meanConfidence.toFixed(3)}, accuracy ${accuracy.toFixed(3)})`
}

function named(labels: readonly string[]): string {
  const shown = labels.slice(0, 5).map(labelText).join(', ')
  return labels.length > 5 ? `${shown} and ${labels.length - 5} more` : shown
}

/** Made once: a formatter is dear. */
const numberFormat = new Intl.NumberFormat('en')

const numberText = (number: number) => numberFormat.format(number)

const counted = (count: number, what: string) =>
  `${numberText(count)} ${what}${count === 1 ? '' : 's'}`

const percentText = (share: number) => `${Number((share * 100).toFixed(1))} %`
