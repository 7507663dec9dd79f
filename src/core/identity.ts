/**
 * A message's id is given once, where it enters, and travels with it in a header; so does its
 * version, the offset at which it entered (or the revision of a window). A message that carries no
 * id has the one of its place: topic identity, partition and offset.
 */
import type { Batch } from './batch.ts'
import { decodeHeaders } from './headers.ts'
import { type Cursor, readVarint } from './varint.ts'

export const idHeader = 'millrace.id'
export const versionHeader = 'millrace.version'

const idKey = Buffer.from(idHeader)

/** Finds the value of the id header without decoding the others: `{ start, end }` or undefined. */
function idRange(batch: Batch, index: number): { start: number; end: number } | undefined {
  const { bytes } = batch
  const end = batch.headerEnds[index]!
  const cursor: Cursor = { at: batch.headerStarts[index]! }
  const count = readVarint(bytes, cursor, end)
  for (let header = 0; header < count && cursor.at >= 0; header++) {
    const keyLength = readVarint(bytes, cursor, end)
    const keyStart = cursor.at
    cursor.at += keyLength
    const valueLength = readVarint(bytes, cursor, end)
    if (keyLength === idKey.length && equalAt(bytes, keyStart, idKey)) {
      return { start: cursor.at, end: cursor.at + Math.max(0, valueLength) }
    }
    if (valueLength > 0) cursor.at += valueLength
  }
  return undefined
}

function equalAt(bytes: Buffer, at: number, expected: Buffer): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (bytes[at + index] !== expected[index]) return false
  }
  return true
}

/** True when the message carries its id in a header, so that its headers can be passed on as they are. */
export function carriesId(batch: Batch, index: number): boolean {
  return (
    batch.headerEnds[index]! - batch.headerStarts[index]! > 1 && idRange(batch, index) !== undefined
  )
}

/** The id of a message: what it carries, else the id of its place. */
export function idOf(batch: Batch, index: number): string {
  if (batch.headerEnds[index]! - batch.headerStarts[index]! > 1) {
    const range = idRange(batch, index)
    if (range !== undefined) return batch.bytes.toString('utf8', range.start, range.end)
  }
  return `${batch.origin}/${batch.offsets[index]}`
}

/** The version of a message: what it carries, else its offset. */
export function versionOf(batch: Batch, index: number): number {
  const start = batch.headerStarts[index]!
  const end = batch.headerEnds[index]!
  if (end - start > 1) {
    for (const header of decodeHeaders(batch.bytes, start, end)) {
      if (header.key === versionHeader && header.value !== null)
        return Number(header.value.toString())
    }
  }
  return batch.offsets[index]!
}
