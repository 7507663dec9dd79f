import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import { CountVectorizer, type SparseMatrix, TfidfTransformer } from '../features/index.ts'
import { linearScores, predictLabels } from './linear.ts'
import { type LinearSVCOptions, linearSVC } from './linear-svc.ts'
import { textEstimatorContract } from './model.contract.ts'
import { textClassifier } from './text-classifier.ts'

textEstimatorContract({
  name: 'linear-svc',
  estimator: () => textClassifier({ estimator: linearSVC() }),
})

interface Fixture {
  readonly corpora: Record<string, { rows?: number[][]; texts?: string[]; labels: string[] }>
  readonly linearSVC: {
    readonly corpus: string
    readonly options: LinearSVCOptions
    readonly classes: string[]
    readonly coefficients: number[][]
    readonly intercepts: number[]
    readonly scores: (number | number[])[]
    readonly predictions: string[]
  }[]
}

const file = new URL('./fixtures/linear-svc.json', import.meta.url)
const fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture

const dense = (rows: number[][]): SparseMatrix => ({
  rows: rows.length,
  columns: rows[0]!.length,
  indptr: Int32Array.from({ length: rows.length + 1 }, (_, row) => row * rows[0]!.length),
  indices: Int32Array.from(rows.flat(), (_, entry) => entry % rows[0]!.length),
  data: Float64Array.from(rows.flat()),
})

const corpora = Object.fromEntries(
  Object.entries(fixture.corpora).map(([name, { rows, texts, labels }]) => {
    if (rows !== undefined) return [name, { matrix: dense(rows), labels }]
    const counts = new CountVectorizer().fitTransform(texts!)
    return [name, { matrix: new TfidfTransformer().fit(counts).transform(counts), labels }]
  }),
)

const tight = { tol: 1e-12, maxIter: 1_000_000 }

/** How far the numbers are from each other at most, larger ones by their size. */
function distance(actual: Iterable<number>, expected: readonly number[]): number {
  const values = [...actual]
  assert.equal(values.length, expected.length)
  return expected.reduce(
    (most, value, index) =>
      Math.max(most, Math.abs(values[index]! - value) / Math.max(1, Math.abs(value))),
    0,
  )
}

