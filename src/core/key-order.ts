/** The order of keys where state is kept: by their UTF-8 bytes, which is not that of `<`. */

/** Below 0: `one` comes first. Of well-formed text. */
export function compareKeys(one: string, other: string): number {
  const shorter = Math.min(one.length, other.length)
  for (let index = 0; index < shorter; index++) {
    const a = one.charCodeAt(index)
    const b = other.charCodeAt(index)
    if (a !== b) return rank(a) - rank(b)
  }
  return one.length - other.length
}

/** Halves of a surrogate pair stand for what comes behind all single units. */
const rank = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
