/**
 * Sums without rounding: a sum is held as a list of doubles that do not overlap and whose sum it is
 * exactly (Shewchuk 1997, "Adaptive precision floating-point arithmetic"; Python's math.fsum). So what
 * comes out depends on what went in and on nothing else: not on order, not on grouping, and a value
 * that is taken out again leaves no trace. Real data needs a handful of parts; 40 are the most.
 */

/** The parts of a sum, smallest first; none for 0. */
export type ExactSum = number[]

/** Adds a finite number. */
export function addExactly(sum: ExactSum, value: number): void {
  const length = sum.length
  let kept = 0
  let carried = value
  for (let index = 0; index < length; index++) {
    const part = sum[index]!
    const total = carried + part
    // Knuth's two-sum: total + lost is carried + part, exactly.
    const back = total - carried
    const lost = carried - (total - back) + (part - back)
    if (lost !== 0) sum[kept++] = lost
    carried = total
  }
  if (carried !== 0) {
    if (kept === length) sum.push(carried)
    else sum[kept] = carried
    kept++
  }
  while (sum.length > kept) sum.pop()
}

/** Adds the product of two numbers: exactly, as long as it is not as small as 1e-290. */
export function addProduct(sum: ExactSum, a: number, b: number): void {
  const product = a * b
  if (product === 0) return
  addExactly(sum, product)
  // Dekker's product with Veltkamp's halves: what rounding lost of it.
  const aHigh = highHalf(a)
  const aLow = a - aHigh
  const bHigh = highHalf(b)
  const bLow = b - bHigh
  const lost = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
  if (lost !== 0) addExactly(sum, lost)
}

function highHalf(value: number): number {
  const big = 134_217_729 * value
  return big - (big - value)
}

/** Adds another sum; with -1 takes it away. */
export function addSum(sum: ExactSum, other: ExactSum, sign: 1 | -1 = 1): void {
  for (let index = 0; index < other.length; index++) addExactly(sum, sign * other[index]!)
}

/** The double that is nearest to the sum, of two that are equally near the even one. */
export function rounded(sum: ExactSum): number {
  let index = sum.length - 1
  if (index < 0) return 0
  let high = sum[index]!
  while (index > 0) {
    index--
    const before = high
    const part = sum[index]!
    high = before + part
    const lost = part - (high - before)
    if (lost === 0) continue
    // Exactly half way, but for what the parts below say.
    if (index > 0 && lost > 0 === sum[index - 1]! > 0) {
      const twice = lost * 2
      const higher = high + twice
      if (twice === higher - high) high = higher
    }
    break
  }
  return high
}

/**
 * The one list of parts that stands for this sum, whatever way it came about: the nearest double, then
 * the nearest of what is left, and so on, smallest first.
 */
export function canonical(sum: ExactSum): ExactSum {
  if (sum.length <= 1) return sum.slice()
  const left = sum.slice()
  const parts: number[] = []
  while (left.length > 0) {
    const part = rounded(left)
    parts.push(part)
    addExactly(left, -part)
  }
  return parts.reverse()
}

/**
 * The sum of squared differences to the mean, times `count`: count * squares - sum². Both are exact, so
 * nothing cancels, however far from 0 the values are.
 */
export function scatterTimesCount(count: number, sum: ExactSum, squares: ExactSum): number {
  const scatter: number[] = []
  for (const part of canonical(squares)) addProduct(scatter, count, part)
  const parts = canonical(sum)
  for (let one = 0; one < parts.length; one++) {
    addProduct(scatter, -parts[one]!, parts[one]!)
    for (let other = 0; other < one; other++) addProduct(scatter, -2 * parts[one]!, parts[other]!)
  }
  // Below 0 only where squares are too small for a double.
  return Math.max(0, rounded(scatter))
}