describe('models: LinearSVC', () => {
  for (const { corpus, options, ...expected } of fixture.linearSVC) {
    it(`is where scikit-learn's optimum is: ${corpus}, ${JSON.stringify(options)}`, () => {
      const { matrix, labels } = corpora[corpus]!
      const weights = linearSVC({ ...options, ...tight }).fitWeights(matrix, labels, { seed: 1 })
      assert.deepEqual(weights.labels, expected.classes)
      assert.deepEqual(weights.warnings, [])
      const isBinary = expected.classes.length === 2
      const noRow = isBinary ? [new Array<number>(matrix.columns).fill(0)] : []
      const rows = [...noRow, ...expected.coefficients]
      assert.ok(distance(weights.coefficients, rows.flat()) < 1e-9)
      const intercepts = [...(isBinary ? [0] : []), ...expected.intercepts]
      assert.ok(distance(weights.intercepts, intercepts) < 1e-9)
      const scores = expected.scores.flatMap((score) => (isBinary ? [0, score as number] : score))
      assert.ok(distance(linearScores(weights, matrix), scores) < 1e-9)
      assert.deepEqual(predictLabels(weights, matrix), expected.predictions)
    })
  }

  it('comes to the same optimum whatever the seed and the order of rows and columns are', () => {
    const { matrix, labels } = corpora['text three']!
    const estimator = linearSVC(tight)
    const first = estimator.fitWeights(matrix, labels, { seed: 1 })
    const other = estimator.fitWeights(matrix, labels, { seed: 2 ** 40 + 3 })
    assert.notDeepEqual(other.coefficients, first.coefficients)
    assert.ok(distance(other.coefficients, [...first.coefficients]) < 1e-9)
    assert.deepEqual(estimator.fitWeights(matrix, labels, { seed: 1 }), first)
  })

  it('satisfies the conditions of the optimum on any rows', () => {
    const number = fc.double({ min: -3, max: 3, noNaN: true })
    const rows = fc.array(fc.tuple(fc.array(number, { minLength: 7, maxLength: 7 }), fc.nat(2)), {
      minLength: 3,
      maxLength: 14,
    })
    fc.assert(
      fc.property(rows, fc.integer(), (given, seed) => {
        const all = [...given, ...[0, 1, 2].map((label) => [new Array(7).fill(0), label] as const)]
        const matrix = dense(all.map(([row]) => [...row]))
        const labels = all.map(([, label]) => `label ${label}`)
        const weights = linearSVC({ C: 0.3, tol: 1e-8 }).fitWeights(matrix, labels, { seed })
        assert.ok(gradientSize(matrix, labels, weights, 0.3) < 1e-5)
      }),
      { numRuns: 40 },
    )
  })

  it('says in its warnings what did not converge, and still answers', () => {
    const { matrix, labels } = corpora['text three']!
    const weights = linearSVC({ tol: 1e-9, maxIter: 2 }).fitWeights(matrix, labels, { seed: 1 })
    assert.deepEqual(weights.warnings, [
      "linear-svc: did not converge in 2 iterations (3 of 3: 'x', 'y', 'z'); raise maxIter or lower C",
    ])
    assert.ok(weights.coefficients.every(Number.isFinite))
  })

  it('leaves out the rows of labels that weigh nothing', () => {
    const matrix = dense([[1], [2], [-3], [-4]])
    for (const loss of ['hinge', 'squared_hinge'] as const) {
      const estimator = linearSVC({ loss, classWeight: { a: 0 } })
      const weights = estimator.fitWeights(matrix, ['a', 'a', 'b', 'b'], { seed: 1 })
      assert.ok(weights.coefficients.every(Number.isFinite))
      assert.deepEqual(predictLabels(weights, matrix)[2], 'b')
    }
  })

  it('learns from rows without any feature, also without a constant', () => {
    const matrix = { ...dense([[1], [-1], [1]]), indptr: Int32Array.of(0, 1, 2, 2) }
    for (const loss of ['hinge', 'squared_hinge'] as const) {
      const estimator = linearSVC({ loss, fitIntercept: false })
      const { coefficients } = estimator.fitWeights(matrix, ['b', 'a', 'a'], { seed: 1 })
      assert.ok(coefficients.every(Number.isFinite) && coefficients[1]! > 0)
    }
  })

  it('learns labels side by side as it would one by one', () => {
    const count = 11
    const rows = Array.from({ length: 4 * count }, (_, row) =>
      Array.from({ length: count }, (_, column) => Math.sin(row * 7 + column * 3)),
    )
    const names = [...'abcdefghijk']
    const labels = rows.map((_, row) => names[row % count]!)
    const matrix = dense(rows)
    const together = linearSVC(tight).fitWeights(matrix, labels, { seed: 3 })
    for (let label = 0; label < count; label++) {
      const own = labels.map((name) => (name === names[label] ? 'own' : 'not'))
      const alone = linearSVC(tight).fitWeights(matrix, own, { seed: 4 })
      const learnt = together.coefficients.subarray(label * count, (label + 1) * count)
      assert.ok(distance(learnt, [...alone.coefficients.subarray(count)]) < 1e-9)
    }
  })

  it('refuses what it does not know or offer, and says what it knows', () => {
    const refused: [object, RegExp][] = [
      [{ c: 1 }, /unknown option 'c'; known: C, loss, tol/],
      [{ penalty: 'l1' }, /penalty is not offered/],
      [{ dual: false }, /dual is not offered/],
      [{ multiClass: 'crammer_singer' }, /multiClass is not offered/],
      [{ toString: 1 }, /unknown option 'toString'/],
      [{ C: 0 }, /C is 0/],
      [{ tol: Number.NaN }, /tol is NaN/],
      [{ loss: 'log' }, /loss is 'log'/],
      [{ maxIter: 1.5 }, /maxIter is 1.5/],
      [{ fitIntercept: 1 }, /fitIntercept is 1/],
      [{ interceptScaling: 0 }, /interceptScaling is 0/],
      [{ classWeight: { a: -1 } }, /classWeight/],
    ]
    for (const [options, words] of refused) {
      assert.throws(
        () => linearSVC(options),
        (error) => codeOf(error) === 'OPTIONS_INVALID' && words.test((error as Error).message),
        JSON.stringify(options),
      )
    }
  })

  it('refuses rows that cannot be learnt from', () => {
    const { matrix, labels } = corpora['dense two']!
    for (const attempt of [
      () => linearSVC().fitWeights(matrix, labels.slice(1), { seed: 1 }),
      () =>
        linearSVC().fitWeights(
          matrix,
          labels.map(() => 'no'),
          { seed: 1 },
        ),
      () => linearSVC().fitWeights(dense([[1], [Number.NaN]]), ['a', 'b'], { seed: 1 }),
    ]) {
      assert.throws(attempt, (error) => codeOf(error) === 'TRAINING_INVALID')
    }
  })
})

/** The largest derivative by a weight of 0.5 |w|² + C * the squared hinge losses. */
function gradientSize(
  matrix: SparseMatrix,
  labels: readonly string[],
  weights: ReturnType<ReturnType<typeof linearSVC>['fitWeights']>,
  C: number,
): number {
  const count = weights.labels.length
  const scores = linearScores(weights, matrix)
  let most = 0
  for (let label = count === 2 ? 1 : 0; label < count; label++) {
    const start = label * matrix.columns
    const gradient = [...weights.coefficients.subarray(start, start + matrix.columns)]
    for (let row = 0; row < matrix.rows; row++) {
      const sign = labels[row] === weights.labels[label] ? 1 : -1
      const short = Math.max(0, 1 - sign * scores[row * count + label]!)
      for (let entry = matrix.indptr[row]!; entry < matrix.indptr[row + 1]!; entry++) {
        gradient[matrix.indices[entry]!]! -= 2 * C * short * sign * matrix.data[entry]!
      }
    }
    most = Math.max(most, ...gradient.map(Math.abs))
  }
  return most
}
