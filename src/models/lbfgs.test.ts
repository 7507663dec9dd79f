import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { minimise, type Objective } from './lbfgs.ts'

const options = { tolerance: 1e-9, maxIterations: 1000 }

const rosenbrock: Objective = (x, gradient) => {
  const [a, b] = [x[0]!, x[1]!]
  gradient[0] = -400 * a * (b - a * a) - 2 * (1 - a)
  gradient[1] = 200 * (b - a * a)
  return 100 * (b - a * a) ** 2 + (1 - a) ** 2
}

/** Half the sum of `bend * (x - low)²`. */
function bowl(bends: readonly number[], lows: readonly number[]): Objective {
  return (x, gradient) => {
    let value = 0
    for (let index = 0; index < x.length; index++) {
      const away = x[index]! - lows[index]!
      gradient[index] = bends[index]! * away
      value += (bends[index]! * away * away) / 2
    }
    return value
  }
}

describe('models: L-BFGS', () => {
  it('follows a curved valley to its end, and leaves the start as it is', () => {
    const start = Float64Array.of(-1.2, 1)
    const { x, value, iterations, stopped } = minimise(rosenbrock, start, options)
    assert.ok(Math.abs(x[0]! - 1) < 1e-8 && Math.abs(x[1]! - 1) < 1e-8)
    assert.ok(value < 1e-16)
    assert.ok(iterations < 60, `${iterations}`)
    assert.equal(stopped, 'tolerance')
    assert.deepEqual([...start], [-1.2, 1])
  })

  it('finds the bottom of any bowl, however long and narrow', () => {
    const place = fc.record({
      bend: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
      low: fc.double({ min: -100, max: 100, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 30 }), (places) => {
        const lows = places.map(({ low }) => low)
        const objective = bowl(
          places.map(({ bend }) => bend),
          lows,
        )
        const { x, value, stopped } = minimise(objective, new Float64Array(places.length), options)
        assert.notEqual(stopped, 'iterations')
        assert.ok(value < 1e-9, `${value}`)
        for (const [index, low] of lows.entries()) assert.ok(Math.abs(x[index]! - low) < 1e-3)
      }),
      { numRuns: 50 },
    )
  })

  it('stays where nothing is to gain', () => {
    const { x, iterations, stopped } = minimise(
      bowl([1, 1], [3, 4]),
      Float64Array.of(3, 4),
      options,
    )
    assert.deepEqual([[...x], iterations, stopped], [[3, 4], 0, 'tolerance'])
  })

  it('says that it ran out of steps', () => {
    const found = minimise(rosenbrock, new Float64Array(2), { ...options, maxIterations: 3 })
    assert.deepEqual([found.iterations, found.stopped], [3, 'iterations'])
  })

  it('stops where only rounding is left, however small the tolerance', () => {
    const shifted: Objective = (x, gradient) => 1e6 + rosenbrock(x, gradient)
    const { x, iterations, stopped } = minimise(shifted, new Float64Array(2), {
      tolerance: 1e-300,
      maxIterations: 10_000,
    })
    assert.notEqual(stopped, 'iterations')
    assert.ok(iterations < 1000, `${iterations}`)
    assert.ok(Math.abs(x[0]! - 1) < 1e-4)
  })

  it('comes back from where the function is not finite', () => {
    const wall: Objective = (x, gradient) => {
      gradient[0] = 1 - 1e-3 / x[0]!
      return x[0]! > 0 ? x[0]! - 1e-3 * Math.log(x[0]!) : Number.NaN
    }
    const { x, stopped } = minimise(wall, Float64Array.of(1), options)
    assert.equal(stopped, 'tolerance')
    assert.ok(Math.abs(x[0]! - 1e-3) < 1e-9, `${x[0]}`)
  })
})
