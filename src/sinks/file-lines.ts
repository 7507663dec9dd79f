/** One message as one line of JSON. */
import { isUtf8 } from 'node:buffer'
import type { Batch } from '../core/batch.ts'
import type { Refusal } from '../core/errors.ts'
import { messageOf } from '../core/errors.ts'
import { idOf, versionOf } from '../core/identity.ts'

export interface Lines {
  readonly bytes: Buffer
  /** Messages that no line was made of: their values are not JSON. */
  readonly refused: readonly Refusal[]
}

/** The lines of a batch, each with its newline. */
export function linesOf(batch: Batch, envelope: boolean): Lines {
  const pieces: (string | Buffer)[] = []
  const refused: Refusal[] = []
  for (let index = 0; index < batch.count; index++) {
    const value = jsonOf(batch, index)
    if (typeof value === 'object') refused.push(value)
    else pieces.push(envelope ? envelopeOf(batch, index, value) : value)
  }
  const text = pieces.length === 0 ? '' : `${pieces.join('\n')}\n`
  return { bytes: Buffer.from(text), refused }
}

/** The value as JSON without a newline in it, or why it is none. A null value is `null`. */
function jsonOf(batch: Batch, index: number): string | Refusal {
  const start = batch.valueStarts[index]!
  if (start < 0) return 'null'
  const bytes = batch.bytes.subarray(start, batch.valueEnds[index]!)
  if (!isUtf8(bytes)) return { index, reason: 'its value is not valid UTF-8' }
  const text = bytes.toString()
  try {
    const value: unknown = JSON.parse(text)
    return /[\n\r]/.test(text) ? JSON.stringify(value) : text
  } catch (error) {
    return { index, reason: `its value is not JSON: ${messageOf(error)}` }
  }
}

function envelopeOf(batch: Batch, index: number, value: string): string {
  const keyStart = batch.keyStarts[index]!
  const key = keyStart < 0 ? null : batch.bytes.toString('utf8', keyStart, batch.keyEnds[index]!)
  const about = {
    id: idOf(batch, index),
    version: versionOf(batch, index),
    key,
    time: batch.times[index]!,
  }
  return `${JSON.stringify(about).slice(0, -1)},"value":${value}}`
}
