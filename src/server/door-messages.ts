/** From what was sent to what is appended: schema, key, time, headers, size, partition. */
import { codeOf, messageOf } from '../core/errors.ts'
import { encodeHeaders, type Header, noHeaders } from '../core/headers.ts'
import { idHeader } from '../core/identity.ts'
import type { Schema, SchemaIssue } from '../core/schema.ts'
import type { Codec, Format } from '../formats/format.ts'
import type { TopicInfo } from '../log/log.ts'
import type { Sent } from './door-format.ts'
import { type RefusalDetails, Refused } from './door-refusal.ts'

/** What an application declares of a topic, as far as it matters to whoever writes there. */
export interface DoorTopic {
  readonly name: string
  /** How values are stored; without one, what is stored is what came. */
  readonly format?: Format | undefined
  /** Values are checked by it, and stored as they came. */
  readonly schema?: Schema | undefined
  /** The key of a value; it decides, and a message that names another key is refused. */
  readonly key?: ((value: never) => string | null) | undefined
  /** The time of a value; it decides, and a message that names another time is refused. */
  readonly time?: ((value: never) => Date | string | number) | undefined
}

/** A message that can be appended. */
export interface Ready {
  readonly key: Buffer | null
  /** Null: a delete. */
  readonly value: Buffer | null
  readonly time: number
  readonly headers: Buffer
  /** What the sender named it, as it is kept: `http:...`. */
  readonly id: string | undefined
}

export interface Asked {
  /** `?key=`: for messages that name none. */
  readonly key: string | undefined
  /** `?id=`: for a request of one value. */
  readonly id: string | undefined
  readonly now: number
}

/** All messages, or a refusal (400, 413) that names the first that cannot be taken. */
export async function readyMessages(
  sent: readonly Sent[],
  declared: DoorTopic | undefined,
  info: TopicInfo,
  asked: Asked,
  codec?: Codec,
): Promise<Ready[]> {
  const ready: Ready[] = []
  for (let index = 0; index < sent.length; index++) {
    const one = sent[index]!
    const where: Where = one.line === undefined ? { index } : { index, line: one.line }
    // A null is a delete: there is nothing to check, and its key is all there is to it.
    let value = one.value
    if (declared?.schema !== undefined && value !== null) {
      const checked = check(declared.schema, value, where)
      value = checked instanceof Promise ? await checked : checked
    }
    ready.push(readyOne(one, value, { declared, info, asked, where, codec }))
  }
  return ready
}

type Where = RefusalDetails & { readonly index: number }

interface Context {
  readonly declared: DoorTopic | undefined
  readonly info: TopicInfo
  readonly asked: Asked
  readonly where: Where
  /** Of the topic's format. */
  readonly codec: Codec | undefined
}

function readyOne(sent: Sent, checked: unknown, context: Context): Ready {
  const { asked, info, where, codec } = context
  const key = keyOf(sent, checked, context)
  const isDelete = sent.value === null
  if (isDelete && key === null) throw refusal('a null is a delete and needs a key', where)
  const id = idOf(sent.id ?? asked.id, where)
  const message: Ready = {
    key: key === null ? null : Buffer.from(key),
    value: isDelete ? null : codec === undefined ? sent.bytes : encoded(codec, sent.value, where),
    time: timeOf(sent, checked, context),
    headers: headersOf(sent.headers, id, where),
    id,
  }
  const sizeBytes =
    (message.key?.length ?? 0) + (message.value?.length ?? 0) + message.headers.length
  if (sizeBytes > info.maxMessageBytes) {
    const words = `has ${sizeBytes} bytes, topic ${info.name} takes ${info.maxMessageBytes}`
    throw new Refused(413, 'MESSAGE_TOO_LARGE', `message ${where.index} ${words}`, where)
  }
  return message
}

/** A copy, as the codec's own bytes hold until the next message. */
function encoded(codec: Codec, value: unknown, where: Where): Buffer {
  try {
    return Buffer.from(codec.encode(value))
  } catch (error) {
    if (codeOf(error) !== 'VALUE_UNWRITABLE') throw error
    throw refusal(messageOf(error), where)
  }
}

function refusal(message: string, where: Where, more: RefusalDetails = {}): Refused {
  const line = where.line === undefined ? '' : ` (line ${where.line})`
  const text = `message ${where.index}${line}: ${message}`
  return new Refused(400, 'MESSAGE_INVALID', text, { ...where, ...more })
}

