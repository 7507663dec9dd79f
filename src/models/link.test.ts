import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { argmax, type LinearWeights, linearScores } from './linear.ts'
import { type Link, predictProbabilities, scoresToProbabilities } from './link.ts'

interface Fixture {
  readonly lines: { x: number[]; y: number[]; at: number[]; predicted: number[] }[]
}

const file = new URL('./fixtures/calibration.json', import.meta.url)
const { lines } = JSON.parse(readFileSync(file, 'utf8')) as Fixture

const score = fc.oneof(
  fc.double({ min: -1e9, max: 1e9, noNaN: true }),
  fc.double({ min: -5, max: 5, noNaN: true }),
  fc.constantFrom(0, -0, 1e-300, -1e-300),
)
const list = <T>(item: fc.Arbitrary<T>, count: number) =>
  fc.array(item, { minLength: count, maxLength: count })
const share = fc.double({ min: 0, max: 1, noNaN: true })
const rising = (values: readonly number[]) => Float64Array.from(values).sort()

const line = fc
  .uniqueArray(score, { minLength: 1, maxLength: 6, comparator: (a, b) => a === b })
  .chain((x) => list(share, x.length).map((y) => ({ x: rising(x), y: rising(y) })))

/** A link of each kind for as many labels. */
const links = (count: number): fc.Arbitrary<Link> => {
  const entries = count === 2 ? 1 : count
  return fc.oneof(
    fc
      .double({ min: 1e-5, max: 1e5, noNaN: true })
      .map((scale): Link => ({ kind: 'softmax', scale })),
    fc.constant<Link>({ kind: 'one-vs-rest' }),
    fc.tuple(list(score, entries), list(score, entries)).map(
      ([slopes, offsets]): Link => ({
        kind: 'sigmoid',
        slopes: Float64Array.from(slopes),
        offsets: Float64Array.from(offsets),
      }),
    ),
    list(line, entries).map((lines): Link => ({ kind: 'isotonic', lines })),
  )
}

const given = fc
  .integer({ min: 2, max: 6 })
  .chain((count) => fc.record({ link: links(count), scores: list(score, count) }))

describe('models: links', () => {
  it('give probabilities from 0 to 1 that add up to one, whatever the link and the scores', () => {
    fc.assert(
      fc.property(given, ({ link, scores }) => {
        const shares = Float64Array.from(scores)
        scoresToProbabilities(link, shares, 0, shares.length)
        assert.ok(
          shares.every((value) => value >= 0 && value <= 1),
          String(shares),
        )
        assert.ok(Math.abs(shares.reduce((sum, value) => sum + value, 0) - 1) < 1e-12)
      }),
      { numRuns: 500 },
    )
  })

  it('the highest score is the likeliest with softmax, and with one against the rest', () => {
    fc.assert(
      fc.property(given, ({ link, scores }) => {
        if (link.kind !== 'softmax' && link.kind !== 'one-vs-rest') return
        const shares = Float64Array.from(scores)
        scoresToProbabilities(link, shares, 0, shares.length)
        const best = shares[argmax(Float64Array.from(scores), 0, scores.length)]!
        // Where all lie far below zero, none is possible and all are equally likely.
        assert.equal(best, Math.max(...shares))
      }),
      { numRuns: 500 },
    )
  })

  it('change no other score than those of their row', () => {
    fc.assert(
      fc.property(given, ({ link, scores }) => {
        const count = scores.length
        const alone = Float64Array.from(scores)
        scoresToProbabilities(link, alone, 0, count)
        const among = Float64Array.from([7, ...scores, 8])
        scoresToProbabilities(link, among, 1, count)
        assert.deepEqual([...among], [7, ...alone, 8])
      }),
    )
  })

  it('two labels alike, one against the rest is the softmax', () => {
    fc.assert(
      fc.property(list(fc.double({ min: -50, max: 50, noNaN: true }), 2), (scores) => {
        const [left, right] = [Float64Array.from(scores), Float64Array.from(scores)]
        scoresToProbabilities({ kind: 'softmax', scale: 1 }, left, 0, 2)
        scoresToProbabilities({ kind: 'one-vs-rest' }, right, 0, 2)
        assert.ok(Math.abs(left[1]! - right[1]!) < 1e-12)
      }),
    )
  })

  it("isotonic reads its line as scikit-learn's IsotonicRegression predicts", () => {
    for (const { x, y, at, predicted } of lines) {
      const risingLine = { x: Float64Array.from(x), y: Float64Array.from(y) }
      const link: Link = { kind: 'isotonic', lines: [risingLine] }
      for (const [index, score] of at.entries()) {
        const shares = Float64Array.of(0, score)
        scoresToProbabilities(link, shares, 0, 2)
        const message = `${shares[1]} at ${score} is not ${predicted[index]}`
        assert.ok(Math.abs(shares[1]! - predicted[index]!) < 1e-12, message)
      }
    }
  })
})

describe('models: linear scores', () => {
  it('are the same to the bit for many rows together as for each alone', () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 0, max: 12 }),
      columns: fc.integer({ min: 1, max: 6 }),
      count: fc.integer({ min: 2, max: 11 }),
      binarize: fc.constantFrom(null, 0, 0.5),
    })
    const cases = sizes.chain(({ rows, columns, count, binarize }) =>
      fc.record({
        cells: list(list(fc.option(fc.double({ min: -3, max: 3, noNaN: true })), columns), rows),
        coefficients: list(score, columns * count),
        intercepts: list(score, count),
        sizes: fc.constant({ columns, count, binarize }),
      }),
    )
    fc.assert(
      fc.property(cases, ({ cells, coefficients, intercepts, sizes }) => {
        const { columns, count, binarize } = sizes
        const weights: LinearWeights = {
          labels: Array.from({ length: count }, (_, label) => `label ${label}`),
          coefficients: Float64Array.from(coefficients),
          intercepts: Float64Array.from(intercepts),
          scoreKind: 'softmax',
          binarize,
        }
        const together = linearScores(weights, sparse(cells, columns))
        const expected = cells.flatMap((row) =>
          Array.from({ length: count }, (_, label) => {
            let sum = 0
            for (const [column, value] of row.entries()) {
              if (value === null) continue
              const feature = binarize === null ? value : Number(value > binarize)
              sum += feature * coefficients[label * columns + column]!
            }
            return sum + intercepts[label]!
          }),
        )
        assert.deepEqual([...together], expected)
        const alone = cells.flatMap((row) => [...linearScores(weights, sparse([row], columns))])
        assert.deepEqual(alone, expected)
        assert.equal(predictProbabilities(weights, sparse(cells, columns)).length, expected.length)
      }),
    )
  })
})

/** Rows without the cells that are null. */
function sparse(cells: readonly (readonly (number | null)[])[], columns: number) {
  const indptr = [0]
  const indices: number[] = []
  const data: number[] = []
  for (const row of cells) {
    for (const [column, value] of row.entries()) {
      if (value === null) continue
      indices.push(column)
      data.push(value)
    }
    indptr.push(indices.length)
  }
  return {
    rows: cells.length,
    columns,
    indptr: Int32Array.from(indptr),
    indices: Int32Array.from(indices),
    data: Float64Array.from(data),
  }
}
