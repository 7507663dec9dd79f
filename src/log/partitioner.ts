/** Which partition a message goes to: the same one that Kafka's Java clients choose for a key. */

const seed = 0x9747b28c | 0
const multiplier = 0x5bd1e995

/** murmur2 of bytes [start, end), as `org.apache.kafka.common.utils.Utils.murmur2`: a signed int32. */
export function murmur2(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const length = end - start
  const blocksEnd = end - (length & 3)
  let hash = seed ^ length
  for (let at = start; at < blocksEnd; at += 4) {
    let block = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    block = Math.imul(block, multiplier)
    block ^= block >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(block, multiplier)
  }
  const rest = length & 3
  if (rest === 3) hash ^= bytes[blocksEnd + 2]! << 16
  if (rest >= 2) hash ^= bytes[blocksEnd + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[blocksEnd]!, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

/** The partition of a key; a message without one takes turns, by the caller's `roundRobin` count. */
export function partitionOf(
  key: Uint8Array | null,
  partitions: number,
  roundRobin: number,
): number {
  if (key === null) return roundRobin % partitions
  return (murmur2(key) & 0x7fffffff) % partitions
}
