/** One dead letter, whole: for people, and as a line of JSON. */
import type { KeptDeadLetter } from '../pipeline/dead-letter-store.ts'
import { bytesText, oneLine, timeText } from './table.ts'
import { shown, textOf, valueJson, viewFields } from './topics-message.ts'
import type { WireView } from './wire-viewer.ts'

/** One JSON object on one line; `value` and what is beside it as `topics tail` has them. */
export function letterJson(letter: KeptDeadLetter, view?: WireView): string {
  const { pipeline, id, step, error, message, topic, partition, offset, tries, cut } = letter
  const value = shown(letter.value)
  const isOdd = value.encoding === 'text' || value.encoding === 'base64'
  const head = JSON.stringify({
    ...{ pipeline, id, step, error, message, topic, partition, offset, tries },
    failedAt: timeText(letter.failedAtMs),
    time: timeText(letter.timeMs),
    ...(cut === undefined ? {} : { cut }),
    ...(isOdd && view === undefined ? { valueEncoding: value.encoding } : {}),
  })
  if (view !== undefined) {
    return `${head.slice(0, -1)},${viewFields(letter.value!, view).join(',')}}`
  }
  return `${head.slice(0, -1)},"value":${valueJson(value)}}`
}

/** A block of lines: why, from where, all headers, the value. */
export function letterText(letter: KeptDeadLetter, view?: WireView): string {
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
  return [...lines, 'headers', ...headers, valueText(letter.value, cut, view)].join('\n')
}

function valueText(value: Buffer | null, cut: string | undefined, view?: WireView): string {
  const size = value === null ? '' : `, ${bytesText(value.length)} (${value.length} bytes)`
  const [fullSize, hash] = cut?.split(' ') ?? []
  const note =
    cut === undefined
      ? ''
      : `, the beginning of ${fullSize} bytes with SHA-256 ${hash}: too big to keep whole, it cannot be replayed`
  if (view !== undefined) {
    const what = `, in the wire format with schema ${view.schemaId}`
    const body =
      'problem' in view
        ? `${view.problem}\nbase64:${value!.toString('base64')}`
        : JSON.stringify(view.value, null, 2)
    return `value${size}${what}${note}\n${body.replace(/^/gm, '  ')}`
  }
  const { encoding, text } = shown(value)
  const body = encoding === 'json' ? JSON.stringify(JSON.parse(text), null, 2) : textOf(value)
  return `value${size}${note}\n${body.replace(/^/gm, '  ')}`
}
