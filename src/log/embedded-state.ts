/** Keyed state of the embedded log: what commits wrote, looked up by key. */
import type { EmbeddedDatabase } from './embedded-database.ts'

/** Rows of a forgotten store that are removed in one transaction. */
const removedAtOnce = 5000

export class StateStore {
  readonly #database: EmbeddedDatabase

  constructor(database: EmbeddedDatabase) {
    this.#database = database
  }

  /** See `Log.state`. */
  get(store: string, partition: number, keys: readonly string[]): Promise<Map<string, Buffer>> {
    return this.#database.snapshot(() => {
      const values = new Map<string, Buffer>()
      const row = this.#database.prepare('SELECT id FROM stores WHERE name = ?').get(store)
      if (row === undefined) return values
      const find = this.#database.prepare(
        'SELECT value FROM state WHERE store_id = ? AND partition = ? AND key = ?',
      )
      for (const key of keys) {
        const value = find.get(row[0]!, partition, key)?.[0] as Uint8Array | undefined
        if (value !== undefined) values.set(key, bufferOf(value))
      }
      return values
    })
  }

  /** Forgets the name at once, and then what was kept under it, a piece at a time. */
  async remove(store: string): Promise<void> {
    await this.#database.write(() =>
      this.#database.prepare('DELETE FROM stores WHERE name = ?').run(store),
    )
    await this.sweep()
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

function bufferOf(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
