/**
 * Writes the mails as two files of labelled rows, for `millrace train` and the guide: those for
 * training, and those that come after.
 *
 *   node examples/spam-filter/export.ts
 */
import { writeFileSync } from 'node:fs'
import { type Mail, streamedMails, trainingMails } from './mails.ts'

const rowOf = ({ id, text, label, time }: Mail) =>
  JSON.stringify({ id, text, label, sent: new Date(time).toISOString() })

for (const [name, mails] of [
  ['mails-train.ndjson', trainingMails()],
  ['mails-later.ndjson', streamedMails()],
] as const) {
  writeFileSync(name, mails.map((mail) => `${rowOf(mail)}\n`).join(''))
  console.log(`${name}: ${mails.length} mails`)
}
