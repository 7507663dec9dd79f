/** What the stored state of all kinds of windows has in common: its name, and how it is read. */
import { messageOf } from '../core/errors.ts'
import { type Aggregator, type Json, migrationOf } from './aggregator.ts'
import type { StateForm } from './keyed-state.ts'
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

/**
 * A form with what it reads in older ones: the same window of the same aggregates, of which some are of
 * an older version and can be brought up to date. `formOf` makes it for an aggregator.
 */
export function windowForm<Value>(
  window: Window,
  aggregator: Aggregator<unknown, unknown>,
  formOf: (aggregator: Aggregator<unknown, unknown>) => StateForm<Value>,
): StateForm<Value> {
  const own = formOf(aggregator)
  const name = windowFormName(window, aggregator)
  const begin = name.slice(0, name.length - `${aggregator.name} v${aggregator.version}`.length)
  return {
    ...own,
    older(written) {
      if (!written.name.startsWith(begin) || written.version !== own.version) return undefined
      const migrate = migrationOf(aggregator, written.name.slice(begin.length))
      if (migrate === undefined) return undefined
      // It may be of a class: only what differs is its own.
      const load = (saved: Json) => aggregator.load(migrate(saved))
      return formOf(Object.assign(Object.create(aggregator) as typeof aggregator, { load }))
    },
  }
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
