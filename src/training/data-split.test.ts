import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  byTime,
  duplicatesAcross,
  holdout,
  rowsAt,
  type Split,
  stratifiedFolds,
  timeFolds,
} from './data-split.ts'
import { refusedData, refusedOption } from './data-workshop.ts'

describe('training: labels that are all different', () => {
  it('are refused in words, however many', () => {
    const ids = Array.from({ length: 150_000 }, (_, row) => `id${row}`)
    assert.throws(() => holdout(ids, 1e-9, 0), refusedData(/is the label column an id/))
    assert.throws(() => stratifiedFolds(ids, 5, 0), refusedData(/no label has more than 1 rows/))
  })
})

/** Labels of at least two kinds; some kinds are rare. */
const labelsOf = fc
  .array(fc.constantFrom('a', 'a', 'a', 'a', 'b', 'b', 'c', '\u{1f600}', 'd'), { minLength: 6 })
  .filter((labels) => new Set(labels).size > 1)
const shares = fc.integer({ min: 20, max: 80 }).map((percent) => percent / 100)
const seeds = fc.nat()

function countOf(labels: readonly string[], label: string): number {
  return labels.filter((own) => own === label).length
}

function assertAscending(rows: Int32Array): void {
  assert.ok(rows.every((row, at) => at === 0 || rows[at - 1]! < row))
}

function assertPartition({ train, test }: Split, rows: number): void {
  const all = [...train, ...test].sort((a, b) => a - b)
  assert.deepEqual(
    all,
    Array.from({ length: rows }, (_, row) => row),
  )
}

describe('splits: holdout', () => {
  it('is a partition, stratified to within one row, the whole share to the nearest row', () => {
    fc.assert(
      fc.property(labelsOf, shares, seeds, (labels, share, seed) => {
        fc.pre(labels.length - new Set(labels).size > 4)
        const split = holdout(labels, share, seed)
        assertPartition(split, labels.length)
        assertAscending(split.train)
        assertAscending(split.test)
        const tested = rowsAt(labels, split.test)
        for (const label of new Set(labels)) {
          const rows = countOf(labels, label)
          assert.ok(Math.abs(countOf(tested, label) - share * rows) < 1)
          assert.ok(countOf(tested, label) < rows)
          assert.equal(split.untried.includes(label), rows === 1)
        }
        assert.ok(tested.length <= Math.round(share * labels.length))
        assert.deepEqual(holdout(labels, share, seed), split)
      }),
    )
  })

  it('meets the share of all rows though no label divides evenly', () => {
    const labels = Array.from({ length: 300 }, (_, row) => `l${row % 20}`)
    const { test } = holdout(labels, 0.25, 1)
    assert.equal(test.length, 75)
    const counts = new Set(labels).values().map((label) => countOf(rowsAt(labels, test), label))
    assert.deepEqual(new Set(counts), new Set([3, 4]))
  })

  it('draws any row, and another lot with another seed', () => {
    const labels = Array.from({ length: 40 }, (_, row) => (row < 20 ? 'a' : 'b'))
    const drawn = new Set<number>()
    for (let seed = 0; seed < 60; seed++)
      for (const row of holdout(labels, 0.25, seed).test) drawn.add(row)
    assert.equal(drawn.size, 40)
  })

  it('refuses what cannot be divided', () => {
    assert.throws(() => holdout([], 0.2, 1), refusedData(/no rows/))
    assert.throws(() => holdout(['a', 'a'], 0.2, 1), refusedData(/all 2 rows are labelled 'a'/))
    const ids = Array.from({ length: 9 }, (_, row) => `id${row}`)
    assert.throws(() => holdout(ids, 0.2, 1), refusedData(/is the label column an id\?/))
    assert.throws(() => holdout(['a', 'b', 'a', 'b'], 0.1, 1), refusedData(/nothing to try$/))
    for (const share of [0, 1, Number.NaN, 20]) {
      assert.throws(() => holdout(['a', 'b'], share, 1), refusedOption(/between 0 and 1/))
    }
  })
})

