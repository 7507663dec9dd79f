/**
 * Dead letters: what a step could not take, kept in the compacted topic `<pipeline>.dead-letters`
 * with where it came from and why. Headers have Kafka Streams' names where it has one (KIP-1034).
 */
import { createHash } from 'node:crypto'
import type { Batch } from '../core/batch.ts'
import type { BatchBuilder } from '../core/batch-builder.ts'
import { decodeHeaders, type Header } from '../core/headers.ts'
import { idHeader, idOf, versionOf, withIdentity } from '../core/identity.ts'
import type { Failure } from './decode.ts'
import { watermarkHeader } from './event-time.ts'

export const deadLetterTopic = (pipeline: string) => `${pipeline}.dead-letters`
export const replayTopic = (pipeline: string) => `${pipeline}.replay`

export const deadHeaders = {
  error: '__streams.errors.exception',
  message: '__streams.errors.message',
  topic: '__streams.errors.topic',
  partition: '__streams.errors.partition',
  offset: '__streams.errors.offset',
  step: 'millrace.dead.step',
  key: 'millrace.dead.key',
  failedAt: 'millrace.dead.failed-at',
  tries: 'millrace.dead.tries',
  /** The step behind which the value goes in again; absent: at the pipeline's input. */
  entry: 'millrace.dead.entry',
  /** The value was too big to keep: its size and SHA-256. */
  cut: 'millrace.dead.cut',
  /** The id of the message whose step failed, where a flatMap or join had given it another. */
  id: 'millrace.dead.id',
  /** The message was a delete. A null value here would be a tombstone, which compaction takes. */
  delete: 'millrace.dead.delete',
} as const

/** Of a value that is too big for a message, this much is kept. */
const keptBytes = 64 * 1024

/** The key under which a dead letter is kept: a second failure of the same message replaces it. */
export const deadLetterKey = (step: string, id: string) => `${step}:${id}`

export interface DeadLetterPlace {
  readonly step: string
  readonly nowMs: number
  readonly maxMessageBytes: number
  /** The message was a dead letter before, and carries where it came from. */
  readonly isReplay?: boolean
}

/** Appends one failure with the raw message it came from, or with what a step with state made of it. */
export function appendDeadLetter(
  builder: BatchBuilder,
  batch: Batch,
  told: Failure,
  place: DeadLetterPlace,
): void {
  // What no replay can go on from is not kept in the place of the message.
  const json = told.entry?.json
  const failure = json === undefined ? { ...told, entry: undefined } : told
  const { origin, entry } = failure
  const start = batch.valueStarts[origin]!
  const input = start < 0 ? null : batch.bytes.subarray(start, batch.valueEnds[origin]!)
  const raw = json === undefined ? input : Buffer.from(json)
  const headers = failureHeaders(batch, failure, place)
  const room = place.maxMessageBytes - sizeOf(headers) - failure.id.length * 3 - 1024
  const cut = raw !== null && raw.length > room
  if (cut) headers.push(header(deadHeaders.cut, `${raw.length} ${sha256(raw)}`))
  if (raw === null) headers.push(header(deadHeaders.delete, ''))
  const value = cut ? raw.subarray(0, Math.min(keptBytes, room)) : (raw ?? '')
  const time = entry?.identity.time ?? batch.times[origin]!
  builder.append(deadLetterKey(place.step, failure.id), value, time, headers)
}

function failureHeaders(batch: Batch, failure: Failure, place: DeadLetterPlace): Header[] {
  const { origin, entry } = failure
  const carried = decodeHeaders(batch.bytes, batch.headerStarts[origin]!, batch.headerEnds[origin]!)
  const own: ReadonlySet<string> = new Set([...Object.values(deadHeaders), watermarkHeader])
  const told = place.isReplay ? carried.filter((one) => own.has(one.key)) : []
  const replayed = new Map(told.map((one) => [one.key, one]))
  const tries = Number(replayed.get(deadHeaders.tries)?.value ?? 0) + 1
  const message = { id: idOf(batch, origin), version: versionOf(batch, origin) }
  const keyStart = batch.keyStarts[origin]!
  const headers = withIdentity(
    carried.filter((one) => !own.has(one.key)),
    entry?.identity ?? message,
  )
  const place0 = (name: string, here: string) => replayed.get(name) ?? header(name, here)
  headers.push(
    header(deadHeaders.error, failure.error),
    header(deadHeaders.message, failure.message),
    place0(deadHeaders.topic, batch.topic),
    place0(deadHeaders.partition, String(batch.partition)),
    place0(deadHeaders.offset, String(batch.offsets[origin]!)),
    header(deadHeaders.step, place.step),
    header(deadHeaders.failedAt, String(place.nowMs)),
    header(deadHeaders.tries, String(tries)),
    header(deadHeaders.id, failure.id),
  )
  if (entry !== undefined) headers.push(header(deadHeaders.entry, entry.step))
  if (keyStart >= 0) {
    const value = batch.bytes.subarray(keyStart, batch.keyEnds[origin]!)
    headers.push({ key: deadHeaders.key, value })
  }
  return headers
}

export const header = (key: string, value: string): Header => ({ key, value: Buffer.from(value) })

const sizeOf = (headers: readonly Header[]) =>
  headers.reduce((sum, one) => sum + one.key.length + (one.value?.length ?? 0) + 12, 0)

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** One dead letter, read back for people and for a replay. */
export interface DeadLetter {
  readonly id: string
  readonly step: string
  readonly error: string
  readonly message: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly tries: number
  readonly failedAtMs: number
  /** Size and SHA-256 of a value of which only the beginning was kept: it cannot be replayed. */
  readonly cut: string | undefined
  readonly timeMs: number
  readonly headers: readonly Header[]
  /** Null: the message was a delete. */
  readonly value: Buffer | null
}

export function readDeadLetter(batch: Batch, index: number): DeadLetter {
  const headers = decodeHeaders(batch.bytes, batch.headerStarts[index]!, batch.headerEnds[index]!)
  const text = (name: string) => headers.find((one) => one.key === name)?.value?.toString()
  const start = batch.valueStarts[index]!
  const isDelete = start < 0 || text(deadHeaders.delete) !== undefined
  return {
    id: text(deadHeaders.id) ?? text(idHeader) ?? '',
    step: text(deadHeaders.step) ?? '',
    error: text(deadHeaders.error) ?? '',
    message: text(deadHeaders.message) ?? '',
    topic: text(deadHeaders.topic) ?? '',
    partition: Number(text(deadHeaders.partition) ?? -1),
    offset: Number(text(deadHeaders.offset) ?? -1),
    tries: Number(text(deadHeaders.tries) ?? 1),
    failedAtMs: Number(text(deadHeaders.failedAt) ?? 0),
    cut: text(deadHeaders.cut),
    timeMs: batch.times[index]!,
    headers,
    value: isDelete ? null : Buffer.from(batch.bytes.subarray(start, batch.valueEnds[index]!)),
  }
}
