/**
 * The choice of an estimator by cross-validation on the training rows alone: first every estimator on
 * words and pairs of words, then the best of them on richer features.
 */
import type { CleaningStep } from '../features/clean.ts'
import type { EstimatorName } from '../models/estimators.ts'
import { type Candidate, candidateText, type FeatureSettings } from './candidate.ts'
import { type CandidateScore, crossValidate, type Fold, type Metric } from './cross-validation.ts'
import { featuresOf, type SharedVectorizerOptions } from './feature-words.ts'
import type { LabelledTexts } from './labelled.ts'

/** What each estimator is tried with: what matters most for it, from few values far apart. */
const grid: Readonly<Partial<Record<EstimatorName, readonly Readonly<Record<string, unknown>>[]>>> =
  {
    'multinomial-nb': [{ alpha: 1 }, { alpha: 0.1 }, { alpha: 0.01 }],
    'complement-nb': [{ alpha: 1 }, { alpha: 0.3 }, { alpha: 0.1 }, { alpha: 0.03 }],
    'linear-svc': [{ C: 0.1 }, { C: 0.3 }, { C: 1 }],
    'logistic-regression': [{ C: 10 }, { C: 100 }],
    'nb-svm': [{ C: 0.1 }, { C: 1 }],
  }

/** Tried for the best estimators of the first round. */
const richer = ['word:1-1', 'word:1-3', 'word:1-2,char_wb:2-5']
const kept = 2

export interface AutomaticOptions {
  readonly clean: readonly CleaningStep[]
  readonly shared: SharedVectorizerOptions
  /** Features to stay with; undefined: they are chosen too. */
  readonly features?: FeatureSettings | undefined
  readonly metric: Metric
  readonly seed: number
  progress(line: string): void
}

export interface Choice {
  readonly best: CandidateScore
  /** All that were tried, the best first. */
  readonly tried: readonly CandidateScore[]
  /** Why it was chosen, in a sentence or two. */
  readonly why: string
}

/** Throws `TRAINING_INVALID`. */
export function chooseCandidate(
  data: LabelledTexts,
  folds: readonly Fold[],
  options: AutomaticOptions,
): Choice {
  const { clean, shared, metric } = options
  const sublinear = (words: string): FeatureSettings => ({
    clean,
    features: featuresOf(words, shared),
    tfidf: { sublinearTf: true },
  })
  const first = options.features ?? sublinear('word:1-2')
  const tried = crossValidate(data, folds, withGrid(first), options)
  const leaders = bestOfEachEstimator(tried).slice(0, kept)
  if (options.features === undefined) {
    for (const words of richer) {
      options.progress(
        `trying ${words} with ${leaders.map(({ candidate }) => candidate.estimator).join(' and ')}`,
      )
      const candidates = leaders.map(({ candidate }) => ({ ...candidate, ...sublinear(words) }))
      tried.push(...crossValidate(data, folds, candidates, options))
    }
  }
  tried.sort(byScore)
  return { best: tried[0]!, tried, why: whyText(tried, folds.length, metric) }
}

function withGrid(features: FeatureSettings): Candidate[] {
  return Object.entries(grid).flatMap(([estimator, settings]) =>
    settings.map((options) => ({ ...features, estimator: estimator as EstimatorName, options })),
  )
}

const byScore = (a: CandidateScore, b: CandidateScore) => b.score - a.score

function bestOfEachEstimator(tried: readonly CandidateScore[]): CandidateScore[] {
  const best = new Map<EstimatorName, CandidateScore>()
  for (const one of tried) {
    const known = best.get(one.candidate.estimator)
    if (known === undefined || one.score > known.score) best.set(one.candidate.estimator, one)
  }
  return [...best.values()].sort(byScore)
}

function whyText(tried: readonly CandidateScore[], folds: number, metric: Metric): string {
  const [best] = tried
  const number = (value: number) => value.toFixed(4)
  const chosen = `${candidateText(best!.candidate)}: ${metric} ${number(best!.score)} (standard deviation ${number(best!.deviation)}) over ${folds} folds of the training rows, the highest of ${tried.length} tried`
  const other = tried.find(({ candidate }) => candidate.estimator !== best!.candidate.estimator)
  return other === undefined
    ? chosen
    : `${chosen}; the best of another kind, ${candidateText(other.candidate)}, had ${number(other.score)}`
}