/** The schema's output for a value. */
function check(schema: Schema, value: unknown, where: Where): unknown {
  const result = guarded('schema', where, () => schema['~standard'].validate(value))
  const settle = (settled: Awaited<typeof result>) => {
    if (settled.issues === undefined) return settled.value
    const [first] = settled.issues
    const path = pathOf(first)
    const words = settled.issues.slice(0, 3).map(describe).join('; ')
    throw refusal(words, where, path === '' ? {} : { path })
  }
  return result instanceof Promise ? result.then(settle) : settle(result)
}

function describe(issue: SchemaIssue): string {
  const path = pathOf(issue)
  return path === '' ? issue.message : `${path}: ${issue.message}`
}

function pathOf(issue: SchemaIssue | undefined): string {
  const parts = issue?.path ?? []
  return parts.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
}

/** What a function of the application throws at a value is the value's fault: a refusal. */
function guarded<Result>(what: string, where: Where, call: () => Result): Result {
  try {
    return call()
  } catch (error) {
    if (codeOf(error) !== undefined) throw error
    throw refusal(`the topic's ${what} throws: ${messageOf(error).slice(0, 300)}`, where)
  }
}

function keyOf(sent: Sent, checked: unknown, { declared, asked, where }: Context): string | null {
  const given = sent.key === undefined ? asked.key : sent.key
  if (declared?.key === undefined || sent.value === null) return wellFormedKey(given ?? null, where)
  const { key } = declared
  const own = guarded('key function', where, () => key(checked as never)) ?? null
  if (given !== undefined && given !== own) {
    const words = `its key is ${shown(own)} by the topic's own key function, not ${shown(given)}`
    throw refusal(words, where)
  }
  return wellFormedKey(own, where)
}

const shown = (key: unknown) => JSON.stringify(key)?.slice(0, 100) ?? 'undefined'

function wellFormedKey(key: unknown, where: Where): string | null {
  if (key === null) return null
  if (typeof key !== 'string') throw refusal(`the key is a ${typeof key}, not a string`, where)
  if (!key.isWellFormed()) {
    throw refusal('the key has a lone surrogate, which UTF-8 cannot hold', where)
  }
  return key
}

function timeOf(sent: Sent, checked: unknown, { declared, asked, where }: Context): number {
  const given = sent.time === undefined ? undefined : millisecondsOf(sent.time, where)
  if (declared?.time === undefined || sent.value === null) return given ?? asked.now
  const { time } = declared
  const own = millisecondsOf(
    guarded('time function', where, () => time(checked as never)),
    where,
  )
  if (given === undefined || given === own) return own
  const words = `its time is ${own} by the topic's own time function, not ${given}`
  throw refusal(words, where)
}

function millisecondsOf(time: Date | string | number, where: Where): number {
  // new Date(null) would be 1970.
  const timeMs = typeof time === 'number' ? time : new Date(time ?? Number.NaN).getTime()
  if (Math.abs(timeMs) <= 8.64e15) return Math.trunc(timeMs)
  throw refusal(`the time ${shown(time)} is no date (milliseconds since 1970, ISO text)`, where)
}

const maxIdLength = 512

function idOf(id: string | undefined, where: Where): string | undefined {
  if (id === undefined) return undefined
  if (id === '' || id.length > maxIdLength || !id.isWellFormed()) {
    throw refusal(`an id has 1 to ${maxIdLength} characters and no lone surrogate`, where)
  }
  return `http:${id}`
}

function headersOf(
  given: Readonly<Record<string, string | null>> | undefined,
  id: string | undefined,
  where: Where,
): Buffer {
  if (given === undefined && id === undefined) return noHeaders
  const headers: Header[] = id === undefined ? [] : [{ key: idHeader, value: Buffer.from(id) }]
  for (const [name, value] of Object.entries(given ?? {})) {
    if (name.startsWith('millrace.')) {
      throw refusal("headers that begin with 'millrace.' are Millrace's own", where)
    }
    if (!name.isWellFormed() || value?.isWellFormed() === false) {
      throw refusal('a header has a lone surrogate, which UTF-8 cannot hold', where)
    }
    headers.push({ key: name, value: value === null ? null : Buffer.from(value) })
  }
  return encodeHeaders(headers)
}
