/**
 * Trains the spam filter: words and pairs of words, naive Bayes, the settings chosen by
 * cross-validation in time order, as somebody would have to who cannot see the future.
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
import { type Mail, type MailLabel, trainingMails } from './mails.ts'

/** Counts as they are, a term counted once a mail, or tf-idf with 1 + ln(tf). */
type Weighing = 'count' | 'binary' | 'tfidf'

export interface Settings {
  readonly weighing: Weighing
  /** In how many mails of the training a term must be. */
  readonly minDf: number
  /** How much naive Bayes doubts what it saw seldom. */
  readonly alpha: number
}

export interface TrainingResult {
  readonly classifier: CompiledTextClassifier<MailLabel>
  readonly settings: Settings
  /** The mean of the recalls of ham and of spam over all folds: what the settings were chosen by. */
  readonly crossValidationScore: number
  /** All settings that were tried. */
  readonly tried: readonly (Settings & { readonly score: number })[]
  readonly seconds: number
}

const folds = 5
const minDfs = [2, 3]
const weighings: readonly Weighing[] = ['count', 'binary', 'tfidf']
const alphas = [1, 0.1, 0.01]
const grid: readonly Settings[] = minDfs.flatMap((minDf) =>
  weighings.flatMap((weighing) => alphas.map((alpha) => ({ weighing, minDf, alpha }))),
)

/** What the pipeline calls when the model was never trained here. */
export async function train({ progress }: { progress(line: string): void }) {
  const mails = trainingMails()
  const { classifier, settings, crossValidationScore, seconds } = trainOn(mails, progress)
  const crossValidationMeanRecall = crossValidationScore
  const details = { mails: mails.length, ...settings, crossValidationMeanRecall, seconds }
  return { classifier, details }
}

/**
 * Learns from mails in time order. The settings are those with the highest mean of the two recalls:
 * it does not depend on how common spam is, which falls from three mails in five to one in six after
 * the training, so that accuracy on the training's mix would forgive calling ham spam too easily. Of
 * equals the first is taken.
 */
export function trainOn(
  mails: readonly Mail[],
  progress: (line: string) => void = () => {},
): TrainingResult {
  const start = performance.now()
  const texts = mails.map((mail) => mail.text)
  const labels = mails.map((mail) => mail.label)
  // Numbers the terms, once for all folds; which of them count is decided fold by fold.
  const counts = new CountVectorizer({ ngramRange: [1, 2] }).fitTransform(texts)
  const matrices = grid.map(() => new ConfusionMatrix(['ham', 'spam']))
  for (let fold = 1; fold <= folds; fold++) {
    const end = Math.round((mails.length * fold) / (folds + 1))
    const nextEnd = Math.round((mails.length * (fold + 1)) / (folds + 1))
    tryFold(
      { rows: sliceRows(counts, 0, end), labels: labels.slice(0, end) },
      { rows: sliceRows(counts, end, nextEnd), labels: labels.slice(end, nextEnd) },
      matrices,
    )
    progress(`cross-validation ${fold}/${folds}: learnt ${end}, tried on the next ${nextEnd - end}`)
  }
  const tried = grid.map((settings, index) => ({
    ...settings,
    score: meanRecall(matrices[index]!),
  }))
  const best = tried.reduce((first, next) => (next.score > first.score ? next : first))
  const { score: crossValidationScore, ...settings } = best
  const classifier = estimatorOf(settings).fit(texts, labels)
  const seconds = (performance.now() - start) / 1000
  return { classifier, settings, crossValidationScore, tried, seconds }
}

function estimatorOf({ weighing, minDf, alpha }: Settings) {
  return textClassifier({
    features: { ngramRange: [1, 2], minDf, binary: weighing === 'binary' },
    tfidf: weighing === 'tfidf' ? { sublinearTf: true } : false,
    estimator: multinomialNB({ alpha }),
  })
}

interface Labelled {
  readonly rows: SparseMatrix
  readonly labels: readonly MailLabel[]
}

/** Tries the grid, in its order: learns from the rows before, answers for the rows behind them. */
function tryFold(before: Labelled, behind: Labelled, matrices: readonly ConfusionMatrix[]): void {
  const frequencies = documentFrequencies(before.rows)
  let tried = 0
  for (const minDf of minDfs) {
    let columns = 0
    const newColumn = frequencies.map((frequency) => (frequency >= minDf ? columns++ : -1))
    const beforeCounts = mapColumns(before.rows, newColumn, columns)
    const behindCounts = mapColumns(behind.rows, newColumn, columns)
    for (const weighing of weighings) {
      const [learnt, asked] = weigh(weighing, beforeCounts, behindCounts)
      for (const alpha of alphas) {
        const model = new MultinomialNB<MailLabel>({ alpha }).fit(learnt, before.labels)
        for (const [row, answer] of model.predict(asked).entries()) {
          matrices[tried]!.add(behind.labels[row]!, answer)
        }
        tried++
      }
    }
  }
}

/** Both matrices with the weights that the first of them alone would give. */
function weigh(
  weighing: Weighing,
  before: SparseMatrix,
  behind: SparseMatrix,
): readonly [SparseMatrix, SparseMatrix] {
  if (weighing === 'count') return [before, behind]
  if (weighing === 'binary') return [onesOf(before), onesOf(behind)]
  const transformer = new TfidfTransformer({ sublinearTf: true }).fit(before)
  return [transformer.transform(before), transformer.transform(behind)]
}

function onesOf(matrix: SparseMatrix): SparseMatrix {
  return { ...matrix, data: new Float64Array(matrix.data.length).fill(1) }
}

function meanRecall(matrix: ConfusionMatrix): number {
  const { ham, spam } = matrix.report().labels
  return (ham!.recall + spam!.recall) / 2
}
