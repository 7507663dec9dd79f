/** Sums over long vectors, several at a time so that no addition waits for the one before. */

export function dot(a: Float64Array, b: Float64Array): number {
  const length = a.length
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  let index = 0
  for (const last = length - 3; index < last; index += 4) {
    sum0 += a[index]! * b[index]!
    sum1 += a[index + 1]! * b[index + 1]!
    sum2 += a[index + 2]! * b[index + 2]!
    sum3 += a[index + 3]! * b[index + 3]!
  }
  for (; index < length; index++) sum0 += a[index]! * b[index]!
  return sum0 + sum1 + (sum2 + sum3)
}

/** Adds `factor * b` to `a`, and returns the dot product of what comes of it with `c`: one pass. */
export function addThenDot(
  a: Float64Array,
  factor: number,
  b: Float64Array,
  c: Float64Array,
): number {
  const length = a.length
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  let index = 0
  for (const last = length - 3; index < last; index += 4) {
    const value0 = a[index]! + factor * b[index]!
    const value1 = a[index + 1]! + factor * b[index + 1]!
    const value2 = a[index + 2]! + factor * b[index + 2]!
    const value3 = a[index + 3]! + factor * b[index + 3]!
    a[index] = value0
    a[index + 1] = value1
    a[index + 2] = value2
    a[index + 3] = value3
    sum0 += value0 * c[index]!
    sum1 += value1 * c[index + 1]!
    sum2 += value2 * c[index + 2]!
    sum3 += value3 * c[index + 3]!
  }
  for (; index < length; index++) {
    const value = a[index]! + factor * b[index]!
    a[index] = value
    sum0 += value * c[index]!
  }
  return sum0 + sum1 + (sum2 + sum3)
}

/** Adds `factor * b` to `a`. */
export function add(a: Float64Array, factor: number, b: Float64Array): void {
  for (let index = 0; index < a.length; index++) a[index]! += factor * b[index]!
}

/** Writes `factor * b` to `a`. */
export function setScaled(a: Float64Array, factor: number, b: Float64Array): void {
  for (let index = 0; index < a.length; index++) a[index] = factor * b[index]!
}

/** The number that is furthest from zero, without its sign; 0 for none. */
export function greatestMagnitude(a: Float64Array): number {
  let greatest = 0
  for (let index = 0; index < a.length; index++) {
    const magnitude = Math.abs(a[index]!)
    if (magnitude > greatest) greatest = magnitude
  }
  return greatest
}
