/** What the stored state of all kinds of windows has in common: its name, and how it is read. */
import { messageOf } from '../core/errors.ts'
import type { Aggregator, Json } from './aggregator.ts'
import { unreadable } from './saved.ts'
import type { Window } from './window.ts'

/**
 * The same for windows that can go on from each other's state. When results are emitted is no part of
 * it; lateness is, because what was closed by one cannot be opened by another.
 */
export function windowFormName(window: Window, aggregator: Aggregator<unknown, unknown>): string {
  const parameters = Object.entries(window)
    .filter(([name, value]) => name !== 'kind' && name !== 'emit' && value !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name} ${value}`)
  const { name, version } = aggregator
  return `${window.kind} window (${parameters.join(', ')}) of ${name} v${version}`
}

export const jsonBytes = (json: Json): Uint8Array => Buffer.from(JSON.stringify(json))

/** Throws STATE_UNREADABLE. */
export function readJson(name: string, bytes: Buffer): Json {
  try {
    return JSON.parse(bytes.toString()) as Json
  } catch (error) {
    throw unreadable(name, `is no JSON (${messageOf(error)})`)
  }
}

/** True when the aggregate takes a row's value; else what it refuses goes to `output`. */
export function accepts(
  aggregator: Aggregator<unknown, unknown>,
  value: unknown,
  row: number,
  output: { failed(row: number, error: unknown): void },
): boolean {
  try {
    aggregator.check(value)
    return true
  } catch (error) {
    output.failed(row, error)
    return false
  }
}
