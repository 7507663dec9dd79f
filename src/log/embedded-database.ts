/**
 * One connection to the SQLite file. Statements are prepared once; a lock that somebody else holds
 * is waited for by sleeping, never inside SQLite, whose own waiting would block the thread; no
 * transaction is left open across an await.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { fail } from '../core/errors.ts'
import { isBusy, translated } from './embedded-errors.ts'
import { openDatabase } from './embedded-schema.ts'

/** A row as node:sqlite gives it with `setReturnArrays`. */
export type Row = readonly (number | string | null | Uint8Array)[]
export type Value = number | string | null | Uint8Array

export interface DatabaseOptions {
  readonly path: string
  readonly directory: string
  readonly durability: 'power' | 'process'
  /** How long a lock is waited for. */
  readonly busyMs: number
  readonly onStep: (step: 'begun' | 'indexed' | 'committed') => void
}

/** A statement whose rows come as arrays, in the order of the columns. */
export class Statement {
  readonly #statement: StatementSync

  constructor(statement: StatementSync) {
    statement.setReturnArrays(true)
    this.#statement = statement
  }

  all(...values: Value[]): Row[] {
    return this.#statement.all(...values) as unknown as Row[]
  }

  get(...values: Value[]): Row | undefined {
    return this.#statement.get(...values) as unknown as Row | undefined
  }

  /** How many rows were changed. */
  run(...values: Value[]): number {
    return Number(this.#statement.run(...values).changes)
  }
}

export class EmbeddedDatabase {
  readonly directory: string
  readonly #database: DatabaseSync
  readonly #options: DatabaseOptions
  readonly #statements = new Map<string, Statement>()
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #dataVersion: Statement
  /** How often a lock was found held. */
  busyCount = 0
  /** Rises with each write of this connection, which `dataVersion` does not see. */
  ownVersion = 0
  #open = true

  private constructor(database: DatabaseSync, options: DatabaseOptions) {
    this.#database = database
    this.#options = options
    this.directory = options.directory
    this.#begin = this.prepare('BEGIN IMMEDIATE')
    this.#commit = this.prepare('COMMIT')
    this.#dataVersion = this.prepare('PRAGMA data_version')
  }

  static async open(options: DatabaseOptions): Promise<EmbeddedDatabase> {
    const database = await retrying(
      options,
      () => {},
      () => openDatabase(options.path, options.durability),
    )
    return new EmbeddedDatabase(database, options)
  }

  /** The same text gives the same statement. */
  prepare(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = new Statement(this.#database.prepare(sql))
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /** Changes whenever another connection has committed. */
  dataVersion(): number {
    return this.#dataVersion.get()?.[0] as number
  }

  /** One look at the database; waits while somebody recovers it. */
  read<Result>(look: () => Result): Promise<Result> {
    return this.#retrying(look)
  }

  /** Several looks that see the same moment. */
  snapshot<Result>(look: () => Result): Promise<Result> {
    return this.#retrying(() => {
      this.#database.exec('BEGIN')
      try {
        return look()
      } finally {
        if (this.#database.isTransaction) this.#database.exec('COMMIT')
      }
    })
  }

  /** Everything that `change` writes, or nothing. `change` runs again when a lock was in the way. */
  async write<Result>(change: () => Result): Promise<Result> {
    const { onStep } = this.#options
    return this.#retrying(() => {
      this.#begin.run()
      try {
        onStep('begun')
        const result = change()
        onStep('indexed')
        this.#commit.run()
        this.ownVersion++
        onStep('committed')
        return result
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
        throw error
      }
    })
  }

  /**
   * Copies the WAL into the database, as far as nobody is in the way; returns the pages it had.
   * `RESTART` also keeps writers out for as long as that takes, so that the next one starts the WAL
   * anew.
   */
  checkpoint(mode: 'PASSIVE' | 'RESTART'): number {
    try {
      return this.prepare(`PRAGMA wal_checkpoint(${mode})`).get()?.[1] as number
    } catch (error) {
      if (isBusy(error)) return 0
      throw translated(error, this.directory)
    }
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#statements.clear()
    this.#database.close()
  }

  #retrying<Result>(action: () => Result): Promise<Result> {
    return retrying(this.#options, () => this.busyCount++, action)
  }
}

/** Runs `action` at once, and again after half a millisecond or more while a lock is held. */
async function retrying<Result>(
  options: DatabaseOptions,
  onBusy: () => void,
  action: () => Result,
): Promise<Result> {
  const started = performance.now()
  for (;;) {
    try {
      return action()
    } catch (error) {
      if (!isBusy(error)) throw translated(error, options.directory)
      onBusy()
      const waited = performance.now() - started
      if (waited > options.busyMs) {
        const seconds = (waited / 1000).toFixed(1)
        throw fail(
          'LOG_BUSY',
          `${options.directory}: the write lock was held by others for ${seconds} s; it is tried again`,
          { cause: error, waitMs: 100 },
        )
      }
      // Timers count whole milliseconds: 1 or 2, and now and then longer, so that two never march in step.
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 1.5))
    }
  }
}
