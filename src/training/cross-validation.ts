/**
 * Cross-validation of candidates: each is learnt without a fold and asked about it. Vocabulary and
 * document frequencies are learnt anew in each fold, so that nothing of the rows asked about is known.
 */
import { ConfusionMatrix } from '../evaluation/classification.ts'
import { TextFeatures } from '../features/text-features.ts'
import { estimatorNamed } from '../models/estimators.ts'
import { predictLabels } from '../models/linear.ts'
import { type Candidate, estimatorText, featureText } from './candidate.ts'
import { type LabelledTexts, selectLabelled } from './labelled.ts'

export const metrics = ['macroF1', 'accuracy', 'balancedAccuracy'] as const
export type Metric = (typeof metrics)[number]

/** Rows to learn from and rows to ask about. */
export interface Fold {
  readonly train: Int32Array
  readonly test: Int32Array
}

export interface CandidateScore {
  readonly candidate: Candidate
  /**
   * The metric over the answers of all folds together. Not the mean of the folds' metrics: a fold in
   * time order may hold one label alone, of which a recall or an F1 says nothing.
   */
  readonly score: number
  /** The standard deviation of the folds' metrics, with n - 1: how much the score is to be trusted. */
  readonly deviation: number
  /** Fitting and asking, all folds together, without the vectorisers' part. */
  readonly seconds: number
}

export interface CrossValidationOptions {
  readonly metric: Metric
  readonly seed: number
  progress(line: string): void
}

/**
 * The score of each candidate, in their order. Candidates with the same features share one reading
 * of the texts. A fold that learns from one label alone, as the first ones in time order may, is
 * answered with that label. Throws `TRAINING_INVALID`.
 */
export function crossValidate(
  data: LabelledTexts,
  folds: readonly Fold[],
  candidates: readonly Candidate[],
  options: CrossValidationOptions,
): CandidateScore[] {
  const trials = candidates.map(() => new Trial())
  for (const group of groupsByFeatures(candidates)) {
    const members = group.map((place) => ({ candidate: candidates[place]!, trial: trials[place]! }))
    for (const [index, fold] of folds.entries()) {
      tryFold(data, fold, members, options.seed)
      const best = members.reduce((first, next) =>
        next.trial.score(options.metric) > first.trial.score(options.metric) ? next : first,
      )
      options.progress(
        `${featureText(best.candidate)}: fold ${index + 1} of ${folds.length}, ${group.length} tried, ahead: ${estimatorText(best.candidate)} ${options.metric} ${best.trial.score(options.metric).toFixed(4)}`,
      )
    }
  }
  return candidates.map((candidate, place) => {
    const trial = trials[place]!
    const { metric } = options
    return {
      candidate,
      score: trial.score(metric),
      deviation: trial.deviation(metric),
      seconds: trial.seconds,
    }
  })
}

/** What a candidate answered in the folds so far. */
class Trial {
  readonly #all = new ConfusionMatrix()
  readonly #byFold: ConfusionMatrix[] = []
  seconds = 0

  add(answers: readonly string[], truths: readonly string[]): void {
    const matrix = new ConfusionMatrix()
    for (const [row, truth] of truths.entries()) {
      matrix.add(truth, answers[row]!)
      this.#all.add(truth, answers[row]!)
    }
    this.#byFold.push(matrix)
  }

  score(metric: Metric): number {
    return this.#all.report()[metric]
  }

  deviation(metric: Metric): number {
    const values = this.#byFold.map((matrix) => matrix.report()[metric])
    if (values.length < 2) return 0
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
    return Math.sqrt(squares / (values.length - 1))
  }
}

/** Reads the texts once for all members, which have the same features. */
function tryFold(
  data: LabelledTexts,
  fold: Fold,
  members: readonly { readonly candidate: Candidate; readonly trial: Trial }[],
  seed: number,
): void {
  const learnt = selectLabelled(data, fold.train)
  const asked = selectLabelled(data, fold.test)
  const [only, ...others] = new Set(learnt.labels)
  if (others.length === 0) {
    for (const { trial } of members)
      trial.add(
        asked.labels.map(() => only!),
        asked.labels,
      )
    return
  }
  const { clean, features: vectorizers, tfidf } = members[0]!.candidate
  const features = new TextFeatures({ clean, features: vectorizers, tfidf })
  const learntRows = features.fitTransform(learnt.texts)
  const askedRows = features.transform(asked.texts)
  const { multiplicities } = features
  for (const { candidate, trial } of members) {
    const start = performance.now()
    const estimator = estimatorNamed(candidate.estimator, candidate.options)
    const weights = estimator.fitWeights(learntRows, learnt.labels, { seed, multiplicities })
    trial.add(predictLabels(weights, askedRows), asked.labels)
    trial.seconds += (performance.now() - start) / 1000
  }
}

/** The places of candidates that read texts in the same way. */
function groupsByFeatures(candidates: readonly Candidate[]): number[][] {
  const groups = new Map<string, number[]>()
  for (const [place, candidate] of candidates.entries()) {
    const key = JSON.stringify([featureText(candidate), candidate.tfidf])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [place])
    else group.push(place)
  }
  return [...groups.values()]
}
