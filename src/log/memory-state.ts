/** Keyed state of the log in memory: plain, and sorted when it is asked. */
import type { OwnedState, StateEntry, StateRange, StateSize } from './log.ts'
import { limitOf, stateLost } from './owned-state.ts'

export class MemoryOwnedState implements OwnedState {
  readonly #store: string
  readonly #partition: number
  readonly #values: () => ReadonlyMap<string, Buffer> | undefined
  #isClosed = false

  constructor(
    store: string,
    partition: number,
    values: () => ReadonlyMap<string, Buffer> | undefined,
  ) {
    this.#store = store
    this.#partition = partition
    this.#values = values
  }

  async get(keys: readonly string[]): Promise<Map<string, Buffer>> {
    const values = this.#open()
    const found = keys.filter((key) => values.has(key))
    return new Map(found.map((key) => [key, Buffer.from(values.get(key)!)]))
  }

  async scan(range: StateRange): Promise<readonly StateEntry[]> {
    return scanned(this.#open(), range)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #open(): ReadonlyMap<string, Buffer> {
    if (this.#isClosed) throw stateLost(this.#store, this.#partition, 'it is closed')
    return this.#values() ?? new Map()
  }
}

type Values = ReadonlyMap<string, Buffer>

/** See `OwnedState.scan`. */
export function scanned(values: Values | undefined, range: StateRange): StateEntry[] {
  const from = range.from === undefined ? undefined : Buffer.from(range.from)
  const to = range.to === undefined ? undefined : Buffer.from(range.to)
  return [...(values ?? [])]
    .map(([key, value]) => ({ key, value, bytes: Buffer.from(key) }))
    .filter(({ bytes }) => from === undefined || bytes.compare(from) >= 0)
    .filter(({ bytes }) => to === undefined || bytes.compare(to) < 0)
    .sort((a, b) => a.bytes.compare(b.bytes))
    .slice(0, limitOf(range))
    .map(({ key, value }) => [key, Buffer.from(value)])
}

/** See `Log.stateSizes`. */
export function sizesOf(partitions: ReadonlyMap<number, Values> | undefined): StateSize[] {
  return [...(partitions ?? [])]
    .filter(([, values]) => values.size > 0)
    .sort(([one], [other]) => one - other)
    .map(([partition, values]) => {
      let sizeBytes = 0
      for (const [key, value] of values) sizeBytes += Buffer.byteLength(key) + value.length
      return { partition, keys: values.size, sizeBytes }
    })
}
