/**
 * The local copy of one partition of a changelog: a SQLite file that keeps, in the same transaction as
 * the values, how far it has come. It can be made anew from the changelog, so nothing of it is synced
 * while it is open: the end of the process leaves it whole, a power cut may not. What was not closed
 * before the machine started anew is therefore thrown away, and so is what SQLite finds damaged. A file
 * beside it is locked for as long as it is open; the system frees it when the process ends.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Batch } from '../core/batch.ts'
import {
  closeQuietly,
  connected,
  inMemory,
  locked,
  removeFile,
  type StateFileOptions,
  trusted,
} from './kafka-owned-state-database.ts'
import type { StateEntry, StateRange } from './log.ts'
import { limitOf } from './owned-state.ts'

/** How far a copy has come. */
export interface CopyPlace {
  /** Of the changelog that was read; empty: of none. */
  readonly identity: string
  /** All that is decided before this offset is in the copy. */
  readonly position: number
  /**
   * At this time the copy was whole. A delete that came later is in the changelog for as long as
   * deletes are kept there.
   */
  readonly wholeAtMs: number
}

/** A call takes about as long as to set or delete an entry. */
const putTogether = 16
/** Pages that may wait in the file that SQLite writes ahead. */
const waitingPages = 2_000
const waitingPagesFilling = 16_000
/** What SQLite keeps of the file in memory: the system's own cache has the rest. */
const cacheKiB = 8_000
const cacheKiBFilling = 64_000

export const nowhere: CopyPlace = { identity: '', position: 0, wholeAtMs: 0 }

export class StateFile {
  readonly #options: StateFileOptions
  readonly #lock: DatabaseSync | undefined
  #database: DatabaseSync
  #statements: ReturnType<typeof prepared>
  #place: CopyPlace = nowhere
  /** Keys and values, one after the other, that wait to be set together. */
  #waiting: Uint8Array[] = []
  /** Keys that wait to be deleted together; where there are some, none waits to be set. */
  #deletes: Uint8Array[] = []
  #isOpen = true

  private constructor(options: StateFileOptions, lock: DatabaseSync | undefined) {
    this.#options = options
    this.#lock = lock
    this.#database = trusted(options)
    this.#statements = prepared(this.#database)
    this.#place = this.#begin()
  }

  /** Undefined: somebody else has it open. What cannot be trusted is thrown away and begun anew. */
  static open(options: StateFileOptions): StateFile | undefined {
    if (options.path === inMemory) return new StateFile(options, undefined)
    const lock = locked(`${options.path}.lock`)
    if (lock === undefined) return undefined
    try {
      return new StateFile(options, lock)
    } catch (error) {
      lock.close()
      throw error
    }
  }

  get path(): string {
    return this.#options.path
  }

  get place(): CopyPlace {
    return this.#place
  }

  get(keys: readonly string[]): Map<string, Buffer> {
    const found = new Map<string, Buffer>()
    for (const key of keys) {
      const row = this.#statements.get.get(key) as unknown as [Uint8Array] | undefined
      if (row !== undefined) found.set(key, bufferOf(row[0]))
    }
    return found
  }

  scan(range: StateRange): StateEntry[] {
    const { from = '', to } = range
    const { scan, scanTo } = this.#statements
    const limit = limitOf(range)
    const rows = to === undefined ? scan.all(from, limit) : scanTo.all(from, to, limit)
    return (rows as unknown as [Uint8Array, Uint8Array][]).map(([key, value]) => {
      return [bufferOf(key).toString(), bufferOf(value)]
    })
  }

  /** What `write` puts, with the place that covers it, or nothing of it. */
  change(place: CopyPlace, write: () => void): void {
    this.beginChange()
    try {
      write()
      this.endChange(place)
    } catch (error) {
      this.dropChange()
      throw error
    }
  }

  /** For a change that takes several turns; nobody reads meanwhile. */
  beginChange(): void {
    this.#database.exec('BEGIN')
  }

  endChange(place: CopyPlace): void {
    const { identity, position, wholeAtMs } = place
    this.#putWaiting()
    this.#statements.move.run(identity, position, wholeAtMs)
    this.#database.exec('COMMIT')
    this.#place = place
  }

