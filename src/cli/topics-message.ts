/** A message as one line: for people, and as JSON. Bytes that are no UTF-8 are shown as base64. */
import { isUtf8 } from 'node:buffer'
import type { Message } from '../core/message.ts'
import { oneLine, shortened, timeText } from './table.ts'
import type { WireView } from './wire-viewer.ts'

/** What bytes are: JSON as it stands, other text, or neither. */
export type Shown =
  | { readonly encoding: 'json' | 'text'; readonly text: string }
  | { readonly encoding: 'base64'; readonly text: string }
  | { readonly encoding: 'null'; readonly text: 'null' }

export function shown(bytes: Buffer | null): Shown {
  if (bytes === null) return { encoding: 'null', text: 'null' }
  if (!isUtf8(bytes)) return { encoding: 'base64', text: bytes.toString('base64') }
  const text = bytes.toString()
  return { encoding: isJson(text) ? 'json' : 'text', text }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/**
 * One JSON object: topic, partition, offset, id, key, time, value, headers. A JSON value stands as it
 * was written, so long numbers keep their digits; `valueEncoding` (`text`, `base64`) and
 * `keyEncoding` (`base64`) stand beside what is something else. A value in the wire format of schema
 * registries is what it says, with `valueFormat` and `schemaId`, or base64 and the `problem`.
 */
export function jsonLine(message: Message, view?: WireView): string {
  const { topic, partition, offset, id } = message
  const key = shown(message.key)
  const value = shown(message.value)
  const fields = [
    ...Object.entries({ topic, partition, offset, id }).map(([name, one]) => field(name, one)),
    field('key', key.encoding === 'null' ? null : key.text),
    ...(key.encoding === 'base64' ? [field('keyEncoding', 'base64')] : []),
    field('time', timeText(message.time)),
    ...(view === undefined ? plainFields(value) : viewFields(message.value!, view)),
    field('headers', headersJson(message)),
  ]
  return `{${fields.join(',')}}`
}

function plainFields(value: Shown): string[] {
  const isOdd = value.encoding === 'text' || value.encoding === 'base64'
  return [`"value":${valueJson(value)}`, ...(isOdd ? [field('valueEncoding', value.encoding)] : [])]
}

export function viewFields(bytes: Buffer, view: WireView): string[] {
  const { schemaId } = view
  if ('problem' in view) {
    const encoded = [field('value', bytes.toString('base64')), field('valueEncoding', 'base64')]
    return [...encoded, field('schemaId', schemaId), field('problem', view.problem)]
  }
  const { value, format } = view
  return [field('value', value), field('valueFormat', format), field('schemaId', schemaId)]
}

const field = (name: string, value: unknown) => `"${name}":${JSON.stringify(value)}`

/** Line breaks in JSON stand between its tokens only, so they can become blanks. */
export function valueJson({ encoding, text }: Shown): string {
  if (encoding === 'json') return text.replace(/[\r\n]+/g, ' ').trim()
  return encoding === 'null' ? 'null' : JSON.stringify(text)
}

/** A list, because a header may stand there twice. */
function headersJson(message: Message): object[] {
  return message.headers.map(({ key, value }) => {
    const { encoding, text } = shown(value)
    if (encoding === 'null') return { key, value: null }
    return encoding === 'base64' ? { key, value: text, encoding } : { key, value: text }
  })
}

/** Time, partition/offset, key and value; cut to `columns` on a terminal. */
export function textLine(message: Message, columns?: number, view?: WireView): string {
  const place = `${message.partition}/${message.offset}`
  const key = message.key === null ? '-' : textOf(message.key)
  const value = view === undefined ? textOf(message.value) : viewText(message.value!, view)
  const line = `${timeText(message.time)}  ${place}  ${key}  ${value}`
  return columns === undefined ? line : shortened(line, columns)
}

/** A value in the wire format for people, on one line. */
export function viewText(bytes: Buffer, view: WireView): string {
  if (!('problem' in view)) return JSON.stringify(view.value)
  const { schemaId, problem } = view
  return `(wire format, schema ${schemaId}: ${problem}) base64:${bytes.toString('base64')}`
}

/** Bytes for people, on one line; a null value says that it is a delete. */
export function textOf(bytes: Buffer | null): string {
  const { encoding, text } = shown(bytes)
  if (encoding === 'null') return '(null: a delete)'
  return encoding === 'base64' ? `base64:${text}` : oneLine(text)
}
