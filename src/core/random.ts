/** A number in [0, 1), like Math.random. Handed in, so that a seed replays a run. */
export type Random = () => number

/**
 * A seeded generator: sfc32 (Chris Doty-Humphrey, PractRand), 128 bits of state, the first 12
 * outputs dropped. Not for secrets.
 */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = seed | 0
  let counter = Math.floor(seed / 0x1_0000_0000) | 1
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return (sum >>> 0) / 0x1_0000_0000
  }
  for (let index = 0; index < 12; index++) next()
  return next
}