describe('splits: folds', () => {
  it('try each row once, stratified to within one row', () => {
    const folds = fc.integer({ min: 2, max: 6 })
    fc.assert(
      fc.property(labelsOf, folds, seeds, (labels, k, seed) => {
        fc.pre([...new Set(labels)].some((label) => countOf(labels, label) >= k))
        const splits = stratifiedFolds(labels, k, seed)
        assert.equal(splits.length, k)
        for (const split of splits) assertPartition(split, labels.length)
        const tried = splits.flatMap(({ test }) => [...test]).sort((a, b) => a - b)
        assert.deepEqual(
          tried,
          labels.map((_, row) => row),
        )
        for (const { test } of splits) {
          for (const label of new Set(labels)) {
            const own = countOf(rowsAt(labels, test), label)
            assert.ok(Math.abs(own - countOf(labels, label) / k) < 1)
          }
        }
        assert.deepEqual(stratifiedFolds(labels, k, seed), splits)
      }),
    )
  })

  it('refuse more folds than any label has rows', () => {
    assert.throws(
      () => stratifiedFolds(['a', 'a', 'b'], 3, 1),
      refusedData(/3 folds, but no label/),
    )
    assert.throws(() => stratifiedFolds(['a', 'a'], 2, 1), refusedData(/all 2 rows/))
    assert.throws(() => stratifiedFolds(['a', 'b'], 1, 1), refusedOption(/folds is 1/))
  })
})

describe('splits: by time', () => {
  const times = fc
    .array(fc.integer({ min: 0, max: 12 }), { minLength: 2, maxLength: 60 })
    .map((values) => Float64Array.from(values))
  const moments = (timesMs: Float64Array) => new Set(timesMs).size
  const at = (timesMs: Float64Array, rows: Int32Array) => Array.from(rows, (row) => timesMs[row]!)

  it('learns from the past only, and keeps a moment on one side, as near to the share as may be', () => {
    fc.assert(
      fc.property(times, shares, (timesMs, share) => {
        fc.pre(moments(timesMs) > 1)
        const split = byTime(timesMs, share)
        assertPartition(split, timesMs.length)
        const [past, future] = [at(timesMs, split.train), at(timesMs, split.test)]
        assert.ok(Math.max(...past) < Math.min(...future))
        const wanted = timesMs.length - Math.round(share * timesMs.length)
        const possible = [...new Set(timesMs)]
          .map((time) => timesMs.filter((own) => own < time).length)
          .filter((place) => place > 0)
        const nearest = Math.min(...possible.map((place) => Math.abs(place - wanted)))
        assert.equal(Math.abs(past.length - wanted), nearest)
      }),
    )
  })

  it('chains forward: each fold learns from all before it, and all but the first stretch are tried', () => {
    const folds = fc.integer({ min: 2, max: 5 })
    fc.assert(
      fc.property(times, folds, (timesMs, k) => {
        fc.pre(moments(timesMs) > k)
        const splits = timeFolds(timesMs, k)
        assert.equal(splits.length, k)
        let learnt: Int32Array | undefined
        for (const { train, test } of splits) {
          assert.ok(train.length > 0 && test.length > 0)
          assert.ok(Math.max(...at(timesMs, train)) < Math.min(...at(timesMs, test)))
          if (learnt !== undefined) assert.deepEqual(train, learnt)
          learnt = Int32Array.from([...train, ...test])
        }
        assertPartition({ train: learnt!, test: new Int32Array() }, timesMs.length)
      }),
    )
  })

  it('cuts as TimeSeriesSplit does where no two times are equal', () => {
    const timesMs = Float64Array.from([9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    const sizes = timeFolds(timesMs, 3).map(({ train, test }) => [train.length, test.length])
    assert.deepEqual(sizes, [
      [4, 2],
      [6, 2],
      [8, 2],
    ])
    assert.deepEqual([...timeFolds(timesMs, 3)[0]!.train], [9, 8, 7, 6])
  })

  it('refuses times that do not divide', () => {
    const same = new Float64Array(5)
    assert.throws(() => byTime(same, 0.2), refusedData(/5 rows have 1 different times/))
    assert.throws(() => timeFolds(Float64Array.from([1, 1, 2]), 2), refusedData(/into 3 stretches/))
    assert.throws(() => byTime(Float64Array.from([1, Number.NaN]), 0.5), refusedData(/row 2/))
    assert.throws(() => byTime(new Float64Array(), 0.5), refusedData(/0 rows have 0 different/))
  })
})

describe('splits: duplicates', () => {
  it('counts texts of the test that stand in training, each time they do', () => {
    assert.equal(duplicatesAcross(['a', 'b', 'b'], ['b', 'c', 'b', 'A']), 2)
    assert.equal(duplicatesAcross([], ['a']), 0)
  })
})
