/** The rows of a batch as a step with keyed state sees them. */
import { isUtf8 } from 'node:buffer'
import type { Json } from '../transforms/aggregator.ts'
import type { TableInput } from '../transforms/row-step.ts'
import type { WindowInput } from '../transforms/window-step.ts'
import { Invalid } from './decode.ts'
import { neverLate } from './event-time.ts'
import { rightJson } from './pair-json.ts'
import { deleted, type Rows } from './rows.ts'
import { addFailure, drop, type StepContext, stepRow } from './step-context.ts'

/**
 * Keys, values and times of rows. Rows without a key fail and are dropped, and so are deletes, which
 * have nothing to be reckoned with; both are counted.
 */
export function keyedInput(rows: Rows, index: number, context: StepContext): WindowInput {
  const keys = keysOf(rows, index, context)
  const timesMs = new Float64Array(rows.count)
  const watermarksMs = new Float64Array(rows.count)
  for (let row = 0; row < rows.count; row++) {
    timesMs[row] = rows.time(row)
    watermarksMs[row] = rows.watermarks?.[rows.origins[row]!] ?? neverLate
  }
  return { count: rows.count, keys, values: rows.values, timesMs, watermarksMs }
}

/** Changes of a table: its values as they stand in their topic. Rows without a key fail. */
export function tableInput(rows: Rows, index: number, context: StepContext): TableInput {
  const keys: string[] = []
  const values: Json[] = []
  const timesMs: number[] = []
  const codec = context.codecs.of(rows.batch.topic)
  for (let row = 0; row < rows.count; row++) {
    try {
      const key = keyOf(rows, row)
      const isDelete = rows.values[row] === deleted
      values.push(isDelete ? null : (JSON.parse(rightJson(rows, row, codec)) as Json))
      keys.push(key)
      timesMs.push(rows.time(row))
    } catch (error) {
      addFailure(context, rows, row, index, error)
    }
  }
  return { count: keys.length, keys, values, timesMs }
}

/** Takes the rows that came too late, and drops those that it cannot write. */
export type LateRows = (rows: Rows) => void | Promise<void>

/**
 * Hands late rows on where somebody takes them; those that cannot be written there are dead letters
 * instead. How many were late; the rows themselves stay as they are.
 */
export async function handOnLate(
  rows: Rows,
  late: ReadonlySet<number>,
  take: LateRows | undefined,
): Promise<number> {
  if (late.size === 0 || take === undefined) return late.size
  const copy = rows.copy()
  keepOnly(copy, late)
  await take(copy)
  return copy.count
}

/** Leaves only the chosen rows. */
export function keepOnly(rows: Rows, chosen: ReadonlySet<number>): void {
  const others = new Set<number>()
  for (let row = 0; row < rows.count; row++) if (!chosen.has(row)) others.add(row)
  drop(rows, others)
}

function keysOf(rows: Rows, index: number, context: StepContext): string[] {
  const keys: string[] = []
  const dropped = new Set<number>()
  let deletes = 0
  for (let row = 0; row < rows.count; row++) {
    if (rows.values[row] === deleted) {
      deletes++
      dropped.add(row)
      continue
    }
    try {
      keys.push(keyOf(rows, row))
    } catch (error) {
      addFailure(context, rows, row, index, error)
      dropped.add(row)
    }
  }
  context.counters.add(stepRow(index), 'filtered', deletes)
  if (dropped.size > 0) drop(rows, dropped)
  return keys
}

/** Throws `Invalid`. */
function keyOf({ batch, origins }: Rows, row: number): string {
  const origin = origins[row]!
  const start = batch.keyStarts[origin]!
  const end = batch.keyEnds[origin]!
  const hint = 'declare one with its topic, or give keyBy a function'
  if (start < 0) throw new Invalid(`the message has no key; ${hint}`)
  const key = batch.bytes.toString('utf8', start, end)
  // Bad bytes become U+FFFD, which also may stand there rightly.
  if (key.includes('\ufffd') && !isUtf8(batch.bytes.subarray(start, end))) {
    throw new Invalid(`the key is not valid UTF-8; ${hint}`)
  }
  return key
}
