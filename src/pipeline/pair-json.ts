/**
 * Both sides of a join as JSON. A pair is the same whichever side came first: the left value goes
 * through JSON in any case, the right one as it stands in its topic.
 */
import type { Codec } from '../formats/format.ts'
import type { Half } from '../transforms/pair-step.ts'
import { check, Invalid } from './decode.ts'
import type { AnyTopic } from './definition.ts'
import type { Rows, ToldEntry } from './rows.ts'

/** The pair as it leaves the join `name`: the left value with the right one in a field more. */
export function pairEntry(name: string, left: Half, right: Half): ToldEntry {
  const start = left.json === '{}' ? '{' : `${left.json.slice(0, -1)},`
  return {
    step: name,
    json: `${start}${JSON.stringify(name)}:${right.json}}`,
    identity: {
      id: `${left.id}+${right.id}`,
      version: left.version,
      time: Math.max(left.timeMs, right.timeMs),
    },
  }
}

/** Throws `Invalid`, and what a value throws that JSON cannot hold. */
export function leftJson(rows: Rows, row: number): string {
  const json = JSON.stringify(rows.values[row]) as string | undefined
  if (json?.startsWith('{')) return json
  throw new Invalid(`a join adds a field to an object, the value is ${json?.slice(0, 100)}`)
}

/** The other side comes straight from its topic: its bytes are valid JSON, or it had not come here. */
export function rightJson({ batch, origins }: Rows, row: number, codec: Codec | undefined): string {
  const origin = origins[row]!
  const start = batch.valueStarts[origin]!
  const end = batch.valueEnds[origin]!
  if (codec !== undefined) return JSON.stringify(codec.decode(batch.bytes, start, end))
  return batch.bytes.toString('utf8', start, end)
}

/**
 * The value of a pair from its JSON, which holds the other side as it stands in its topic. Throws
 * `Invalid` when that does not fit the topic's schema.
 */
export function decodePair(
  pair: unknown,
  { name, other }: { readonly name: string; readonly other: AnyTopic },
): unknown {
  if (other.schema === undefined) return pair
  const object = pair as { [field: string]: unknown }
  return { ...object, [name]: check(other.schema, object[name]) }
}
