/**
 * Writes messages that got another key to the pipeline's own topic, in the partition of that key; each
 * carries its id, its version and the watermark of where it came from.
 */
import { withIdentity } from '../core/identity.ts'
import type { TopicInfo } from '../log/log.ts'
import { partitionOf } from '../log/partitioner.ts'
import { Invalid } from './decode.ts'
import type { Definition, RekeyStep } from './definition.ts'
import { neverLate, watermarkHeader } from './event-time.ts'
import { originsOf, repartitionTopic } from './inputs.ts'
import { deleted, type Rows } from './rows.ts'
import { addFailure, type StepContext, stepRow } from './step-context.ts'
import { headersOf, type Outputs, valueBytes } from './write.ts'

/** What headers take beside the texts in them. */
const headersBytes = 256

/** Rows that are not of a topic whose messages come in at the step stay as they are. */
export const goesPast = (step: RekeyStep, { batch }: Rows): boolean =>
  step.kind === 'origin' && step.topic.name !== batch.topic

/** A way of rows to where their key belongs. */
interface Way {
  readonly step: RekeyStep
  readonly topic: TopicInfo
}

/** What is the same for all rows. */
export interface RekeyOptions {
  readonly definition: Definition
  readonly topics: ReadonlyMap<string, TopicInfo>
  readonly outputs: Outputs
}

/**
 * All rows leave; those that cannot be written fail, and deletes have no value to make a key of. What
 * comes from an origin goes to all steps that reckon with it, each by its own key.
 */
export function repartition(
  step: RekeyStep,
  index: number,
  rows: Rows,
  context: StepContext,
  { definition, topics, outputs }: RekeyOptions,
): void {
  const { counters } = context
  if (goesPast(step, rows)) {
    counters.add(stepRow(index), 'passed', rows.count)
    return
  }
  const steps = step.kind === 'keyBy' ? [step] : originsOf(definition, step.topic.name)
  const ways = steps.map((one) => {
    return { step: one, topic: topics.get(repartitionTopic(definition.name, one.name))! }
  })
  let deletes = 0
  let written = 0
  for (let row = 0; row < rows.count; row++) {
    if (rows.values[row] === deleted) {
      deletes++
      continue
    }
    try {
      write(ways, rows, row, outputs)
      written++
    } catch (error) {
      addFailure(context, rows, row, index, error)
    }
  }
  counters.add(stepRow(index), 'filtered', deletes)
  counters.add(stepRow(index), step.kind === 'keyBy' ? 'passed' : 'absorbed', written)
  rows.count = 0
}

function write(ways: readonly Way[], rows: Rows, row: number, outputs: Outputs): void {
  const value = valueBytes(rows, row)
  const identity = { id: rows.id(row), version: rows.version(row) }
  // What may throw comes before the first is written.
  const keys = ways.map((way) => keyOf(way, rows, row))
  for (const [place, { topic }] of ways.entries()) {
    const sizeBytes = Buffer.byteLength(value) + keys[place]!.length + identity.id.length * 3
    checkSize(topic, rows, row, sizeBytes + headersBytes)
  }
  const headers = withIdentity(headersOf(rows.batch, rows.origins[row]!), identity)
  const watermarkMs = rows.watermarks?.[rows.origins[row]!] ?? neverLate
  if (watermarkMs !== neverLate) {
    headers.push({ key: watermarkHeader, value: Buffer.from(String(watermarkMs)) })
  }
  for (const [place, { topic }] of ways.entries()) {
    const key = keys[place]!
    const partition = partitionOf(key, topic.partitions, 0)
    outputs.builder(topic.name, partition).append(key, value, rows.time(row), headers)
  }
}

/** Throws `Invalid`. */
function checkSize(topic: TopicInfo, { batch, origins }: Rows, row: number, ownBytes: number) {
  const origin = origins[row]!
  const sizeBytes = ownBytes + batch.headerEnds[origin]! - batch.headerStarts[origin]!
  if (sizeBytes <= topic.maxMessageBytes) return
  const room = `topic ${topic.name} takes ${topic.maxMessageBytes} (maxMessageBytes)`
  throw new Invalid(`the message takes ${sizeBytes} bytes, ${room}`)
}

/** Throws `Invalid`, and what the function throws. */
function keyOf({ step: { name, key: keyFrom } }: Way, rows: Rows, row: number): Buffer {
  if (keyFrom !== undefined) {
    return keyText(name, (keyFrom as (value: unknown) => unknown)(rows.values[row]))
  }
  const { batch, origins } = rows
  const start = batch.keyStarts[origins[row]!]!
  if (start >= 0) return batch.bytes.subarray(start, batch.keyEnds[origins[row]!])
  const hint = "declare one with its topic, or name a field with 'by'"
  throw new Invalid(`${name}: the message has no key; ${hint}`)
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
