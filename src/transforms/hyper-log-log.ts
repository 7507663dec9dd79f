/**
 * HyperLogLog with 2^12 registers: how many different hashes there were, in 4 KB however many they are,
 * with a standard error of 1.04 / sqrt(4096) = 1.6 %. The estimate is Ertl's (2017, "New cardinality
 * estimation algorithms for HyperLogLog sketches", algorithm 6): without bias over the whole range and
 * without tables, as Redis has it.
 */

const indexBits = 12
const registerCount = 1 << indexBits
/** Bits of a 52-bit hash behind the index; a register holds 0 up to one more. */
const rankBits = 40
const greatestRank = rankBits + 1

export interface Registers {
  readonly ranks: Uint8Array
  /** How many registers hold which rank: all that the estimate needs. */
  readonly histogram: Uint16Array
}

export function emptyRegisters(): Registers {
  const histogram = new Uint16Array(greatestRank + 1)
  histogram[0] = registerCount
  return { ranks: new Uint8Array(registerCount), histogram }
}

/** Adds a hash of 52 bits. */
export function addHash(registers: Registers, hash: number): void {
  const high = Math.floor(hash / 0x10_0000)
  const low = hash % 0x10_0000
  // 20 bits of the upper word are left behind the index, and the 20 of the lower one.
  const upper = high & 0xf_ffff
  const rank = upper !== 0 ? Math.clz32(upper) - 11 : Math.clz32(low) - 11 + 20
  raise(registers, high >>> 20, rank)
}

function raise({ ranks, histogram }: Registers, index: number, rank: number): void {
  const held = ranks[index]!
  if (rank <= held) return
  ranks[index] = rank
  histogram[held]!--
  histogram[rank]!++
}

export function mergeRegisters(one: Registers, other: Registers): void {
  for (let index = 0; index < registerCount; index++) raise(one, index, other.ranks[index]!)
}

/** How many different hashes were added, most likely. */
export function estimate({ histogram }: Registers): number {
  let sum = registerCount * tau(1 - histogram[greatestRank]! / registerCount)
  for (let rank = rankBits; rank >= 1; rank--) sum = (sum + histogram[rank]!) / 2
  sum += registerCount * sigma(histogram[0]! / registerCount)
  return (registerCount * registerCount) / (2 * Math.LN2) / sum
}

/** What registers that are still empty stand for. */
function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY
  let power = share
  let weight = 1
  let sum = share
  for (;;) {
    power *= power
    const next = sum + power * weight
    if (next === sum) return sum
    sum = next
    weight += weight
  }
}

/** What registers that are full stand for. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let root = share
  let weight = 1
  let sum = 1 - share
  for (;;) {
    root = Math.sqrt(root)
    weight /= 2
    const next = sum - (1 - root) ** 2 * weight
    if (next === sum) return sum / 3
    sum = next
  }
}

/** Six bits a register. */
export function packRegisters({ ranks }: Registers): Uint8Array {
  const packed = new Uint8Array((registerCount * 6) / 8)
  for (let index = 0, at = 0; index < registerCount; index += 4, at += 3) {
    const [a, b, c, d] = [ranks[index]!, ranks[index + 1]!, ranks[index + 2]!, ranks[index + 3]!]
    packed[at] = (a << 2) | (b >> 4)
    packed[at + 1] = ((b & 15) << 4) | (c >> 2)
    packed[at + 2] = ((c & 3) << 6) | d
  }
  return packed
}

/** The registers, or null where the bytes are none. */
export function unpackRegisters(packed: Uint8Array): Registers | null {
  if (packed.length !== (registerCount * 6) / 8) return null
  const registers = emptyRegisters()
  for (let index = 0, at = 0; index < registerCount; index += 4, at += 3) {
    const [x, y, z] = [packed[at]!, packed[at + 1]!, packed[at + 2]!]
    const ranks = [x >> 2, ((x & 3) << 4) | (y >> 4), ((y & 15) << 2) | (z >> 6), z & 63]
    for (let offset = 0; offset < 4; offset++) {
      if (ranks[offset]! > greatestRank) return null
      raise(registers, index + offset, ranks[offset]!)
    }
  }
  return registers
}
