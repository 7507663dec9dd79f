import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import { type Random, seededRandom } from '../core/random.ts'
import { chiSquaredTail } from './chi-squared.ts'
import {
  correctPriors,
  type EstimatePriorsOptions,
  estimatePriors,
  priorShiftTest,
} from './prior-correction.ts'

interface Fixture {
  readonly chiSquared: [number, number, number][]
  readonly priors: {
    readonly training: number[]
    readonly actual: number[]
    readonly probabilities: number[]
    readonly iterations: number
    readonly priors: number[]
    readonly corrected: number[]
    readonly statistic: number
    readonly pValue: number
  }[]
}

const file = new URL('./fixtures/calibration.json', import.meta.url)
const fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture
const numbers = (...values: number[]) => Float64Array.from(values)

function assertClose(actual: Iterable<number>, expected: Iterable<number>, tolerance: number) {
  const [left, right] = [[...actual], [...expected]]
  assert.equal(left.length, right.length)
  for (const [index, value] of right.entries()) {
    assert.ok(Math.abs(left[index]! - value) <= tolerance, `${left[index]} is not ${value}`)
  }
}

/** The exact answers, under the training priors, for two bell curves: one at 0, one at 1.5. */
function simulate(random: Random, rows: number, training: number, actual: number): Float64Array {
  const probabilities = new Float64Array(2 * rows)
  for (let row = 0; row < rows; row++) {
    const centre = random() < actual ? 1.5 : 0
    const bell = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const odds = (training / (1 - training)) * Math.exp(1.5 * (centre + bell) - 1.125)
    probabilities[2 * row] = 1 / (1 + odds)
    probabilities[2 * row + 1] = odds / (1 + odds)
  }
  return probabilities
}

describe('models: prior correction', () => {
  for (const expected of fixture.priors) {
    const training = numbers(...expected.training)
    const probabilities = numbers(...expected.probabilities)

    it(`from ${expected.training} to ${expected.actual} as numpy computes it`, () => {
      const options = { maxIterations: expected.iterations, tolerance: 0 }
      const { priors, iterations } = estimatePriors(probabilities, training, options)
      assert.ok(iterations <= expected.iterations)
      assertClose(priors, expected.priors, 1e-12)
      const corrected = probabilities.slice(0, expected.corrected.length)
      correctPriors(corrected, training, priors)
      assertClose(corrected, expected.corrected, 1e-12)
      const { statistic, pValue } = priorShiftTest(probabilities, training, options)
      assertClose([statistic, pValue], [expected.statistic, expected.pValue], 1e-10)
    })
  }

  it('the tail of chi-squared is as scipy has it', () => {
    for (const [statistic, degreesOfFreedom, tail] of fixture.chiSquared) {
      const found = chiSquaredTail(statistic, degreesOfFreedom)
      const message = `${statistic}, ${degreesOfFreedom}: ${found} is not ${tail}`
      assert.ok(Math.abs(found - tail) <= 1e-12 * tail, message)
    }
    assert.equal(chiSquaredTail(0, 1), 1)
    assert.equal(chiSquaredTail(Number.POSITIVE_INFINITY, 1), 0)
  })

  it('finds a known shift, and corrects to what the new priors would have answered', () => {
    const training = numbers(0.5, 0.5)
    const probabilities = simulate(seededRandom(1), 20_000, 0.5, 0.1)
    const { priors } = estimatePriors(probabilities, training)
    assertClose(priors, [0.9, 0.1], 0.015)
    assert.ok(priorShiftTest(probabilities, training).pValue < 1e-9)
    correctPriors(probabilities, training, numbers(0.9, 0.1))
    assertClose(probabilities, simulate(seededRandom(1), 20_000, 0.1, 0.1), 1e-12)
  })

  it('finds none where none is', () => {
    const training = numbers(0.7, 0.3)
    let alarms = 0
    for (let seed = 0; seed < 100; seed++) {
      const probabilities = simulate(seededRandom(seed), 300, 0.3, 0.3)
      const { priors, pValue } = priorShiftTest(probabilities, training, { tolerance: 1e-6 })
      assertClose(priors, training, 0.2)
      if (pValue < 0.05) alarms++
    }
    // Five of a hundred by chance; fourteen or more would come once in 2,000 tries.
    assert.ok(alarms <= 13, `${alarms} alarms`)
  })

  it('does nothing when priors stay', () => {
    const probabilities = simulate(seededRandom(3), 50, 0.3, 0.3)
    const before = probabilities.slice()
    correctPriors(probabilities, numbers(0.7, 0.3), numbers(0.7, 0.3))
    assertClose(probabilities, before, 1e-15)
  })

  it('answers are never NaN, and add up to one, whatever is zero', () => {
    const share: fc.Arbitrary<number> = fc.constantFrom(0, 0, 1e-300, 0.2, 1)
    const shares = (count: number) =>
      fc.array(share, { minLength: count, maxLength: count }).map((values) => {
        const sum = values.reduce((total, value) => total + value, 0)
        return values.map((value) => (sum > 0 ? value / sum : 1 / count))
      })
    const given = fc.integer({ min: 2, max: 4 }).chain((count) =>
      fc.record({
        training: shares(count),
        wanted: shares(count),
        rows: fc.array(shares(count), { minLength: 1, maxLength: 8 }),
      }),
    )
    fc.assert(
      fc.property(given, ({ training, wanted, rows }) => {
        const count = training.length
        const probabilities = numbers(...rows.flat())
        const { priors, statistic, pValue } = priorShiftTest(probabilities, numbers(...training))
        assert.ok(statistic >= 0 && pValue >= 0 && pValue <= 1)
        correctPriors(probabilities, numbers(...training), numbers(...wanted))
        for (let start = 0; start < probabilities.length; start += count) {
          assertShares(probabilities.subarray(start, start + count))
        }
        assertShares(priors)
      }),
    )
  })

  it('refuses what is no probability, no prior and no option', () => {
    const half = numbers(0.5, 0.5)
    for (const attempt of [
      () => estimatePriors(numbers(), half),
      () => estimatePriors(numbers(0.5), half),
      () => estimatePriors(numbers(0.5, Number.NaN), half),
      () => estimatePriors(numbers(0.5, 1.5), half),
      () => estimatePriors(half, numbers(1)),
      () => estimatePriors(half, numbers(0.5, 0.6)),
      () => estimatePriors(half, numbers(1.5, -0.5)),
      () => correctPriors(numbers(0.5, 0.5), half, numbers(0.2, 0.3, 0.5)),
    ]) {
      assert.throws(attempt, (error) => codeOf(error) === 'TRAINING_INVALID', String(attempt))
    }
    const refused = [{ maxIterations: 0 }, { maxIterations: 1.5 }, { tolerance: -1 }, { max: 1 }]
    for (const options of refused as EstimatePriorsOptions[]) {
      assert.throws(
        () => estimatePriors(half, half, options),
        (error) => codeOf(error) === 'OPTIONS_INVALID',
        JSON.stringify(options),
      )
    }
  })
})

function assertShares(shares: Float64Array): void {
  assert.ok(
    shares.every((share) => share >= 0 && share <= 1 + 1e-12),
    String(shares),
  )
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-12, String(shares))
}
