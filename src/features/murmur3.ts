/**
 * MurmurHash3 for x86, 32 bits, seed 0: the hash by which scikit-learn's HashingVectorizer finds a
 * term's column. By Austin Appleby (public domain); a signed number, as `murmurhash3_32` in Python.
 */

const encoder = new TextEncoder()

/**
 * The hash of the bytes, as a signed 32-bit number. Of a text, the hash of its UTF-8, in which a
 * surrogate without its other half stands as U+FFFD (Python refuses such a text).
 */
export function murmur3(given: string | Uint8Array): number {
  const bytes = typeof given === 'string' ? encoder.encode(given) : given
  const padded = new Uint8Array(bytes.length + wordBytes)
  padded.set(bytes)
  return hashRange(new DataView(padded.buffer), 0, bytes.length)
}

/** The four bytes that `hashRange` and `hashTail` may read behind the end of what they hash. */
export const wordBytes = 4

/** The hash of the bytes from `start` up to `end`; `wordBytes` more have to be there. */
export function hashRange(view: DataView, start: number, end: number): number {
  let hash = 0
  let place = start
  for (; place + wordBytes <= end; place += wordBytes) {
    hash = mixBlock(hash, view.getInt32(place, true))
  }
  return hashTail(hash, view, place, end, end - start)
}

/** The state of the hash after four bytes more. */
export function mixBlock(hash: number, block: number): number {
  const mixed = hash ^ scramble(block)
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0
}

/**
 * The hash, from the state after all whole blocks: the bytes that are left, at most three, from
 * `place` up to `end`, and the length of all.
 */
export function hashTail(
  state: number,
  view: DataView,
  place: number,
  end: number,
  lengthBytes: number,
): number {
  // What is behind the end is cut off; without a tail nothing is left, and scrambling it gives 0.
  const tail = view.getInt32(place, true) & ((1 << ((end - place) << 3)) - 1)
  let hash = state ^ scramble(tail) ^ lengthBytes
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

function scramble(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51)
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593)
}
