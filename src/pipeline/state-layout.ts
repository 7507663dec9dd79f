/** What the state of a step says, by the kind of the step: which keys there are, and what of each. */
import { compareKeys } from '../core/key-order.ts'
import type { OwnedState } from '../log/log.ts'
import type { StateForm } from '../transforms/keyed-state.ts'
import { behindKeys, keyEntry, keyOfEntry } from '../transforms/keyed-timers.ts'
import { PairStep } from '../transforms/pair-step.ts'
import { windowReader } from '../transforms/window-reading.ts'
import type { AggregateStep, KeyedRowStep, PairJoinStep, Step } from './definition.ts'
import { isReserved } from './state-form.ts'

export interface StoredPartition extends Pick<OwnedState, 'get' | 'scan'> {
  readonly partition: number
}

/** One window of a key, or whatever else a step keeps of it. */
export interface ToldState {
  readonly key: string
  /** Of windows: in ISO 8601. */
  readonly start?: string
  readonly end?: string
  /** Of windows: how many messages it has taken. */
  readonly revision?: number
  /** Of joins: which side waits for the other. */
  readonly side?: 'left' | 'right'
  /** Of windows what the aggregates would give now; else what is stored. */
  readonly value: unknown
}

export interface StateLayout {
  readonly form: StateForm<unknown> | undefined
  /** The order of keys. */
  compare(one: string, other: string): number
  /** The first keys, in order, from one on. */
  keys(stored: StoredPartition, from: string, limit: number): Promise<readonly string[]>
  read(stored: StoredPartition, keys: readonly string[]): Promise<readonly ToldState[]>
}

export function layoutOf(step: Step): StateLayout {
  if (step.kind === 'aggregate') return windowLayout(step)
  if (step.kind === 'keyed') return keyedLayout(step)
  if (step.kind === 'pair') return pairLayout(step)
  return step.kind === 'join' ? joinLayout : plainLayout
}

function windowLayout({ window, aggregator }: AggregateStep): StateLayout {
  const reader = windowReader(window, aggregator)
  return {
    form: reader.form,
    compare: compareKeys,
    keys: reader.keys,
    async read(stored, keys) {
      const windows = await reader.windows(stored, keys)
      return windows.map(({ key, startMs, endMs, revision, value }) => ({
        ...{ key, start: isoOf(startMs), end: isoOf(endMs), revision, value },
      }))
    },
  }
}

function keyedLayout({ make }: KeyedRowStep): StateLayout {
  const step = make()
  return entriesLayout(step.form, (bytes) => {
    return step.told === undefined ? readable(bytes) : step.told(step.form.decode(bytes))
  })
}

function pairLayout({ withinMs, how }: PairJoinStep): StateLayout {
  const step = new PairStep({ withinMs, tellsAlone: how === 'left' })
  return entriesLayout(step.form, (bytes) => step.told(step.form.decode(bytes)))
}

/** One entry a key, beside timers that are told of nowhere. */
function entriesLayout(form: StateForm<unknown>, told: (bytes: Buffer) => unknown): StateLayout {
  return {
    form,
    compare: compareKeys,
    async keys(stored, from, limit) {
      const entries = await stored.scan({ from: keyEntry(from), to: behindKeys, limit })
      return entries.map(([entry]) => keyOfEntry(entry))
    },
    async read(stored, keys) {
      const values = await stored.get(keys.map(keyEntry))
      return keys.flatMap((key) => {
        const bytes = values.get(keyEntry(key))
        const value = bytes && told(bytes)
        return value === undefined ? [] : [{ key, value }]
      })
    },
  }
}

const isoOf = (timeMs: number) => new Date(timeMs).toISOString()

/** A side waits under its name and its key, whose bytes are the units of the text; see join.ts. */
const joinLayout: StateLayout = {
  form: undefined,
  compare: (one, other) => Buffer.from(one).compare(Buffer.from(other)),
  async keys(stored, from, limit) {
    const found = new Set<string>()
    for (const side of sides) {
      const range = { from: entryOf(side, from), to: `${side};`, limit }
      for (const [entry] of await stored.scan(range)) {
        found.add(Buffer.from(entry.slice(side.length + 1), 'latin1').toString())
      }
    }
    return [...found].sort(joinLayout.compare).slice(0, limit)
  },
  async read(stored, keys) {
    const entries = keys.flatMap((key) =>
      sides.map((side) => ({ key, side, entry: entryOf(side, key) })),
    )
    const values = await stored.get(entries.map(({ entry }) => entry))
    return entries.flatMap(({ key, side, entry }) => {
      const bytes = values.get(entry)
      return bytes === undefined ? [] : [{ key, side, value: readable(bytes) }]
    })
  },
}

const sides = ['left', 'right'] as const
const entryOf = (side: string, key: string) => `${side}:${Buffer.from(key).toString('latin1')}`

/** Of whatever else keeps state: its entries as they are stored. */
const plainLayout: StateLayout = {
  form: undefined,
  compare: compareKeys,
  async keys(stored, from, limit) {
    const entries = await stored.scan({ from, limit: limit + mostReserved })
    return entries
      .map(([key]) => key)
      .filter((key) => !isReserved(key))
      .slice(0, limit)
  },
  async read(stored, keys) {
    const values = await stored.get(keys)
    return keys.flatMap((key) => {
      const bytes = values.get(key)
      return bytes === undefined || isReserved(key) ? [] : [{ key, value: readable(bytes) }]
    })
  },
}

/** Keys that are no step's own. */
const mostReserved = 16

function readable(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return bytes.toString()
  }
}
