/** Random counts: how a number of draws falls on cells. Its cost is by cells, not by draws. */
import type { Random } from '../core/random.ts'

/**
 * Draws `total` times with replacement, cell i with the chance `weights[i] / weightTotal`, and
 * writes how often each came into `drawn`: a multinomial draw, cell after cell as a binomial one of
 * what is left (Davis 1993).
 */
export function drawMultinomial(
  weights: Float64Array,
  weightTotal: number,
  total: number,
  random: Random,
  drawn: Float64Array,
): void {
  let left = total
  let weightLeft = weightTotal
  for (let cell = 0; cell < weights.length; cell++) {
    const weight = weights[cell]!
    const count = weight >= weightLeft ? left : drawBinomial(left, weight / weightLeft, random)
    drawn[cell] = count
    left -= count
    weightLeft -= weight
  }
}

/** How many of `trials` succeed, each with the chance `p`, from 0 to 1. */
export function drawBinomial(trials: number, p: number, random: Random): number {
  if (trials === 0 || p <= 0) return 0
  if (p >= 1) return trials
  if (p > 0.5) return trials - drawBinomial(trials, 1 - p, random)
  return trials * p < 10 ? byWaiting(trials, p, random) : byRejection(trials, p, random)
}

/** Few successes are expected: leaps from one to the next (Devroye 1986, X.4). */
function byWaiting(trials: number, p: number, random: Random): number {
  const scale = Math.log1p(-p)
  let successes = -1
  let trial = 0
  do {
    trial += Math.floor(Math.log(1 - random()) / scale) + 1
    successes++
  } while (trial <= trials)
  return successes
}

/**
 * Many are expected: transformed rejection with squeeze, the algorithm BTRS of Hörmann, "The
 * generation of binomial random variates" (1993), whose names of constants are kept.
 */
function byRejection(trials: number, p: number, random: Random): number {
  const spread = Math.sqrt(trials * p * (1 - p))
  const b = 1.15 + 2.53 * spread
  const a = -0.0873 + 0.0248 * b + 0.01 * p
  const c = trials * p + 0.5
  const vr = 0.92 - 4.2 / b
  const alpha = (2.83 + 5.1 / b) * spread
  const odds = Math.log(p / (1 - p))
  const mode = Math.floor((trials + 1) * p)
  const atMode = logFactorial(mode) + logFactorial(trials - mode)
  for (;;) {
    const u = random() - 0.5
    const v = random()
    const us = 0.5 - Math.abs(u)
    const successes = Math.floor(((2 * a) / us + b) * u + c)
    if (us >= 0.07 && v <= vr) return successes
    if (!(successes >= 0 && successes <= trials)) continue
    const bound =
      atMode -
      logFactorial(successes) -
      logFactorial(trials - successes) +
      (successes - mode) * odds
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= bound) return successes
  }
}

const smallLogFactorials = Float64Array.from({ length: 16 }, (_, number) => {
  let product = 1
  for (let factor = 2; factor <= number; factor++) product *= factor
  return Math.log(product)
})

/** ln n!, by Stirling's series from 16 on: wrong by 1e-11 at most, plus rounding. */
function logFactorial(number: number): number {
  if (number < smallLogFactorials.length) return smallLogFactorials[number]!
  const inverse = 1 / number
  const series = inverse * (1 / 12 - inverse * inverse * (1 / 360 - (inverse * inverse) / 1260))
  return (number + 0.5) * Math.log(number) - number + 0.5 * Math.log(2 * Math.PI) + series
}
