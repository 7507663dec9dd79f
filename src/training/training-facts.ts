/** What a training found, as plain data: for the registry, for `--json` and for the artefact. */
import { createHash } from 'node:crypto'
import type { EvaluationReport } from '../evaluation/evaluation-report.ts'
import { TextFeatures } from '../features/text-features.ts'
import type { TextClassifier } from '../models/model.ts'
import { candidateText } from './candidate.ts'
import type { StoredFile } from './data-rows.ts'
import type { TextTraining, TrainingSettings } from './train-text.ts'

type Plain = Readonly<Record<string, unknown>>

/** What is said of a version when it is registered. */
export interface TrainingFacts {
  readonly estimator: string
  readonly featureSchema: readonly string[]
  readonly metrics: Plain
  readonly data: Plain
  readonly seeds: Plain
  /** All that is needed to train it again, byte for byte; empty where that cannot be done. */
  readonly recipe: Plain
  readonly details: Plain
}

/** A model that was just learnt, and what is to be said of it. */
export interface Trained {
  readonly classifier: TextClassifier
  readonly facts?: Partial<TrainingFacts> | undefined
  /** Goes into the artefact, hence into its hash: nothing that differs from run to run. */
  readonly training?: Plain | undefined
  /** Whatever else the training found, for people. */
  readonly details?: Plain | undefined
}

/** With more labels the confusion matrix says nothing to a person, and is left out. */
const maxConfusionLabels = 64

export function trainedOf(
  result: TextTraining,
  settings: TrainingSettings,
  data: Plain,
  recipe: Plain,
): Trained {
  const { classifier, candidate, choice, report, warnings, seconds } = result
  const { clean, features, tfidf } = candidate
  const seed = settings.seed ?? 0
  const learnt = candidateText(candidate)
  return {
    classifier,
    facts: {
      estimator: learnt,
      featureSchema: [...new TextFeatures({ clean, features, tfidf }).names],
      metrics: {
        ...(report === undefined ? {} : headlineMetrics(report)),
        ...(choice === undefined ? {} : { crossValidation: choice.best.score }),
      },
      data,
      seeds: { seed },
      recipe,
      details: {
        seconds,
        warnings,
        ...(choice === undefined ? {} : { why: choice.why, tried: triedOf(choice.tried) }),
        ...(report === undefined ? {} : evaluationDetails(report)),
      },
    },
    training: { learnt, seed, data: withoutNames(data) },
  }
}

/**
 * The same rows under another file name are the same training: its bytes must not tell them apart.
 * The hash of several files has their names in it, so here it is of their hashes alone.
 */
function withoutNames(data: Plain): Plain {
  const entries = Object.entries(data).map(([part, facts]) => {
    const { files, ...nameless } = facts as Plain & { readonly files?: readonly StoredFile[] }
    if (files === undefined || files.length < 2) return [part, nameless]
    const all = createHash('sha256')
    for (const { sha256 } of files) all.update(sha256)
    return [part, { ...nameless, sha256: all.digest('hex') }]
  })
  return Object.fromEntries(entries)
}

/** The figures of a report that compare one version with another. */
export function headlineMetrics(report: EvaluationReport): Plain {
  const { count, accuracy, macroF1, weightedF1, balancedAccuracy, majorityShare } = report
  const { rocAuc, averagePrecision, logLoss, brier, ece, coverage, intervals } = report
  return {
    count,
    accuracy,
    macroF1,
    weightedF1,
    balancedAccuracy,
    majorityShare,
    rocAuc,
    averagePrecision,
    logLoss,
    brier,
    ece,
    ...(coverage === null
      ? {}
      : { coverage: coverage.coverage, answeredAccuracy: coverage.answeredAccuracy }),
    ...(intervals === null
      ? {}
      : { accuracyInterval: intervals.accuracy, macroF1Interval: intervals.macroF1 }),
  }
}

function evaluationDetails({
  confusion,
  labels,
  largestConfusions,
  unseenLabels,
}: EvaluationReport) {
  const isReadable = confusion !== null && confusion.labels.length <= maxConfusionLabels
  const someUnseen = unseenLabels.slice(0, maxConfusionLabels)
  return {
    largestConfusions,
    unseenLabels: someUnseen,
    ...(isReadable ? { confusion, labels } : {}),
  }
}

function triedOf(tried: NonNullable<TextTraining['choice']>['tried']) {
  return tried.map(({ candidate, score, deviation }) => ({
    candidate: candidateText(candidate),
    score,
    deviation,
  }))
}
