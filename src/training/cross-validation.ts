/**
 * Cross-validation of candidates: each is learnt without a fold and asked about it. Vocabulary and
 * document frequencies are learnt anew in each fold, so that nothing of the rows asked about is known.
 */
import { ConfusionMatrix } from '../evaluation/classification.ts'
import { TextFeatures } from '../features/text-features.ts'
import { estimatorNamed } from '../models/estimators.ts'
import { predictLabels } from '../models/linear.ts'
import { type Candidate, candidateText, featureText } from './candidate.ts'
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
  /** The mean of the metric over the folds. */
  readonly score: number
  /** The standard deviation over the folds, with n - 1. */
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
 * of the texts. Throws `TRAINING_INVALID`, as when a fold has one label alone.
 */
export function crossValidate(
  data: LabelledTexts,
  folds: readonly Fold[],
  candidates: readonly Candidate[],
  options: CrossValidationOptions,
): CandidateScore[] {
  const scores = candidates.map(() => ({ byFold: [] as number[], seconds: 0 }))
  for (const group of groupsByFeatures(candidates)) {
    const first = candidates[group[0]!]!
    for (const [index, fold] of folds.entries()) {
      const learnt = selectLabelled(data, fold.train)
      const asked = selectLabelled(data, fold.test)
      const features = new TextFeatures({
        clean: first.clean,
        features: first.features,
        tfidf: first.tfidf,
      })
      const learntRows = features.fitTransform(learnt.texts)
      const askedRows = features.transform(asked.texts)
      const { multiplicities } = features
      for (const place of group) {
        const candidate = candidates[place]!
        const start = performance.now()
        const weights = estimatorNamed(candidate.estimator, candidate.options).fitWeights(
          learntRows,
          learnt.labels,
          { seed: options.seed, multiplicities },
        )
        const score = scoreOf(predictLabels(weights, askedRows), asked.labels, options.metric)
        const seconds = (performance.now() - start) / 1000
        scores[place]!.byFold.push(score)
        scores[place]!.seconds += seconds
        options.progress(
          `fold ${index + 1}/${folds.length}: ${candidateText(candidate)}: ${options.metric} ${score.toFixed(4)} (${seconds.toFixed(1)} s)`,
        )
      }
    }
  }
  return candidates.map((candidate, place) => {
    const { byFold, seconds } = scores[place]!
    return { candidate, ...meanAndDeviation(byFold), seconds }
  })
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

function scoreOf(answers: readonly string[], truths: readonly string[], metric: Metric): number {
  const matrix = new ConfusionMatrix()
  for (const [row, truth] of truths.entries()) matrix.add(truth, answers[row]!)
  return matrix.report()[metric]
}

function meanAndDeviation(values: readonly number[]): { score: number; deviation: number } {
  const score = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - score) ** 2, 0)
  return { score, deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) }
}
