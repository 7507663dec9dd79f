/**
 * Changes of keyed state as rows, several a statement: to call SQLite takes about as long as to set a
 * row. To be called inside a write transaction.
 */
import type { EmbeddedDatabase, Statement, Value } from './embedded-database.ts'
import type { StateChange } from './log.ts'

const together = 16

export class StateChanges {
  readonly #set: Statement
  readonly #setMany: Statement
  readonly #unset: Statement
  readonly #unsetMany: Statement

  constructor(database: EmbeddedDatabase) {
    this.#set = database.prepare(setSql(1))
    this.#setMany = database.prepare(setSql(together))
    this.#unset = database.prepare(unsetSql(1))
    this.#unsetMany = database.prepare(unsetSql(together))
  }

  /** In their order: a key may be set and deleted in one commit. `idOf` gives a store's number. */
  apply(changes: readonly StateChange[], idOf: (store: string) => number): void {
    for (let from = 0; from < changes.length; ) {
      const to = alikeUntil(changes, from)
      const { store, partition, value } = changes[from]!
      const place = [idOf(store), partition]
      if (value === null) this.#applyAll(changes, from, to, place, this.#unset, this.#unsetMany)
      else this.#applyAll(changes, from, to, place, this.#set, this.#setMany)
      from = to
    }
  }

  #applyAll(
    changes: readonly StateChange[],
    from: number,
    to: number,
    place: readonly Value[],
    one: Statement,
    many: Statement,
  ): void {
    let at = from
    while (at < to) {
      const isMany = to - at >= together
      const values: Value[] = place.slice()
      for (const end = at + (isMany ? together : 1); at < end; at++) {
        const { key, value } = changes[at]!
        values.push(key)
        if (value !== null) values.push(value)
      }
      if (isMany) many.run(...values)
      else one.run(...values)
    }
  }
}

/** Behind the last of the changes that are of the same store and partition and of the same kind. */
function alikeUntil(changes: readonly StateChange[], from: number): number {
  const first = changes[from]!
  let to = from + 1
  for (; to < changes.length; to++) {
    const { store, partition, value } = changes[to]!
    if (store !== first.store || partition !== first.partition) break
    if ((value === null) !== (first.value === null)) break
  }
  return to
}

function setSql(count: number): string {
  const rows = Array.from(
    { length: count },
    (_, row) => `(?1, ?2, ?${2 * row + 3}, ?${2 * row + 4})`,
  )
  return `INSERT INTO state (store_id, partition, key, value) VALUES ${rows.join(', ')}
    ON CONFLICT DO UPDATE SET value = excluded.value`
}

function unsetSql(count: number): string {
  const keys = Array.from({ length: count }, (_, row) => `?${row + 3}`)
  return `DELETE FROM state WHERE store_id = ?1 AND partition = ?2 AND key IN (${keys.join(', ')})`
}
