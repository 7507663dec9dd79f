/**
 * Divides labelled rows into what is learnt from and what is tried: by chance or by time, once or in
 * folds. All give indexes of rows; the same rows, share and seed give the same division.
 */
import { fail } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import { sortByCodePoint } from '../features/index.ts'
import { stratifiedFolds as dealFolds } from '../models/folds.ts'
import { invalid } from './data-rows.ts'

/** Every row is on at most one side. */
export interface Split {
  readonly train: Int32Array
  readonly test: Int32Array
}

export interface Holdout extends Split {
  /** Labels with a single row, which is in training, so that nothing tries them. */
  readonly untried: readonly string[]
}

/**
 * Holds back a share of the rows, of each label as large a share as whole rows allow (never more
 * than one row away from it); what rounding leaves over goes to the largest remainders, so that the
 * test has `share` of all rows, to the nearest row. A label's last row stays in training. Indexes
 * ascend. Throws `TRAINING_DATA_INVALID` for one label only, and where nothing would be tried.
 */
export function holdout(labels: readonly string[], share: number, seed: number): Holdout {
  checkShare(share)
  const rowsOf = rowsByLabel(labels)
  checkLabels(rowsOf, labels.length)
  const random = seededRandom(seed)
  const groups = [...rowsOf.entries()].map(([label, rows]) => {
    const exact = share * rows.length
    const taken = Math.floor(exact)
    // The second key decides between equal remainders, so that no label is always the loser.
    return { label, rows, taken, remainder: exact - taken, chance: random() }
  })
  let left = Math.round(share * labels.length) - groups.reduce((sum, { taken }) => sum + taken, 0)
  const byRemainder = groups.toSorted((a, b) => b.remainder - a.remainder || a.chance - b.chance)
  for (const group of byRemainder) {
    if (left <= 0) break
    if (group.remainder === 0 || group.taken + 1 >= group.rows.length) continue
    group.taken++
    left--
  }
  const isTest = new Uint8Array(labels.length)
  for (const { rows, taken } of groups) choose(rows, taken, random, isTest)
  const split = bySide(isTest)
  if (split.test.length === 0) {
    const largest = longestOf(rowsOf)
    const why = largest === 1 ? ': every label has a single row; is the label column an id?' : ''
    throw invalid(`a share of ${share} of ${labels.length} rows leaves nothing to try${why}`)
  }
  const untried = groups.filter(({ rows }) => rows.length === 1).map(({ label }) => label)
  return { ...split, untried }
}

/**
 * The last share of the rows by time is the test. Rows of the same moment stay on one side, so the
 * share is met as nearly as they allow. Indexes are in the order of time. Throws
 * `TRAINING_DATA_INVALID` when all times are the same.
 */
export function byTime(timesMs: Float64Array, share: number): Split {
  checkShare(share)
  const order = orderOfTime(timesMs)
  const wanted = timesMs.length - Math.round(share * timesMs.length)
  const [border] = borders(timesMs, order, [wanted])
  return { train: order.slice(0, border), test: order.slice(border) }
}

/**
 * `folds` divisions; each row is tried in exactly one of them. Every test has its share of every
 * label, to within one row. Indexes ascend. Throws `TRAINING_DATA_INVALID` for one label only, and
 * when no label has a row for each fold (as scikit-learn's StratifiedKFold).
 */
export function stratifiedFolds(labels: readonly string[], folds: number, seed: number): Split[] {
  checkFolds(folds)
  const rowsOf = rowsByLabel(labels)
  checkLabels(rowsOf, labels.length)
  const largest = longestOf(rowsOf)
  if (largest < folds) {
    throw invalid(`${folds} folds, but no label has more than ${largest} rows; take fewer folds`)
  }
  const foldOf = dealFolds(labels, folds, seed)
  return Array.from({ length: folds }, (_, fold) =>
    bySide(Uint8Array.from(foldOf, (own) => (own === fold ? 1 : 0))),
  )
}

/**
 * Forward chaining: the rows in order of time are cut into `folds + 1` stretches; each but the first
 * is tried after learning from all before it (as scikit-learn's TimeSeriesSplit). `triedShare` is the
 * share of rows that are tried in all; by default the stretches are equal. Rows of the same moment
 * stay together. Throws `TRAINING_DATA_INVALID` for fewer different times than stretches.
 */
