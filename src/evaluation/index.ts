/** Pure arithmetic on answers. */
export {
  type BootstrapOptions,
  bootstrapCounts,
  bootstrapInterval,
  type Interval,
} from './bootstrap.ts'
export {
  expectedCalibrationError,
  type ReliabilityBin,
  reliabilityCurve,
  type TopLabels,
  topLabels,
} from './calibration-error.ts'
export {
  type ClassificationReport,
  ConfusionMatrix,
  classificationReport,
  type LabelReport,
} from './classification.ts'
export {
  type ComparedRows,
  type Comparison,
  comparePredictions,
  mcnemar,
} from './comparison.ts'
export type { ClassifierAnswers } from './encoded-answers.ts'
export { type EvaluateClassifierOptions, evaluateClassifier } from './evaluate-classifier.ts'
export type {
  CalibrationReport,
  Confusion,
  ConfusionTable,
  CoverageReport,
  EvaluatedLabel,
  EvaluationReport,
  ReportIntervals,
} from './evaluation-report.ts'
export { binaryBrierScore, binaryLogLoss, brierScore, logLoss } from './probability-scores.ts'
export {
  type Average,
  averagePrecision,
  averagePrecisionOneVsRest,
  type LabelRanking,
  labelRankings,
  rocAuc,
  rocAucOneVsRest,
} from './ranking.ts'
export { type ReportTextOptions, reportText } from './report-text.ts'
export type { ScoredRows } from './scored-rows.ts'
export {
  type CoveragePoint,
  coverageAtPrecision,
  coverageCurve,
  precisionAtCoverage,
  precisionAtCoverages,
  type SelectiveReport,
  type SelectiveRows,
  selective,
} from './selective.ts'
export type { ClassificationSummary } from './summary.ts'