  dropChange(): void {
    this.#waiting = []
    this.#deletes = []
    if (this.#isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK')
  }

  /** One message of the changelog. */
  put({ bytes, keyStarts, keyEnds, valueStarts, valueEnds }: Batch, index: number): void {
    const key = bytes.subarray(keyStarts[index]!, keyEnds[index]!)
    const start = valueStarts[index]!
    if (start < 0) {
      // It may be of a key that is about to be set.
      if (this.#waiting.length > 0) this.#putWaiting()
      this.#deletes.push(key)
      if (this.#deletes.length < putTogether) return
      this.#statements.unsetMany.run(...this.#deletes)
      this.#deletes = []
      return
    }
    if (this.#deletes.length > 0) this.#putWaiting()
    this.#waiting.push(key, bytes.subarray(start, valueEnds[index]!))
    if (this.#waiting.length < 2 * putTogether) return
    this.#statements.setMany.run(...this.#waiting)
    this.#waiting = []
  }

  /** Room for many changes at once, while the copy is filled. */
  set isFilling(isFilling: boolean) {
    this.#database.exec(`
      PRAGMA cache_size = -${isFilling ? cacheKiBFilling : cacheKiB};
      PRAGMA wal_autocheckpoint = ${isFilling ? waitingPagesFilling : waitingPages};
    `)
    if (!isFilling) this.#database.exec('PRAGMA shrink_memory')
  }

  /** Empty, as if it were new. */
  clear(): void {
    closeQuietly(this.#database)
    removeFile(this.#options.path)
    this.#database = connected(this.#options.path)
    this.#statements = prepared(this.#database)
    this.#place = this.#begin()
  }

  /** Synced and marked as whole, so that it is trusted also after a power cut. Safe to call twice. */
  close(): void {
    if (!this.#isOpen) return
    this.dropChange()
    try {
      this.#database.exec(`PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE);
        UPDATE place SET is_closed = 1;`)
    } catch {
      // Then it is looked at when it is opened the next time.
    }
    this.#end()
  }

  /** It is damaged: closed, and not to be found again. */
  discard(): void {
    if (!this.#isOpen) return
    closeQuietly(this.#database)
    removeFile(this.#options.path)
    this.#end()
  }

  /** Looks at what is there, and marks it as open before anything is changed that may get torn. */
  #begin(): CopyPlace {
    const { place, mark } = this.#statements
    const [identity, position, wholeAtMs] = place.get() as unknown as [string, number, number]
    mark.run(this.#options.boot)
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous = OFF')
    this.isFilling = false
    return { identity, position, wholeAtMs }
  }

  #putWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let index = 0; index < waiting.length; index += 2) {
      this.#statements.set.run(waiting[index]!, waiting[index + 1]!)
    }
    const deletes = this.#deletes
    this.#deletes = []
    for (const key of deletes) this.#statements.unset.run(key)
  }

  #end(): void {
    this.#isOpen = false
    closeQuietly(this.#database)
    this.#lock?.close()
  }
}

const setSql = (count: number) =>
  `INSERT INTO state VALUES ${new Array(count).fill('(?, ?)').join(', ')}
   ON CONFLICT DO UPDATE SET value = excluded.value`

const unsetSql = (count: number) =>
  `DELETE FROM state WHERE key IN (${new Array(count).fill('?').join(', ')})`

function prepared(database: DatabaseSync) {
  const statement = (sql: string): StatementSync => {
    const made = database.prepare(sql)
    made.setReturnArrays(true)
    return made
  }
  // Blobs are ordered by their bytes, and hold every key as it stands in the changelog.
  const from = 'SELECT key, value FROM state WHERE key >= CAST(? AS BLOB)'
  return {
    get: statement('SELECT value FROM state WHERE key = CAST(? AS BLOB)'),
    scan: statement(`${from} ORDER BY key LIMIT ?`),
    scanTo: statement(`${from} AND key < CAST(? AS BLOB) ORDER BY key LIMIT ?`),
    set: statement(setSql(1)),
    setMany: statement(setSql(putTogether)),
    unset: statement(unsetSql(1)),
    unsetMany: statement(unsetSql(putTogether)),
    place: statement('SELECT identity, position, whole_at_ms FROM place'),
    move: statement('UPDATE place SET identity = ?, position = ?, whole_at_ms = ?'),
    mark: statement('UPDATE place SET is_closed = 0, boot = ?'),
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
