/**
 * Writes messages that got another key to the pipeline's own topic, in the partition of that key; each
 * carries its id, its version and the watermark of where it came from.
 */
import { withIdentity } from '../core/identity.ts'
import type { TopicInfo } from '../log/log.ts'
import { partitionOf } from '../log/partitioner.ts'
import { Invalid } from './decode.ts'
import type { Step } from './definition.ts'
import { neverLate, watermarkHeader } from './event-time.ts'
import { deleted, type Rows } from './rows.ts'
import { addFailure, type StepContext, stepRow } from './run-steps.ts'
import { headersOf, type Outputs, valueBytes } from './write.ts'

export type KeyByStep = Step & { readonly kind: 'keyBy' }

/** What headers take beside the texts in them. */
const headersBytes = 256

/** All rows leave; those that cannot be written fail, and deletes have no value to make a key of. */
export function repartition(
  step: KeyByStep,
  index: number,
  rows: Rows,
  context: StepContext,
  topic: TopicInfo,
  outputs: Outputs,
): void {
  let deletes = 0
  let written = 0
  for (let row = 0; row < rows.count; row++) {
    if (rows.values[row] === deleted) {
      deletes++
      continue
    }
    try {
      write(step, rows, row, topic, outputs)
      written++
    } catch (error) {
      addFailure(context, rows, row, index, error)
    }
  }
  context.counters.add(stepRow(index), 'filtered', deletes)
  context.counters.add(stepRow(index), 'passed', written)
  rows.count = 0
}

function write(
  { name, key: keyFrom }: KeyByStep,
  rows: Rows,
  row: number,
  topic: TopicInfo,
  outputs: Outputs,
): void {
  const { batch } = rows
  const origin = rows.origins[row]!
  const key = keyText(name, (keyFrom as (value: unknown) => unknown)(rows.values[row]))
  const value = valueBytes(rows, row)
  const identity = { id: rows.id(row), version: rows.version(row) }
  const sizeBytes = Buffer.byteLength(value) + key.length + identity.id.length * 3 + headersBytes
  const carriedBytes = batch.headerEnds[origin]! - batch.headerStarts[origin]!
  if (sizeBytes + carriedBytes > topic.maxMessageBytes) {
    const room = `topic ${topic.name} takes ${topic.maxMessageBytes} (maxMessageBytes)`
    throw new Invalid(`the message takes ${sizeBytes + carriedBytes} bytes, ${room}`)
  }
  const headers = withIdentity(headersOf(batch, origin), identity)
  const watermarkMs = rows.watermarks?.[origin] ?? neverLate
  if (watermarkMs !== neverLate) {
    headers.push({ key: watermarkHeader, value: Buffer.from(String(watermarkMs)) })
  }
  const partition = partitionOf(key, topic.partitions, 0)
  outputs.builder(topic.name, partition).append(key, value, rows.time(row), headers)
}

/** As text: a number and its text are one key. Throws `Invalid`. */
function keyText(name: string, key: unknown): Buffer {
  const kind = typeof key
  const isKey = kind === 'string' || kind === 'number' || kind === 'bigint' || kind === 'boolean'
  if (!isKey || Number.isNaN(key)) {
    const seen =
      key === null || key === undefined ? `${key}` : kind === 'number' ? 'NaN' : `a ${kind}`
    throw new Invalid(
      `${name}: the key is ${seen}; give a text or a number, or filter it out before`,
    )
  }
  const text = String(key)
  if (!text.isWellFormed()) {
    throw new Invalid(`${name}: the key has a lone surrogate, which UTF-8 cannot hold`)
  }
  return Buffer.from(text)
}