export function timeFolds(
  timesMs: Float64Array,
  folds: number,
  triedShare = folds / (folds + 1),
): Split[] {
  checkFolds(folds)
  const order = orderOfTime(timesMs)
  const size = Math.floor((timesMs.length * triedShare) / folds + 1e-9)
  const wanted = Array.from({ length: folds }, (_, fold) => timesMs.length - (folds - fold) * size)
  const found = borders(timesMs, order, wanted)
  return found.map((border, fold) => ({
    train: order.slice(0, border),
    test: order.slice(border, found[fold + 1] ?? order.length),
  }))
}

/** How many texts of the test stand in training word for word: what was learnt by heart. */
export function duplicatesAcross(train: readonly string[], test: readonly string[]): number {
  const learnt = new Set(train)
  return test.reduce((count, text) => (learnt.has(text) ? count + 1 : count), 0)
}

/** What stands at these indexes, in their order. */
export function rowsAt<Value>(values: readonly Value[], indexes: Int32Array): Value[] {
  return Array.from(indexes, (index) => values[index]!)
}

/** Rows by label, labels in code-point order: the order of rows alone does not decide the draw. */
function rowsByLabel(labels: readonly string[]): Map<string, number[]> {
  const rowsOf = new Map<string, number[]>()
  for (const label of sortByCodePoint([...new Set(labels)])) rowsOf.set(label, [])
  for (let row = 0; row < labels.length; row++) rowsOf.get(labels[row]!)!.push(row)
  return rowsOf
}

/** Not by `Math.max(...)`: there may be more labels than a call takes arguments. */
function longestOf(rowsOf: ReadonlyMap<string, readonly number[]>): number {
  let longest = 0
  for (const rows of rowsOf.values()) longest = Math.max(longest, rows.length)
  return longest
}

/** Marks `count` of the rows, each choice as likely as any other (Knuth, algorithm 3.4.2 S). */
function choose(
  rows: readonly number[],
  count: number,
  random: () => number,
  isTest: Uint8Array,
): void {
  let wanted = count
  for (let at = 0; at < rows.length && wanted > 0; at++) {
    if (random() * (rows.length - at) >= wanted) continue
    isTest[rows[at]!] = 1
    wanted--
  }
}

function bySide(isTest: Uint8Array): Split {
  const tests = isTest.reduce((count, side) => count + side, 0)
  const train = new Int32Array(isTest.length - tests)
  const test = new Int32Array(tests)
  let trained = 0
  for (let row = 0; row < isTest.length; row++) {
    if (isTest[row] === 0) train[trained++] = row
    else test[row - trained] = row
  }
  return { train, test }
}

/** Rows in the order of time; those of one moment in their own order. */
function orderOfTime(timesMs: Float64Array): Int32Array {
  const wrong = timesMs.findIndex((time) => !Number.isFinite(time))
  if (wrong >= 0) throw invalid(`row ${wrong + 1} has no time`)
  const order = Int32Array.from(timesMs, (_, row) => row)
  return order.sort((a, b) => timesMs[a]! - timesMs[b]! || a - b)
}

/**
 * Places in `order` where a new moment begins, the nearest to the wanted ones that leave a moment
 * for each stretch.
 */
function borders(timesMs: Float64Array, order: Int32Array, wanted: readonly number[]): number[] {
  const starts: number[] = []
  for (let at = 1; at < order.length; at++) {
    if (timesMs[order[at]!] !== timesMs[order[at - 1]!]) starts.push(at)
  }
  if (starts.length < wanted.length) {
    const moments = Math.min(order.length, starts.length + 1)
    throw invalid(
      `${order.length} rows have ${moments} different times; to divide them by time into ${wanted.length + 1} stretches takes as many`,
    )
  }
  let next = 0
  return wanted.map((place, index) => {
    const last = starts.length - (wanted.length - index)
    while (next < last && nearer(starts[next + 1]!, starts[next]!, place)) next++
    return starts[next++]!
  })
}

/** The later one of two that are as near leaves more to learn from. */
function nearer(candidate: number, than: number, place: number): boolean {
  return Math.abs(candidate - place) <= Math.abs(than - place)
}

function checkShare(share: number): void {
  if (share > 0 && share < 1) return
  throw fail('OPTIONS_INVALID', `the share to try is ${share}; give a number between 0 and 1`)
}

function checkFolds(folds: number): void {
  if (Number.isInteger(folds) && folds >= 2) return
  throw fail('OPTIONS_INVALID', `folds is ${folds}; give a whole number from 2`)
}

function checkLabels(rowsOf: ReadonlyMap<string, unknown>, rows: number): void {
  if (rows === 0) throw invalid('there are no rows to divide')
  if (rowsOf.size > 1) return
  const [label] = rowsOf.keys()
  throw invalid(`all ${rows} rows are labelled '${label}'; a model learns from two labels at least`)
}
