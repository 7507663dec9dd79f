/** Messages and dead letters as the page shows them: JSON where it is, cut where it is long. */
import { isUtf8 } from 'node:buffer'
import type { Batch } from '../core/batch.ts'
import { decodeHeaders } from '../core/headers.ts'
import { idOf, versionOf } from '../core/identity.ts'
import type { DeadLetter } from '../pipeline/dead-letters.ts'
import type { DeadLetterView, MessageView } from './state.ts'

const shownBytes = 4096
const shownHeaderBytes = 512
const mostHeaders = 50

export function messageView(batch: Batch, index: number): MessageView {
  const value = slice(batch, batch.valueStarts[index]!, batch.valueEnds[index]!)
  const key = slice(batch, batch.keyStarts[index]!, batch.keyEnds[index]!)
  const headers = decodeHeaders(
    batch.bytes,
    batch.headerStarts[index]!,
    batch.headerEnds[index]!,
  ).slice(0, mostHeaders)
  return {
    partition: batch.partition,
    offset: batch.offsets[index]!,
    timeMs: batch.times[index]!,
    key: key === null ? null : textOf(key, shownHeaderBytes),
    id: idOf(batch, index),
    version: versionOf(batch, index),
    value: shownValue(value),
    isCut: (value?.length ?? 0) > shownBytes,
    headers: Object.fromEntries(
      headers.map((one) => [one.key, textOf(one.value ?? Buffer.alloc(0), shownHeaderBytes)]),
    ),
  }
}

export function deadLetterView(letter: DeadLetter & { readonly pipeline: string }): DeadLetterView {
  const { pipeline, id, step, error, message, tries, topic, partition, offset, value } = letter
  return {
    ...{ pipeline, id, step, error, message, tries, topic, partition, offset },
    atMs: letter.failedAtMs,
    value: shownValue(value),
    raw: (value ?? Buffer.alloc(0)).subarray(0, shownBytes).toString('base64'),
  }
}

function slice(batch: Batch, start: number, end: number): Buffer | null {
  return start < 0 ? null : batch.bytes.subarray(start, end)
}

function shownValue(bytes: Buffer | null): unknown {
  if (bytes === null) return null
  if (bytes[0] === 0 && bytes.length >= 5) {
    // In the wire format of schema registries, which the page does not ask.
    const shown = bytes.subarray(0, shownBytes).toString('base64')
    return `wire format, schema ${bytes.readUInt32BE(1)}: base64:${shown}`
  }
  if (bytes.length > shownBytes || !isUtf8(bytes)) return textOf(bytes, shownBytes)
  const text = bytes.toString()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The beginning as text, no character cut in two; `base64:...` where it is none. */
function textOf(bytes: Buffer, most: number): string {
  let end = Math.min(bytes.length, most)
  // Behind a cut there is no continuation byte.
  while (end > 0 && end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--
  const shown = bytes.subarray(0, end)
  return isUtf8(shown) ? shown.toString() : `base64:${shown.toString('base64')}`
}
