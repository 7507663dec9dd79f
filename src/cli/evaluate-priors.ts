/** What correcting for how common labels are here does to a model's answers: `--priors estimate`. */
import type { EvaluationReport } from '../evaluation/evaluation-report.ts'
import type { CompiledTextClassifier } from '../models/compiled-scorer.ts'
import { priorShiftTest } from '../models/prior-correction.ts'
import type { LabelledTexts } from '../training/labelled.ts'
import { evaluateOn } from '../training/train-text.ts'

export interface LabelPrior {
  readonly label: string
  /** Shares of the label: of the training rows, as estimated from the texts here, and as it is. */
  readonly training: number
  readonly estimated: number
  readonly actual: number
}

export interface CorrectedPriors {
  readonly iterations: number
  /** Of the likelihood-ratio test: small where the shares did change. */
  readonly pValue: number
  readonly labels: readonly LabelPrior[]
  /** Of the answers with the estimated priors. */
  readonly report: EvaluationReport
}

/** A label that seems not to occur is held very rare, not impossible. */
const leastPrior = 1e-9

/** Estimates from the texts; the labels are for comparison alone. Throws `TRAINING_INVALID`. */
export function correctedPriors(
  classifier: CompiledTextClassifier,
  rows: LabelledTexts,
): CorrectedPriors {
  const learnt = classifier.withPriors(null)
  const { trainingPriors } = learnt.model
  const { priors, iterations, pValue } = priorShiftTest(
    learnt.predictProbabilities(rows.texts),
    trainingPriors,
  )
  const counts = new Map<string, number>()
  for (const label of rows.labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return {
    iterations,
    pValue,
    labels: learnt.labels.map((label, index) => ({
      label,
      training: trainingPriors[index]!,
      estimated: priors[index]!,
      actual: (counts.get(label) ?? 0) / rows.labels.length,
    })),
    report: evaluateOn(learnt.withPriors(possible(priors)), rows),
  }
}

function possible(priors: Float64Array): Float64Array {
  const raised = priors.map((prior) => Math.max(prior, leastPrior))
  const sum = raised.reduce((total, prior) => total + prior, 0)
  return raised.map((prior) => prior / sum)
}
