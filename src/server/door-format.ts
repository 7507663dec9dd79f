/**
 * The three forms of a body, told apart by Content-Type alone, so that a value with a field of its
 * own called `messages` is never taken for a batch: `application/json` is one value,
 * `application/vnd.millrace.batch+json` is `{"messages": [...]}`, `application/x-ndjson` a value a
 * line. Values are kept as the bytes that came.
 */
import { isUtf8 } from 'node:buffer'
import { messageOf, suggestion } from '../core/errors.ts'
import { batchValues, depthOf, trimmed } from './door-json.ts'
import type { DoorLimits } from './door-limits.ts'
import { type RefusalDetails, Refused } from './door-refusal.ts'

export type Form = 'value' | 'batch' | 'lines'

/** One message as the request says it; nothing is looked up or checked against its topic yet. */
export interface Sent {
  /** What JSON.parse made of it. */
  readonly value: unknown
  /** Its JSON as it came. */
  readonly bytes: Buffer
  /** Undefined: it says nothing of a key; null: it shall have none. */
  readonly key?: string | null | undefined
  readonly time?: number | string | undefined
  readonly headers?: Readonly<Record<string, string | null>> | undefined
  readonly id?: string | undefined
  /** Of the body, from 1: NDJSON. */
  readonly line?: number
}

const forms: Readonly<Record<string, Form>> = {
  'application/json': 'value',
  'application/vnd.millrace.batch+json': 'batch',
  'application/x-ndjson': 'lines',
  'application/ndjson': 'lines',
  'application/jsonl': 'lines',
}

/** Throws a refusal, 415. */
export function formOf(contentType: string | null): Form {
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim())
  const form = Object.hasOwn(forms, type.toLowerCase()) ? forms[type.toLowerCase()] : undefined
  const takes = 'application/json, application/vnd.millrace.batch+json, application/x-ndjson'
  const headers = { Accept: takes }
  if (form === undefined) {
    const seen = contentType === null ? 'Content-Type is missing' : 'Content-Type is another'
    throw new Refused(415, 'CONTENT_TYPE', `${seen}; taken are ${takes}`, { headers })
  }
  const charset = parameters.find((one) => /^charset=/i.test(one))
  if (charset !== undefined && !/^charset="?utf-?8"?$/i.test(charset)) {
    throw new Refused(415, 'CONTENT_TYPE', 'JSON is UTF-8; leave the charset out', { headers })
  }
  return form
}

/** All messages of a body. Throws refusals, 400 and 413, that name the first that is wrong. */
export function messagesIn(form: Form, body: Buffer, limits: DoorLimits): Sent[] {
  if (!isUtf8(body)) throw invalid(`the body is not UTF-8${lineOfBadUtf8(form, body)}`)
  const sent = form === 'lines' ? linesOf(body, limits) : jsonOf(form, body, limits)
  if (sent.length === 0) throw invalid('the body has no message')
  if (sent.length > limits.messagesPerRequest) throw tooMany(limits)
  return sent
}

const invalid = (message: string, more: RefusalDetails = {}) =>
  new Refused(400, 'BODY_INVALID', message, more)

const tooMany = ({ messagesPerRequest }: DoorLimits) =>
  new Refused(
    413,
    'TOO_MANY_MESSAGES',
    `a request takes at most ${messagesPerRequest} messages; send them in parts`,
  )

function linesOf(body: Buffer, limits: DoorLimits): Sent[] {
  const sent: Sent[] = []
  let line = 0
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf(0x0a, start)
    const end = newline < 0 ? body.length : newline
    line++
    const bytes = trimmed(body, start, end)
    start = end + 1
    if (bytes.length === 0) continue
    if (sent.length === limits.messagesPerRequest) throw tooMany(limits)
    const where = { index: sent.length, line }
    sent.push({ value: parsed(bytes, limits, where), bytes, line })
  }
  return sent
}

function jsonOf(form: Form, body: Buffer, limits: DoorLimits): Sent[] {
  const bytes = trimmed(body)
  if (form === 'value') return [{ value: parsed(bytes, limits, { index: 0 }), bytes }]
  const batch = parsed(bytes, limits, {})
  const entries = isRecord(batch) ? batch.messages : undefined
  if (!Array.isArray(entries)) {
    throw invalid('a batch is an object { "messages": [...] }; one value is application/json')
  }
  refuseOthers(batch as object, ['messages'], {})
  if (entries.length > limits.messagesPerRequest) throw tooMany(limits)
  const values = batchValues(bytes)
  return entries.map((entry: unknown, index) => entryOf(entry, values[index], index))
}

/** Throws a refusal, 400, with what JSON.parse says. */
function parsed(bytes: Buffer, limits: DoorLimits, where: RefusalDetails): unknown {
  const at = where.line === undefined ? '' : `line ${where.line}: `
  // First of all: what is nested a million deep takes much memory when it is parsed.
  if (depthOf(bytes) > limits.depth) {
    throw invalid(`${at}nested deeper than ${limits.depth}`, where)
  }
  try {
    return JSON.parse(bytes.toString())
  } catch (error) {
    // The words quote the text, which may be long.
    throw invalid(`${at}not JSON: ${messageOf(error).slice(0, 200)}`, where)
  }
}

const entryFields = ['key', 'value', 'time', 'headers', 'id']

function entryOf(entry: unknown, bytes: Buffer | undefined, index: number): Sent {
  const where = { index }
  if (!isRecord(entry)) throw invalid(`message ${index} is not an object`, where)
  refuseOthers(entry, entryFields, where)
  const { key, value, time, headers, id } = entry
  const wrong = (field: string, wanted: string) =>
    invalid(`message ${index}: '${field}' is not ${wanted}`, where)
  if (bytes === undefined) throw invalid(`message ${index} has no 'value'`, where)
  if (key !== undefined && key !== null && typeof key !== 'string') {
    throw wrong('key', 'a string or null')
  }
  if (time !== undefined && typeof time !== 'number' && typeof time !== 'string') {
    throw wrong('time', 'milliseconds since 1970 or an ISO date')
  }
  if (headers !== undefined && !isHeaders(headers)) {
    throw wrong('headers', 'an object of strings and nulls')
  }
  if (id !== undefined && typeof id !== 'string') throw wrong('id', 'a string')
  return { value, bytes, key, time, headers, id }
}

function refuseOthers(object: object, known: readonly string[], where: RefusalDetails): void {
  const unknown = Object.keys(object).find((field) => !known.includes(field))
  if (unknown === undefined) return
  const field = unknown.slice(0, 100)
  const hint = suggestion(field, known) || `known: ${known.join(', ')}`
  const what = where.index === undefined ? 'the batch' : `message ${where.index}`
  throw invalid(`${what}: unknown field '${field}', ${hint}`, where)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isHeaders(value: unknown): value is Readonly<Record<string, string | null>> {
  return (
    isRecord(value) &&
    Object.values(value).every((header) => header === null || typeof header === 'string')
  )
}

function lineOfBadUtf8(form: Form, body: Buffer): string {
  if (form !== 'lines') return ''
  let line = 1
  for (let start = 0; start < body.length; line++) {
    const newline = body.indexOf(0x0a, start)
    const end = newline < 0 ? body.length : newline
    if (!isUtf8(body.subarray(start, end))) return ` (line ${line})`
    start = end + 1
  }
  return ''
}
