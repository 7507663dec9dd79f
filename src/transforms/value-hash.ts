/**
 * A hash of 52 bits of a text, a number or a boolean, without making anything on the way. It is
 * MurmurHash3 (x86, 32 bits; Austin Appleby, public domain) twice, from two seeds, because 32 bits are
 * too few to count by: of a million values over a hundred would collide. Texts are hashed as UTF-16,
 * so nothing is encoded; a number as its double, so that 1 and '1' differ. Not against those who
 * choose values in order to collide.
 */

export type Scalar = string | number | boolean

const seedHigh = 0
const seedLow = 0x9747b28c
const textMark = 0x7478
const booleanMark = 0x626f
const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)

/** A whole number from 0 up to 2^52. */
export function hash52(value: Scalar): number {
  const high = hash32(value, seedHigh) >>> 0
  const low = hash32(value, seedLow) >>> 12
  return high * 0x10_0000 + low
}

function hash32(value: Scalar, seed: number): number {
  if (typeof value === 'string') return hashText(value, seed ^ textMark)
  if (typeof value === 'boolean') return finish(mix(seed ^ booleanMark, value ? 1 : 0), 1)
  // -0 is 0, and both have one hash.
  double[0] = value + 0
  return finish(mix(mix(seed, words[0]!), words[1]!), 8)
}

/** The hash of the UTF-16 units, little-endian. */
export function hashText(text: string, seed: number): number {
  const { length } = text
  let hash = seed
  let place = 0
  for (; place + 1 < length; place += 2) {
    hash = mix(hash, text.charCodeAt(place) | (text.charCodeAt(place + 1) << 16))
  }
  if (place < length) hash ^= scramble(text.charCodeAt(place))
  return finish(hash, length * 2)
}

function mix(hash: number, word: number): number {
  const mixed = hash ^ scramble(word)
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0
}

function scramble(word: number): number {
  const product = Math.imul(word, 0xcc9e2d51)
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593)
}

function finish(state: number, lengthBytes: number): number {
  let hash = state ^ lengthBytes
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
