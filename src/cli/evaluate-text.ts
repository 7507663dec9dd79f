/** Evaluations side by side as texts for people: of two models, or before and after a correction. */
import type { Comparison } from '../evaluation/comparison.ts'
import type { EvaluationReport } from '../evaluation/evaluation-report.ts'
import { alignedLines, labelText } from '../evaluation/text-table.ts'
import type { RegisteredVersion } from '../registry/entries.ts'
import type { CorrectedPriors } from './evaluate-priors.ts'
import { versionWords } from './model-registry.ts'
import { countText } from './table.ts'

const figures: readonly (readonly [string, (report: EvaluationReport) => number | null])[] = [
  ['accuracy', (report) => report.accuracy],
  ['macro F1', (report) => report.macroF1],
  ['weighted F1', (report) => report.weightedF1],
  ['balanced accuracy', (report) => report.balancedAccuracy],
  ['ROC AUC', (report) => report.rocAuc],
  ['log loss', (report) => report.logLoss],
  ['calibration error', (report) => report.ece],
]

interface Evaluated {
  readonly version: RegisteredVersion
  readonly report: EvaluationReport
}

/** Both models' figures, and whether the difference may be chance. */
export function comparisonText(
  asked: Evaluated,
  baseline: Evaluated,
  comparison: Comparison,
): string {
  const short = ({ version: { name, number } }: Evaluated) => `${name}:${number}`
  return [
    `${versionWords(asked.version)} against ${versionWords(baseline.version)}, on the same rows`,
    ...sideBySide(short(asked), asked.report, short(baseline), baseline.report),
    '',
    ...verdict(short(asked), short(baseline), comparison),
  ].join('\n')
}

function verdict(asked: string, baseline: string, comparison: Comparison): string[] {
  const { onlyCandidateRight, onlyBaselineRight, difference, interval, pValue } = comparison
  const counts = `right where the other is wrong: ${asked} on ${countText(onlyCandidateRight)} rows, ${baseline} on ${countText(onlyBaselineRight)}`
  const between =
    interval === null
      ? ''
      : ` (95 % of resamples: ${signed(interval.low)} to ${signed(interval.high)})`
  const test = `McNemar's exact test: p ${chanceText(pValue)}`
  if (pValue >= 0.05) {
    return [
      counts,
      `${test}: these rows do not tell which is better; accuracy differs by ${signed(difference)}${between}`,
    ]
  }
  const better = difference > 0 ? asked : baseline
  return [
    counts,
    `${test}: ${better} is better, hardly by chance; accuracy differs by ${signed(difference)}${between}`,
  ]
}

const shownPriors = 20

/** How common labels are, as it was, as estimated and as it is; and what answering by it changes. */
export function priorsText(
  before: EvaluationReport,
  { labels, pValue, report }: CorrectedPriors,
  top = shownPriors,
): string {
  const moved = [...labels].sort(
    (a, b) => Math.abs(b.estimated - b.training) - Math.abs(a.estimated - a.training),
  )
  const shares = moved
    .slice(0, top)
    .map(({ label, training, estimated, actual }) => [
      labelText(label),
      ...[training, estimated, actual].map((share) => share.toFixed(4)),
    ])
  const hidden = labels.length - shares.length
  const changed =
    pValue < 0.05
      ? `they did change, hardly by chance (p ${chanceText(pValue)})`
      : `they may be as in training (p ${chanceText(pValue)}): leave them as they are`
  return [
    `how common labels are, estimated from the texts alone: ${changed}`,
    ...alignedLines([['label', 'in training', 'estimated here', 'truly here'], ...shares]),
    ...(hidden > 0 ? [`... and ${countText(hidden)} labels that moved less`] : []),
    ...doubts(labels, before),
    '',
    'answers before and after correcting for it',
    ...sideBySide('before', before, 'after', report),
    ...(report.accuracy < before.accuracy
      ? [
          'worse: more than the shares of the labels differs from the training; leave them as they are',
        ]
      : []),
  ].join('\n')
}

/** The estimate is one only of probabilities that mean what they say; else it may run away. */
function doubts(labels: CorrectedPriors['labels'], { ece }: EvaluationReport): string[] {
  const gone = labels.filter(({ training, estimated }) => training > 0.01 && estimated < 1e-4)
  if (gone.length === 0 && (ece ?? 0) < 0.1) return []
  const names = gone.slice(0, 5).map(({ label }) => `'${labelText(label)}'`)
  const what =
    gone.length > 0
      ? `${names.join(', ')}${gone.length > 5 ? ', ...' : ''} estimated away`
      : `the calibration error is ${ece!.toFixed(2)}`
  return [
    `do not trust it before the model is calibrated (train with --calibrate sigmoid): ${what}`,
  ]
}

function sideBySide(
  first: string,
  firstReport: EvaluationReport,
  second: string,
  secondReport: EvaluationReport,
): string[] {
  const text = (value: number | null) => (value === null ? '-' : value.toFixed(4))
  return alignedLines([
    ['', first, second],
    ...figures.map(([name, figure]) => [
      name,
      text(figure(firstReport)),
      text(figure(secondReport)),
    ]),
  ])
}

const signed = (value: number) => `${value > 0 ? '+' : ''}${value.toFixed(4)}`

/** `= 0.0312`, `= 4e-7` where that would be 0.0000, and `< 1e-15` where digits say nothing. */
function chanceText(pValue: number): string {
  if (pValue < 1e-15) return '< 1e-15'
  return `= ${pValue < 0.0001 ? pValue.toExponential(0) : pValue.toFixed(4)}`
}
