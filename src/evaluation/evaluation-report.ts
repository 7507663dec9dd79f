/** What `evaluateClassifier` answers: plain data, as it goes into JSON; null where not defined. */
import type { Interval } from './bootstrap.ts'
import type { ReliabilityBin } from './calibration-error.ts'
import type { LabelReport } from './classification.ts'
import type { CoveragePoint } from './selective.ts'
import type { ClassificationSummary } from './summary.ts'

/** Macro averages are over the labels in `labels`: those that are some truth or some answer. */
export interface EvaluationReport extends ClassificationSummary {
  /** Null where they were not asked for, or there are no rows. */
  readonly intervals: ReportIntervals | null
  /**
   * Of two labels that of the second; of more, the mean of all labels against the rest. This and
   * the next four figures leave out the rows of labels that the model never learnt.
   */
  readonly rocAuc: number | null
  /** The same weighted by how often the labels occur. */
  readonly weightedRocAuc: number | null
  /** The mean over the labels that occur. */
  readonly averagePrecision: number | null
  readonly logLoss: number | null
  /** From 0 to 1 with two labels and to 2 with more, as scikit-learn's. */
  readonly brier: number | null
  /** The expected calibration error of the likeliest labels, of 15 bins. */
  readonly ece: number | null
  readonly calibration: CalibrationReport | null
  /** Where 'unknown' is an answer, else null. */
  readonly coverage: CoverageReport | null
  /** What a minimum of confidence would do: the points that answer a tenth, two tenths ... all. */
  readonly accuracyByCoverage: readonly CoveragePoint[]
  readonly labels: Readonly<Record<string, EvaluatedLabel>>
  /** Null with more than 256 labels: `largestConfusions` says the most of it. */
  readonly confusion: ConfusionTable | null
  /** The ten commonest mistakes; 'unknown' is not among them. */
  readonly largestConfusions: readonly Confusion[]
  /** Labels of the truths that the model never learnt; whatever it answers there is wrong. */
  readonly unseenLabels: readonly string[]
  /** How many rows have them. */
  readonly unseenCount: number
  /** Labels that the model learnt and that are no truth and no answer here: in no table or mean. */
  readonly absentLabels: readonly string[]
}

/** Percentile bootstrap intervals. */
export interface ReportIntervals {
  /** 0.95. */
  readonly confidence: number
  readonly resamples: number
  readonly seed: number
  readonly accuracy: Interval
  readonly macroF1: Interval
  readonly weightedF1: Interval
  readonly balancedAccuracy: Interval
}

export interface EvaluatedLabel extends LabelReport {
  /** Null where all rows have the label or none does, or the model never learnt it. */
  readonly rocAuc: number | null
  readonly averagePrecision: number | null
}

/** Of the likeliest labels, whether or not the model answered 'unknown' instead. */
export interface CalibrationReport {
  readonly meanConfidence: number
  readonly accuracy: number
  readonly bins: readonly ReliabilityBin[]
}

export interface CoverageReport {
  readonly answeredCount: number
  readonly coverage: number
  readonly answeredAccuracy: number | null
}

/** A row a truth, a column an answer, in the order of `labels`. */
export interface ConfusionTable {
  readonly labels: readonly string[]
  readonly counts: readonly (readonly number[])[]
}

export interface Confusion {
  readonly truth: string
  readonly prediction: string
  readonly count: number
}
