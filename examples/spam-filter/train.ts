/**
 * Trains the spam filter: words and pairs of words, naive Bayes, the settings chosen by
 * cross-validation in time order, as they would have to be chosen by somebody who cannot see the
 * future.
 */
import { ConfusionMatrix } from 'millrace/evaluation'
import {
  CountVectorizer,
  documentFrequencies,
  mapColumns,
  type SparseMatrix,
  sliceRows,
  TfidfTransformer,
} from 'millrace/features'
import {
  type CompiledTextClassifier,
  MultinomialNB,
  multinomialNB,
  textClassifier,
} from 'millrace/models'
import type { Mail, MailLabel } from './mails.ts'

/** How many mails, the first in time, are for training. */
export const trainingCount = 2015

const folds = 5

export interface Settings {
  /** Counts as they are, a term counted once a mail, or tf-idf with 1 + ln(tf). */
  readonly weighing: 'count' | 'binary' | 'tfidf'
  /** In how many mails of the training a term must be. */
  readonly minDf: number
  /** How much naive Bayes doubts what it saw seldom. */
  readonly alpha: number
}

export interface TrainingResult {
  readonly classifier: CompiledTextClassifier<MailLabel>
  readonly settings: Settings
  /** The mean of the recalls of spam and of ham over all folds: what the settings were chosen by. */
  readonly crossValidationScore: number
  /** Of every setting that was tried, in order. */
  readonly tried: readonly (Settings & { readonly score: number })[]
  readonly seconds: number
}

const grid: readonly Settings[] = (['count', 'binary', 'tfidf'] as const).flatMap((weighing) =>
  [2, 3].flatMap((minDf) => [1, 0.1, 0.01].map((alpha) => ({ weighing, minDf, alpha }))),
)

/**
 * Learns from mails in time order. The criterion is the mean of the two recalls: it does not depend
 * on how common spam is, which falls from three in five to one in six after the training, so
 * accuracy on the training's mix would prefer to say spam too often. Of equals the first is taken.
 */
export function train(
  mails: readonly Mail[],
  progress: (line: string) => void = () => {},
): TrainingResult {
  const start = performance.now()
  const texts = mails.map((mail) => mail.text)
  const labels = mails.map((mail) => mail.label)
  const matrices = grid.map(() => new ConfusionMatrix(['ham', 'spam']))
  // Numbers the terms, once for all folds; which of them count is decided fold by fold.
  const counts = new CountVectorizer({ ngramRange: [1, 2] }).fitTransform(texts)
  for (let fold = 1; fold <= folds; fold++) {
    const end = Math.round((mails.length * fold) / (folds + 1))
    const nextEnd = Math.round((mails.length * (fold + 1)) / (folds + 1))
    tryFold(sliceRows(counts, 0, end), sliceRows(counts, end, nextEnd), labels, matrices)
    progress(`cross-validation ${fold}/${folds}: learnt ${end}, tried on the next ${nextEnd - end}`)
  }
  const tried = grid.map((settings, index) => ({
    ...settings,
    score: meanRecall(matrices[index]!),
  }))
  const { score, ...settings } = tried.reduce((best, next) =>
    next.score > best.score ? next : best,
  )
  const classifier = estimatorOf(settings).fit(texts, labels)
  const seconds = (performance.now() - start) / 1000
  return { classifier, settings, crossValidationScore: score, tried, seconds }
}

function estimatorOf({ weighing, minDf, alpha }: Settings) {
  return textClassifier({
    features: { ngramRange: [1, 2], minDf, binary: weighing === 'binary' },
    tfidf: weighing === 'tfidf' ? { sublinearTf: true } : false,
    estimator: multinomialNB({ alpha }),
  })
}

/** Tries every setting: learns from the rows before, adds the answers for the rows behind them. */
function tryFold(
  before: SparseMatrix,
  behind: SparseMatrix,
  labels: readonly MailLabel[],
  matrices: readonly ConfusionMatrix[],
): void {
  const known = labels.slice(0, before.rows)
  const truths = labels.slice(before.rows, before.rows + behind.rows)
  const weighed = new Map<string, readonly [SparseMatrix, SparseMatrix]>()
  for (const [index, settings] of grid.entries()) {
    const key = `${settings.weighing} ${settings.minDf}`
    if (!weighed.has(key)) weighed.set(key, weigh(before, behind, settings))
    const [learnt, asked] = weighed.get(key)!
    const model = new MultinomialNB<MailLabel>({ alpha: settings.alpha }).fit(learnt, known)
    for (const [row, answer] of model.predict(asked).entries()) {
      matrices[index]!.add(truths[row]!, answer)
    }
  }
}

/** Both matrices with the terms and weights that the first of them alone would give. */
function weigh(
  before: SparseMatrix,
  behind: SparseMatrix,
  { weighing, minDf }: Settings,
): readonly [SparseMatrix, SparseMatrix] {
  let columns = 0
  const newColumn = documentFrequencies(before).map((frequency) =>
    frequency >= minDf ? columns++ : -1,
  )
  const [learnt, asked] = [before, behind].map((matrix) => mapColumns(matrix, newColumn, columns))
  if (weighing === 'count') return [learnt!, asked!]
  if (weighing === 'binary') return [onesOf(learnt!), onesOf(asked!)]
  const transformer = new TfidfTransformer({ sublinearTf: true }).fit(learnt!)
  return [transformer.transform(learnt!), transformer.transform(asked!)]
}

function onesOf(matrix: SparseMatrix): SparseMatrix {
  return { ...matrix, data: new Float64Array(matrix.data.length).fill(1) }
}

function meanRecall(matrix: ConfusionMatrix): number {
  const { ham, spam } = matrix.report().labels
  return (ham!.recall + spam!.recall) / 2
}
