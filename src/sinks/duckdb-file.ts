/**
 * An open DuckDB file. DuckDB's own lock keeps other processes out, but neither another thread of
 * this process nor a second `create` in this one: two instances on one file damage it. So sinks of
 * one thread share one instance here, and a lock of the process keeps other threads out.
 */
import { closeSync, mkdirSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { locks } from 'node:worker_threads'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { fail, messageOf } from '../core/errors.ts'

export type DuckdbLibrary = typeof import('@duckdb/node-api')

export interface WarehouseFile {
  /** Absolute, links resolved. */
  readonly path: string
  readonly library: DuckdbLibrary
  readonly instance: DuckDBInstance
  /** Counts changes of tables, so that a writer knows when its view of one is old. */
  schemaChanges: number
  connect(): Promise<DuckDBConnection>
  /** Runs writers one after the other: DuckDB refuses conflicting ones instead of waiting. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /** Called, and waited for, before the instance is closed. */
  beforeClose(work: () => Promise<void>): void
  /** Gives back one `openWarehouseFile`; the last one closes the file. */
  close(): Promise<void>
}

export type Access = 'write' | 'read'

const busyWaitMs = 1000
const opened = new Map<string, Promise<SharedFile>>()

/**
 * Opens the file for writing, or shares it with whoever in this thread has it open.
 * Throws `SINK_BUSY` when another process or thread has it, `SINK_UNUSABLE` when it cannot be written
 * or is no DuckDB file, `DISK_FULL`.
 */
export async function openWarehouseFile(file: string): Promise<WarehouseFile> {
  const place = realPlace(file)
  for (;;) {
    const known = opened.get(place)
    if (known === undefined) break
    const shared = await known
    if (shared.share()) return shared
    await shared.closed
  }
  const opening = SharedFile.open(place, 'write', () => opened.delete(place))
  opened.set(place, opening)
  opening.catch(() => opened.delete(place))
  return opening
}

/** Opens the file for reading only, shared with nobody; errors as `openWarehouseFile`. */
export function readWarehouseFile(file: string): Promise<WarehouseFile> {
  return SharedFile.open(realPlace(file), 'read', () => {})
}

class SharedFile implements WarehouseFile {
  readonly path: string
  readonly library: DuckdbLibrary
  readonly instance: DuckDBInstance
  /** Resolves once the file is closed. */
  readonly closed: Promise<void>
  schemaChanges = 0
  #users = 1
  #queue: Promise<unknown> = Promise.resolve()
  readonly #endings: (() => Promise<void>)[] = []
  readonly #release: () => void
  #finish: () => void = () => {}

  static async open(place: string, access: Access, forget: () => void): Promise<SharedFile> {
    const release = await holdPlace(place)
    if (release === undefined) {
      throw fail('SINK_BUSY', `duckdb ${place}: another thread of this process has it open`, {
        waitMs: busyWaitMs,
      })
    }
    try {
      refuseOtherFiles(place)
      const library = await import('@duckdb/node-api')
      const options = {
        access_mode: access === 'read' ? 'READ_ONLY' : 'READ_WRITE',
        autoinstall_known_extensions: 'false',
      }
      const instance = await library.DuckDBInstance.create(place, options)
      return new SharedFile(place, library, instance, () => {
        forget()
        release()
      })
    } catch (error) {
      release()
      throw duckdbError(place, error)
    }
  }

  constructor(place: string, library: DuckdbLibrary, instance: DuckDBInstance, end: () => void) {
    this.path = place
    this.library = library
    this.instance = instance
    this.#release = end
    this.closed = new Promise((resolve) => {
      this.#finish = resolve
    })
  }

  /** One user more; false when the last one is leaving already. */
  share(): boolean {
    if (this.#users === 0) return false
    this.#users++
    return true
  }

  connect(): Promise<DuckDBConnection> {
    return this.instance.connect()
  }

  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work)
    this.#queue = result.catch(() => {})
    return result
  }

  beforeClose(work: () => Promise<void>): void {
    this.#endings.push(work)
  }

  async close(): Promise<void> {
    this.#users--
    if (this.#users > 0) return
    try {
      await this.#queue
      for (const ending of this.#endings) await ending()
      this.instance.closeSync()
    } finally {
      this.#release()
      this.#finish()
    }
  }
}

/** Gives the release, or undefined when another thread holds the place. */
function holdPlace(place: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    locks
      .request(`millrace:duckdb:${place}`, { ifAvailable: true }, (lock) => {
        if (lock !== null) return new Promise<void>((release) => resolve(release))
        resolve(undefined)
      })
      .catch(reject)
  })
}

/** One name for one file, whichever way it was reached; its folder is made when missing. */
function realPlace(file: string): string {
  const absolute = path.resolve(file)
  try {
    mkdirSync(path.dirname(absolute), { recursive: true })
    if (statSync(absolute, { throwIfNoEntry: false }) !== undefined) return realpathSync(absolute)
    return path.join(realpathSync(path.dirname(absolute)), path.basename(absolute))
  } catch (error) {
    throw fail('SINK_UNUSABLE', `duckdb ${absolute}: ${messageOf(error)}; choose another path`, {
      cause: error,
    })
  }
}

/** DuckDB takes a file of SQLite for an invitation to download an extension; so look first. */
function refuseOtherFiles(place: string): void {
  const stat = statSync(place, { throwIfNoEntry: false })
  if (stat === undefined) return
  const head = Buffer.alloc(12)
  if (stat.isFile()) {
    const descriptor = openSync(place, 'r')
    readSync(descriptor, head, 0, head.length, 0)
    closeSync(descriptor)
  }
  if (head.toString('latin1', 8, 12) === 'DUCK') return
  throw fail('SINK_UNUSABLE', `duckdb ${place}: it is not a DuckDB file; choose another path`)
}

/** What DuckDB threw, as an order where it is one; anything else is given back as it is. */
export function duckdbError(place: string, error: unknown): unknown {
  const words = messageOf(error)
  if (/Could not set lock|being used by another process/i.test(words)) {
    const holder = words.match(/\(PID (\d+)\)/)?.[1]
    const who = holder === undefined ? 'another process' : `the process ${holder}`
    const message = `duckdb ${place}: ${who} has it open, and a DuckDB file belongs to one process`
    return fail('SINK_BUSY', message, { cause: error, waitMs: busyWaitMs })
  }
  if (/no space left|disk full|ENOSPC/i.test(words)) {
    return fail('DISK_FULL', `duckdb ${place}: ${words}`, { cause: error, waitMs: busyWaitMs })
  }
  if (/^TransactionContext Error.*conflict/is.test(words)) {
    return fail('SINK_BUSY', `duckdb ${place}: ${words}`, { cause: error, waitMs: 100 })
  }
  if (/^(IO|FATAL|INTERNAL|Serialization|Permission) Error|EACCES|EPERM|EROFS/i.test(words)) {
    const message = `duckdb ${place}: ${words}; restore the file, or choose another path`
    return fail('SINK_UNUSABLE', message, { cause: error })
  }
  return error
}
