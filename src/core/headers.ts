/**
 * Headers of a message, kept as Kafka's record v2 writes them: a varint count, then for each header
 * the length and bytes of its key, the length (-1: null) and bytes of its value.
 */
import { type Cursor, readVarint, varintSize, writeVarint } from './varint.ts'

export interface Header {
  readonly key: string
  readonly value: Buffer | null
}

/** The encoding of no headers at all. */
export const noHeaders = Buffer.from([0])

export function decodeHeaders(bytes: Buffer, start: number, end: number): Header[] {
  const cursor: Cursor = { at: start }
  const count = readVarint(bytes, cursor, end)
  const headers: Header[] = []
  for (let index = 0; index < count && cursor.at >= 0; index++) {
    const keyLength = readVarint(bytes, cursor, end)
    const key = bytes.toString('utf8', cursor.at, cursor.at + keyLength)
    cursor.at += keyLength
    const valueLength = readVarint(bytes, cursor, end)
    const value = valueLength < 0 ? null : bytes.subarray(cursor.at, cursor.at + valueLength)
    if (valueLength > 0) cursor.at += valueLength
    headers.push({ key, value })
  }
  return headers
}

export function encodeHeaders(headers: readonly Header[]): Buffer {
  let sizeBytes = varintSize(headers.length)
  const keys = headers.map((header) => Buffer.from(header.key, 'utf8'))
  headers.forEach((header, index) => {
    const keyLength = keys[index]!.length
    const valueLength = header.value?.length ?? 0
    sizeBytes += varintSize(keyLength) + keyLength
    sizeBytes += varintSize(header.value === null ? -1 : valueLength) + valueLength
  })
  const bytes = Buffer.allocUnsafe(sizeBytes)
  let at = writeVarint(bytes, 0, headers.length)
  headers.forEach((header, index) => {
    const key = keys[index]!
    at = writeVarint(bytes, at, key.length)
    at += key.copy(bytes, at)
    at = writeVarint(bytes, at, header.value === null ? -1 : header.value.length)
    if (header.value !== null) at += header.value.copy(bytes, at)
  })
  return bytes
}
