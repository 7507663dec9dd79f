/**
 * Zigzag varints of 32 bits, as Kafka's record v2 writes lengths and deltas (the protocol guide,
 * "Message Format"). Reading goes through a cursor, so that no object is made a number.
 */
export interface Cursor {
  /** Where the next read starts; after a read, behind what was read. -1: the varint did not end. */
  at: number
}

/** Bytes that `value` takes as a zigzag varint. */
export function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  if (zigzag < 0x80) return 1
  if (zigzag < 0x4000) return 2
  if (zigzag < 0x20_0000) return 3
  return zigzag < 0x1000_0000 ? 4 : 5
}

/** Writes `value` at `at` and returns the position behind it. The caller has made room. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  let position = at
  while (zigzag >= 0x80) {
    bytes[position++] = (zigzag & 0x7f) | 0x80
    zigzag >>>= 7
  }
  bytes[position++] = zigzag
  return position
}

/** Reads a varint at `cursor.at`. Past `end`, or longer than 5 bytes: `cursor.at` becomes -1. */
export function readVarint(bytes: Uint8Array, cursor: Cursor, end: number): number {
  let position = cursor.at
  let zigzag = 0
  for (let shift = 0; shift < 35; shift += 7) {
    if (position >= end) break
    const byte = bytes[position++]!
    zigzag |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      cursor.at = position
      return (zigzag >>> 1) ^ -(zigzag & 1)
    }
  }
  cursor.at = -1
  return 0
}
