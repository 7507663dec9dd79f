/**
 * The spam filter with one pipeline more, whose step takes no date that cannot be: some of these mails
 * were sent in the year 102, and some at no time that can be read. Once the file that PAGE_APP_MENDED
 * names is there the step is mended, and takes wrong years.
 */
import { existsSync } from 'node:fs'
import { pipeline, topic } from 'millrace'

export * from '../examples/spam-filter/app.ts'

interface Dated {
  readonly id: string
  readonly subject: string
  readonly date: string
}

const isMended = () => existsSync(process.env.PAGE_APP_MENDED ?? '')

function dayOf(date: string): string {
  const time = new Date(date)
  if (Number.isNaN(time.getTime())) throw new SyntaxError(`'${date}' is no date`)
  const year = time.getUTCFullYear()
  if ((year < 1999 || year > 2004) && !isMended()) {
    throw new RangeError(`'${date}': nobody sent a mail of this collection in the year ${year}`)
  }
  return time.toISOString().slice(0, 10)
}

export const days = pipeline('days')
  .from(topic<Dated>('mails'))
  .map('day', ({ id, subject, date }) => ({ id, subject, day: dayOf(date) }))
  .to(topic('mails.days'))
