/** The chi-squared distribution's tail: how often chance alone goes as far as a statistic did. */

/**
 * P(X >= statistic) for X of chi-squared distribution with a whole number of degrees of freedom, from
 * 1; to about 1e-14 of its size. By series below the mean and by Lentz's continued fraction above it
 * (Press and others, "Numerical Recipes", section 6.2).
 */
export function chiSquaredTail(statistic: number, degreesOfFreedom: number): number {
  const shape = degreesOfFreedom / 2
  const x = statistic / 2
  if (!(x > 0)) return 1
  if (x === Number.POSITIVE_INFINITY) return 0
  const factor = Math.exp(shape * Math.log(x) - x - logGammaOfHalves(degreesOfFreedom))
  return x < shape + 1 ? 1 - factor * series(shape, x) : factor * continuedFraction(shape, x)
}

/** ln Gamma(halves / 2), up from Gamma(1) = 1 or Gamma(1/2) = sqrt(pi). */
function logGammaOfHalves(halves: number): number {
  let log = halves % 2 === 0 ? 0 : Math.log(Math.PI) / 2
  for (let at = halves % 2 === 0 ? 2 : 1; at < halves; at += 2) log += Math.log(at / 2)
  return log
}

function series(shape: number, x: number): number {
  let term = 1 / shape
  let sum = term
  for (let index = 1; term > sum * 1e-17; index++) {
    term *= x / (shape + index)
    sum += term
  }
  return sum
}

function continuedFraction(shape: number, x: number): number {
  let below = x + 1 - shape
  let c = Number.MAX_VALUE
  let d = 1 / below
  let fraction = d
  for (let index = 1; index < 10_000; index++) {
    const above = index * (shape - index)
    below += 2
    d = 1 / (above * d + below)
    c = below + above / c
    fraction *= d * c
    if (Math.abs(d * c - 1) < 1e-16) break
  }
  return fraction
}
