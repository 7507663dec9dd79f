/** Values out of bytes: JSON or a format, and the schema of a topic, a whole batch at a time. */
import { isUtf8 } from 'node:buffer'
import type { Batch } from '../core/batch.ts'
import { codeOf, fail, messageOf } from '../core/errors.ts'
import type { Schema, SchemaIssue } from '../core/schema.ts'
import type { Codec } from '../formats/format.ts'
import { isStopped } from './retry.ts'
import { deleted, type JoinEntry, type Rows } from './rows.ts'

/** One message that a step could not take, and why; it becomes a dead letter. */
export interface Failure {
  /** Index of the message in the batch of the input, or in `batch`. */
  readonly origin: number
  /** Of what a window gave: it is no message of the input. */
  readonly batch?: Batch
  readonly id: string
  readonly step: number
  /** The name of the error's class, or its code. */
  readonly error: string
  readonly message: string
  /** Where a replay enters, when that is not the pipeline's input. */
  readonly entry?: JoinEntry | undefined
  /** The step of a dead letter that failed again before it came there: it keeps it. */
  readonly letterStep?: string
}

/** How many have failed at a step itself, from a place on: others may have failed behind it meanwhile. */
export function failuresAt(step: number, failures: readonly Failure[], from: number): number {
  let count = 0
  for (let place = from; place < failures.length; place++) {
    if (failures[place]!.step === step) count++
  }
  return count
}

/** A value that does not fit: thrown by `check`, caught where rows are narrowed down. */
export class Invalid extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Invalid'
  }
}

/** Decodes the value of one message, of a prepared batch where it has a codec. Throws what is wrong with it. */
export function decodeValue(
  batch: Batch,
  index: number,
  schema: Schema | undefined,
  codec?: Codec,
): unknown {
  const start = batch.valueStarts[index]!
  if (start < 0) return deleted
  const end = batch.valueEnds[index]!
  if (codec !== undefined) {
    const decoded = codec.decode(batch.bytes, start, end)
    return schema === undefined ? decoded : check(schema, decoded)
  }
  const text = batch.bytes.toString('utf8', start, end)
  // Bad bytes become U+FFFD, which also may stand there rightly: only then the exact check is owed.
  if (text.includes('\ufffd') && !isUtf8(batch.bytes.subarray(start, end))) {
    throw new Invalid(`the value is not valid UTF-8 (${end - start} bytes)`)
  }
  const value: unknown = JSON.parse(text)
  return schema === undefined ? value : check(schema, value)
}

/** The schema's output for a value. Throws `Invalid`, which names the fields. */
export function check(schema: Schema, value: unknown): unknown {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) {
    throw fail(
      'STEP_ASYNCHRONOUS',
      'a schema validates asynchronously; topics need one that does not',
    )
  }
  if (result.issues === undefined) return result.value
  throw new Invalid(result.issues.slice(0, 3).map(describe).join('; '))
}

function describe(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part))
  return path.length === 0 ? issue.message : `${path.join('.')}: ${issue.message}`
}

/** Fills the rows with the values of their batch; gives back what could not be decoded. */
export function decodeRows(rows: Rows, schema: Schema | undefined, codec?: Codec): Failure[] {
  const failures: Failure[] = []
  const { batch } = rows
  // A schema may have changed a value, and a format is no JSON: then it is written anew.
  rows.appended = schema === undefined && codec === undefined ? [] : undefined
  for (let index = 0; index < batch.count; index++) {
    try {
      const value = decodeValue(batch, index, schema, codec)
      rows.values[rows.count] = value
      rows.origins[rows.count] = index
      rows.count++
    } catch (error) {
      if (isOurs(error)) throw error
      failures.push(failureOf(rows, index, error))
    }
  }
  return failures
}

function failureOf(rows: Rows, index: number, error: unknown): Failure {
  rows.origins[rows.count] = index
  return { origin: index, id: rows.id(rows.count), step: 0, ...describeError(error) }
}

/** The class and the words of what was thrown, bounded: a message may quote the data. */
export function describeError(error: unknown): { error: string; message: string } {
  const name = codeOf(error) ?? (error instanceof Error ? String(error.name) : typeof error)
  return { error: name, message: messageOf(error).slice(0, 500) }
}

/**
 * True for what is no fault of a message although a user's function was being called: the lane has
 * to stop, or the function is of a kind that no message can pass. Whatever else is thrown there, an
 * error of Millrace's own included, makes the message a dead letter.
 */
export function isOurs(error: unknown): boolean {
  return codeOf(error) === 'STEP_ASYNCHRONOUS' || isStopped(error)
}
