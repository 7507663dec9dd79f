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
const grid: Readonly<
  Partial<Record<EstimatorName, { option: string; values: readonly number[] }>>
> = {
  'multinomial-nb': { option: 'alpha', values: [1, 0.1, 0.01] },
  'complement-nb': { option: 'alpha', values: [1, 0.3, 0.1, 0.03] },
  'linear-svc': { option: 'C', values: [0.1, 0.3, 1] },
  'logistic-regression': { option: 'C', values: [10, 100] },
  'nb-svm': { option: 'C', values: [0.1, 1] },
}

/** Tried for the best estimators of the first round. */
const richer = ['word:1-1', 'word:1-3', 'word:1-2,char_wb:2-5']
/** How many estimators go into the second round. */
const kept = 2
/** With more rows in a fold the first round is held on an even part of them, about so many. */
const firstRoundRows = 3000
/** The best one's option is moved by this factor while that helps, so often at most. */
const refineFactor = 3
const maxRefinements = 4

export interface AutomaticOptions {
  readonly clean: readonly CleaningStep[]
  readonly shared: SharedVectorizerOptions
  /** Features to stay with; undefined: they are chosen too. */
  readonly features?: FeatureSettings | undefined
  /** How terms are weighed. Default: sublinear tf-idf. */
  readonly tfidf?: FeatureSettings['tfidf'] | undefined
  readonly metric: Metric
  readonly seed: number
  progress(line: string): void
}

export interface Choice {
  readonly best: CandidateScore
  /** All that were tried on all rows, the best first. */
  readonly tried: readonly CandidateScore[]
  /** Where there are many rows: the first round, held on a part of them, the best first. */
  readonly firstRound: readonly CandidateScore[]
  /** Why it was chosen, in a sentence or two. */
  readonly why: string
}

/** Throws `TRAINING_INVALID`. */
export function chooseCandidate(
  data: LabelledTexts,
  folds: readonly Fold[],
  options: AutomaticOptions,
): Choice {
  const { clean, shared, metric, tfidf = { sublinearTf: true } } = options
  const reading = (words: string): FeatureSettings => ({
    clean,
    features: featuresOf(words, shared),
    tfidf,
  })
  const first = options.features ?? reading('word:1-2')
  const thinned = thin(folds)
  const round = crossValidate(data, thinned, withGrid(first), options)
  const leaders = bestOfEachEstimator(round).slice(0, kept)
  const leading = leaders.map(({ candidate }) => candidate)
  // What part of the rows said is asked again of all.
  const tried = thinned === folds ? [...round] : crossValidate(data, folds, leading, options)
  if (options.features === undefined) {
    // Counts as they are, unless the weighing was given.
    const counts = options.tfidf === undefined ? [{ ...first, tfidf: false }] : []
    const others = [...richer.map(reading), ...counts]
    for (const features of others) {
      const candidates = leading.map((candidate) => ({ ...candidate, ...features }))
      tried.push(...crossValidate(data, folds, candidates, options))
    }
  }
  refine(data, folds, tried, options)
  tried.sort(byScore)
  const firstRound = thinned === folds ? [] : round.toSorted(byScore)
  return {
    best: tried[0]!,
    tried,
    firstRound,
    why: whyText(tried, firstRound, folds.length, metric),
  }
}

/** Every n-th row of each fold, so that it learns from about `firstRoundRows`; few rows: as they are. */
function thin(folds: readonly Fold[]): readonly Fold[] {
  const most = Math.max(...folds.map(({ train }) => train.length))
  const step = Math.floor(most / firstRoundRows)
  if (step < 2) return folds
  const every = (rows: Int32Array) => rows.filter((_, place) => place % step === 0)
  return folds.map(({ train, test }) => ({ train: every(train), test: every(test) }))
}

function withGrid(features: FeatureSettings): Candidate[] {
  return Object.entries(grid).flatMap(([estimator, { option, values }]) =>
    values.map((value) => ({
      ...features,
      estimator: estimator as EstimatorName,
      options: { [option]: value },
    })),
  )
}

/** Moves the best one's option up and down from where it is, as long as the score rises. */
function refine(
  data: LabelledTexts,
  folds: readonly Fold[],
  tried: CandidateScore[],
  options: AutomaticOptions,
): void {
  for (const factor of [refineFactor, 1 / refineFactor]) {
    for (let step = 0; step < maxRefinements; step++) {
      const best = tried.reduce((first, next) => (next.score > first.score ? next : first))
      const { candidate } = best
      const { option } = grid[candidate.estimator]!
      const value = Number((Number(candidate.options[option]) * factor).toPrecision(2))
      const next = { ...candidate, options: { [option]: value } }
      const text = candidateText(next)
      if (tried.some((one) => candidateText(one.candidate) === text)) break
      const [found] = crossValidate(data, folds, [next], options)
      tried.push(found!)
      if (found!.score <= best.score) break
    }
  }
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

function whyText(
  tried: readonly CandidateScore[],
  firstRound: readonly CandidateScore[],
  folds: number,
  metric: Metric,
): string {
  const [best] = tried
  const number = (value: number) => value.toFixed(4)
  const chosen = `${candidateText(best!.candidate)}: ${metric} ${number(best!.score)} (standard deviation ${number(best!.deviation)}) over ${folds} folds of the training rows, the highest of ${tried.length} tried${firstRound.length === 0 ? '' : `, after a first round of ${firstRound.length} on a part of the rows`}`
  const other = tried.find(({ candidate }) => candidate.estimator !== best!.candidate.estimator)
  return other === undefined
    ? chosen
    : `${chosen}; the best of another kind, ${candidateText(other.candidate)}, had ${number(other.score)}`
}
