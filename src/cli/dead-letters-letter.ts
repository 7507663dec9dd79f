/** One dead letter, whole: for people, and as a line of JSON. */
import type { KeptDeadLetter } from '../pipeline/dead-letter-store.ts'
import { bytesText, oneLine, timeText } from './table.ts'
import { shown, textOf, valueJson } from './topics-message.ts'

/** One JSON object on one line; `value` and `valueEncoding` as `topics tail` has them. */
export function letterJson(letter: KeptDeadLetter): string {
  const { pipeline, id, step, error, message, topic, partition, offset, tries, cut } = letter
  const value = shown(letter.value)
  const head = JSON.stringify({
    ...{ pipeline, id, step, error, message, topic, partition, offset, tries },
    failedAt: timeText(letter.failedAtMs),
    time: timeText(letter.timeMs),
    ...(cut === undefined ? {} : { cut }),
    ...(value.encoding === 'text' || value.encoding === 'base64'
      ? { valueEncoding: value.encoding }
      : {}),
  })
  return `${head.slice(0, -1)},"value":${valueJson(value)}}`
}

/** A block of lines: why, from where, all headers, the value. */
export function letterText(letter: KeptDeadLetter): string {
  const { pipeline, id, step, error, message, topic, partition, offset, tries, cut } = letter
  const facts: Record<string, string> = {
    id,
    pipeline,
    step,
    error,
    message,
    'came from': `${topic}/${partition}, offset ${offset}, time ${timeText(letter.timeMs)}`,
    failed: `${timeText(letter.failedAtMs)}, ${tries} ${tries === 1 ? 'time' : 'times'} so far`,
    kept: `${pipeline}.dead-letters/${letter.keptIn.partition}, offset ${letter.keptIn.offset}`,
  }
  const lines = Object.entries(facts).map(([name, text]) => `${name.padEnd(10)} ${oneLine(text)}`)
  const headers = letter.headers.map(({ key, value }) => `  ${oneLine(key)}: ${textOf(value)}`)
  return [...lines, 'headers', ...headers, valueText(letter.value, cut)].join('\n')
}

function valueText(value: Buffer | null, cut: string | undefined): string {
  const size = value === null ? '' : `, ${bytesText(value.length)} (${value.length} bytes)`
  const [fullSize, hash] = cut?.split(' ') ?? []
  const note =
    cut === undefined
      ? ''
      : `, the beginning of ${fullSize} bytes with SHA-256 ${hash}: too big to keep whole, it cannot be replayed`
  const { encoding, text } = shown(value)
  const body = encoding === 'json' ? JSON.stringify(JSON.parse(text), null, 2) : textOf(value)
  return `value${size}${note}\n${body.replace(/^/gm, '  ')}`
}
