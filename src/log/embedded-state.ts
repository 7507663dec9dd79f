/** Keyed state of the embedded log: what commits wrote, looked up by key. */
import type { EmbeddedDatabase, Row } from './embedded-database.ts'
import type { OwnedState, StateEntry, StateRange, StateSize } from './log.ts'
import { limitOf, stateLost } from './owned-state.ts'

/** Rows of a forgotten store that are removed in one transaction. */
const removedAtOnce = 5000
/** Of a partition with more keys, its bytes are reckoned from those at both ends. */
const weighedKeys = 2000

export class StateStore {
  readonly #database: EmbeddedDatabase

  constructor(database: EmbeddedDatabase) {
    this.#database = database
  }

  /** See `Log.state`. */
  get(store: string, partition: number, keys: readonly string[]): Promise<Map<string, Buffer>> {
    return this.#database.snapshot(() => {
      const values = new Map<string, Buffer>()
      const id = this.#idOf(store)
      if (id === undefined) return values
      const find = this.#database.prepare(
        'SELECT value FROM state WHERE store_id = ? AND partition = ? AND key = ?',
      )
      for (const key of keys) {
        const value = find.get(id, partition, key)?.[0] as Uint8Array | undefined
        if (value !== undefined) values.set(key, bufferOf(value))
      }
      return values
    })
  }

  /** See `OwnedState.scan`: text is compared by its bytes, which are UTF-8. */
  scan(store: string, partition: number, range: StateRange): Promise<StateEntry[]> {
    return this.#database.snapshot(() => {
      const { from = '', to } = range
      const id = this.#idOf(store)
      if (id === undefined) return []
      const limit = limitOf(range)
      const rows =
        to === undefined
          ? this.#database.prepare(scanSql('')).all(id, partition, from, limit)
          : this.#database.prepare(scanSql('AND key < ?')).all(id, partition, from, to, limit)
      return rows.map(entryOf)
    })
  }

  /** See `Log.stores`. */
  stores(): Promise<string[]> {
    return this.#database.snapshot(() =>
      this.#database
        .prepare('SELECT name FROM stores ORDER BY name')
        .all()
        .map(([name]) => name as string),
    )
  }

  /**
   * See `Log.stateSizes`. Keys are counted in their index, which takes 130 ms a million: a partition at
   * a time, so that others have a turn in between.
   */
  async sizes(store: string): Promise<StateSize[]> {
    const sizes: StateSize[] = []
    for (let last = -1; ; last = sizes.at(-1)!.partition) {
      const next = await this.#database.snapshot(() => this.#sizeBehind(store, last))
      if (next === undefined) return sizes
      sizes.push(next)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Of the first partition with a higher number. */
  #sizeBehind(store: string, last: number): StateSize | undefined {
    const id = this.#idOf(store)
    if (id === undefined) return undefined
    const find = 'SELECT min(partition) FROM state WHERE store_id = ? AND partition > ?'
    const partition = this.#database.prepare(find).get(id, last)?.[0] as number | null | undefined
    if (partition === null || partition === undefined) return undefined
    const count = 'SELECT count(*) FROM state WHERE store_id = ? AND partition = ?'
    const keys = this.#database.prepare(count).get(id, partition)![0] as number
    return { partition, keys, sizeBytes: this.#bytesOf(id, partition, keys) }
  }

  #bytesOf(id: number, partition: number, keys: number): number {
    const ends = keys <= weighedKeys ? ['ASC'] : ['ASC', 'DESC']
    const limit = Math.ceil(Math.min(keys, weighedKeys) / ends.length)
    const sums = ends.map((order) => {
      const weigh = this.#database.prepare(weighSql(order))
      return (weigh.get(id, partition, limit)?.[0] as number | undefined) ?? 0
    })
    const weighed = sums.reduce((sum, bytes) => sum + bytes, 0)
    return Math.round((weighed * keys) / (limit * ends.length))
  }

  /** Forgets the name at once, and then what was kept under it, a piece at a time. */
  async remove(store: string): Promise<void> {
    await this.#database.write(() =>
      this.#database.prepare('DELETE FROM stores WHERE name = ?').run(store),
    )
    await this.sweep()
  }

  #idOf(store: string): number | undefined {
    const row = this.#database.prepare('SELECT id FROM stores WHERE name = ?').get(store)
    return row?.[0] as number | undefined
  }

  /** Removes what belongs to no store any more. */
  async sweep(): Promise<void> {
    const sweep = this.#database.prepare(
      `DELETE FROM state WHERE rowid IN (SELECT rowid FROM state
         WHERE store_id NOT IN (SELECT id FROM stores) LIMIT ${removedAtOnce})`,
    )
    while ((await this.#database.write(() => sweep.run())) === removedAtOnce);
  }
}

/** What is asked is what is committed: there is nothing to bring here, and nothing that can be missed. */
export class EmbeddedOwnedState implements OwnedState {
  readonly #states: StateStore
  readonly #store: string
  readonly #partition: number
  #isClosed = false

  constructor(states: StateStore, store: string, partition: number) {
    this.#states = states
    this.#store = store
    this.#partition = partition
  }

  async get(keys: readonly string[]): Promise<Map<string, Buffer>> {
    this.#check()
    return this.#states.get(this.#store, this.#partition, keys)
  }

  async scan(range: StateRange): Promise<readonly StateEntry[]> {
    this.#check()
    return this.#states.scan(this.#store, this.#partition, range)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #check(): void {
    if (this.#isClosed) throw stateLost(this.#store, this.#partition, 'it is closed')
  }
}

const scanSql = (bound: string) => `SELECT key, value FROM state
  WHERE store_id = ? AND partition = ? AND key >= ? ${bound} ORDER BY key LIMIT ?`

const weighSql = (order: string) => `SELECT sum(octet_length(key) + length(value)) FROM
  (SELECT key, value FROM state WHERE store_id = ? AND partition = ? ORDER BY key ${order} LIMIT ?)`

function entryOf([key, value]: Row): StateEntry {
  return [key as string, bufferOf(value as Uint8Array)]
}

function bufferOf(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
