/**
 * A message's id is given once, where it enters, and travels with it in a header; so does its
 * version, the offset at which it entered (or the revision of a window). A message that carries no
 * id has the one of its place: topic identity, partition and offset.
 */
import type { Batch } from './batch.ts'
import type { Header } from './headers.ts'
import { type Cursor, readVarint, varintSize, writeVarint } from './varint.ts'

export const idHeader = 'millrace.id'
export const versionHeader = 'millrace.version'

/** What makes a message the one it is, wherever it goes. */
export interface Identity {
  readonly id: string
  readonly version: number
}

const idKey = Buffer.from(idHeader)
const versionKey = Buffer.from(versionHeader)

/** Room that `writePassedHeaders` may need beside the origin's name and what the message carries. */
export const passedHeaderBytes = idKey.length + versionKey.length + 64

/** One cursor and one result for all scans: they never overlap, and nothing is made a message. */
const cursor: Cursor = { at: 0 }
const found = { idStart: -1, idLength: 0, versionStart: -1, versionLength: 0 }

/** Finds both headers of a message without decoding the others. */
function scan(batch: Batch, index: number): void {
  found.idStart = -1
  found.versionStart = -1
  const start = batch.headerStarts[index]!
  const end = batch.headerEnds[index]!
  if (end - start <= 1) return
  const { bytes } = batch
  cursor.at = start
  const count = readVarint(bytes, cursor, end)
  for (let header = 0; header < count && cursor.at >= 0; header++) {
    const keyLength = readVarint(bytes, cursor, end)
    const keyStart = cursor.at
    cursor.at += keyLength
    const valueLength = readVarint(bytes, cursor, end)
    if (keyLength === idKey.length && startsWith(bytes, keyStart, idKey)) {
      found.idStart = cursor.at
      found.idLength = Math.max(0, valueLength)
    } else if (keyLength === versionKey.length && startsWith(bytes, keyStart, versionKey)) {
      found.versionStart = cursor.at
      found.versionLength = Math.max(0, valueLength)
    }
    if (valueLength > 0) cursor.at += valueLength
  }
}

function startsWith(bytes: Buffer, at: number, expected: Buffer): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (bytes[at + index] !== expected[index]) return false
  }
  return true
}

/** The id of a message: what it carries, else the id of its place. */
export function idOf(batch: Batch, index: number): string {
  scan(batch, index)
  return found.idStart < 0
    ? `${batch.origin}/${batch.offsets[index]}`
    : batch.bytes.toString('utf8', found.idStart, found.idStart + found.idLength)
}

/** The version of a message: what it carries, else its offset. */
export function versionOf(batch: Batch, index: number): number {
  scan(batch, index)
  if (found.versionStart < 0) return batch.offsets[index]!
  const end = found.versionStart + found.versionLength
  return Number(batch.bytes.toString('latin1', found.versionStart, end))
}

/** The headers of a message with another identity: what a flatMap, a join or a window makes. */
export function withIdentity(headers: readonly Header[], identity: Identity): Header[] {
  return [
    { key: idHeader, value: Buffer.from(identity.id) },
    { key: versionHeader, value: Buffer.from(String(identity.version)) },
    ...headers.filter((header) => header.key !== idHeader && header.key !== versionHeader),
  ]
}

/**
 * Writes the headers with which a message goes on: its id and version, those of its place where it
 * carries none, then all else it carries. A message that comes from no log yet (`origin` is empty)
 * gets no version: its offset is not known. The caller has made room. Returns the position behind.
 */
export function writePassedHeaders(bytes: Buffer, at: number, batch: Batch, index: number): number {
  scan(batch, index)
  const start = batch.headerStarts[index]!
  const end = batch.headerEnds[index]!
  const addsId = found.idStart < 0
  const addsVersion = found.versionStart < 0 && batch.origin !== ''
  if (!addsId && !addsVersion) {
    batch.bytes.copy(bytes, at, start, end)
    return at + end - start
  }
  const offset = batch.offsets[index]!
  const digits = digitsOf(offset)
  cursor.at = start
  const count = readVarint(batch.bytes, cursor, end)
  let position = writeVarint(bytes, at, count + Number(addsId) + Number(addsVersion))
  if (addsId) {
    position = writeBytes(bytes, position, idKey)
    position = writeVarint(bytes, position, batch.origin.length + 1 + digits)
    position += bytes.write(batch.origin, position, 'latin1')
    bytes[position++] = 0x2f
    position = writeDigits(bytes, position, offset, digits)
  }
  if (addsVersion) {
    position = writeBytes(bytes, position, versionKey)
    position = writeVarint(bytes, position, digits)
    position = writeDigits(bytes, position, offset, digits)
  }
  const rest = start + varintSize(count)
  return position + batch.bytes.copy(bytes, position, rest, end)
}

function writeBytes(bytes: Buffer, at: number, data: Buffer): number {
  let position = writeVarint(bytes, at, data.length)
  for (let index = 0; index < data.length; index++) bytes[position++] = data[index]!
  return position
}

function digitsOf(value: number): number {
  let digits = 1
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++
  return digits
}

function writeDigits(bytes: Buffer, at: number, value: number, digits: number): number {
  let rest = value
  for (let position = at + digits - 1; position >= at; position--) {
    bytes[position] = 0x30 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
  return at + digits
}
