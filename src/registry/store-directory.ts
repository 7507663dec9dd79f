/**
 * Artefacts as files of one directory, which is made when the first one is put. A file is whole or
 * not there: it is written beside, forced to disk and renamed. What a process that was killed left
 * half written goes with the next put or list.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fail, messageOf } from '../core/errors.ts'
import { mayLive, ownProcess, type ProcessIdentity } from '../log/embedded-process.ts'
import {
  type ArtefactStore,
  checkedBytes,
  damagedArtefact,
  hashOfName,
  missingArtefact,
  nameOfHash,
  sha256,
} from './store.ts'

const partEnding = '.part'
/** Half a file of which nobody can tell whose it is was left behind when it is as old as this. */
const strangePartMs = 24 * 3600_000

export interface DirectoryStoreOptions {
  /** For tests: what a disk may do wrong. Default: the system's own. */
  readonly open?: typeof open
}

export function openDirectoryStore(
  directory: string,
  options: DirectoryStoreOptions = {},
): ArtefactStore {
  return new DirectoryStore(resolve(directory), options.open ?? open)
}

class DirectoryStore implements ArtefactStore {
  readonly where: string
  readonly #open: typeof open

  constructor(directory: string, opens: typeof open) {
    this.where = directory
    this.#open = opens
  }

  async put(bytes: Uint8Array): Promise<string> {
    // A copy, or who changes the bytes meanwhile would change what is written.
    const kept = Buffer.from(bytes)
    const hash = sha256(kept)
    const path = this.#path(hash)
    return this.#work(async () => {
      await mkdir(this.where, { recursive: true })
      await this.#sweep(await readdir(this.where))
      if (!(await isWhole(path, hash))) {
        await this.#write(path, kept)
        await this.#syncDirectory()
      }
      return hash
    })
  }

  async get(hash: string): Promise<Buffer> {
    const path = this.#path(hash)
    let bytes: Buffer
    try {
      bytes = await readFile(path)
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOENT') throw missingArtefact(path)
      if (isForbidden(code)) throw this.#translated(error)
      throw damagedArtefact(path, messageOf(error), error)
    }
    return checkedBytes(bytes, hash, path)
  }

  async has(hash: string): Promise<boolean> {
    const path = this.#path(hash)
    return this.#work(async () => (await unlessMissing(stat(path)))?.isFile() ?? false)
  }

  async delete(hash: string): Promise<void> {
    const path = this.#path(hash)
    await this.#work(async () => {
      const isThere = (await unlessMissing(stat(path))) !== undefined
      await rm(path, { force: true })
      if (isThere) await this.#syncDirectory()
    })
  }

  async list(): Promise<string[]> {
    return this.#work(async () => {
      const names = (await unlessMissing(readdir(this.where))) ?? []
      await this.#sweep(names)
      return names.flatMap((name) => hashOfName(name) ?? []).sort()
    })
  }

  async close(): Promise<void> {}

  #path(hash: string): string {
    return join(this.where, nameOfHash(hash))
  }

  async #write(path: string, bytes: Buffer): Promise<void> {
    const beside = join(this.where, partName(basename(path)))
    try {
      const file = await this.#open(beside, 'wx')
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(beside, path)
    } finally {
      await rm(beside, { force: true })
    }
  }

  /** Removes what was left half written; what somebody may still be writing stays. */
  async #sweep(names: readonly string[]): Promise<void> {
    for (const name of names.filter((one) => one.endsWith(partEnding))) {
      const path = join(this.where, name)
      const writer = writerOf(name)
      const modifiedAt = (await unlessMissing(stat(path)))?.mtimeMs ?? 0
      const isOld = Date.now() - modifiedAt > strangePartMs
      const isLeft = writer === undefined ? isOld : !mayLive(writer)
      if (isLeft) await rm(path, { force: true })
    }
  }

  async #syncDirectory(): Promise<void> {
    // Windows cannot open a directory; there a rename is as safe as it gets.
    if (process.platform === 'win32') return
    const handle = await this.#open(this.where, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  async #work<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw this.#translated(error)
    }
  }

  #translated(error: unknown): unknown {
    const code = systemCode(error)
    const seen = `model store ${this.where}: ${messageOf(error)}`
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      return fail('DISK_FULL', `${seen}; make room`, { cause: error, waitMs: 1000 })
    }
    if (code === undefined) return error
    const advice = 'choose a directory that can be written (MILLRACE_MODEL_STORE)'
    return fail('DIRECTORY_UNUSABLE', `${seen}; ${advice}`, { cause: error })
  }
}

/** Says whose it is, so that what a dead process left is known from what a live one writes. */
function partName(name: string): string {
  const { machine, pid, start } = ownProcess()
  return [name, machineWord(machine), pid, start, randomUUID(), 'part'].join('.')
}

/** Undefined for another machine's, or this one's before it was started anew: of it nothing is known. */
function writerOf(name: string): ProcessIdentity | undefined {
  const parts = name.split('.')
  if (parts.length !== 7 || hashOfName(`${parts[0]}.${parts[1]}`) === undefined) return undefined
  const [, , word = '', pid = '', start = ''] = parts
  if (!/^[1-9][0-9]*$/.test(pid)) return undefined
  const { machine } = ownProcess()
  return word === machineWord(machine) ? { machine, pid: Number(pid), start } : undefined
}

/** A machine's name holds characters that a file's may not. */
function machineWord(machine: string): string {
  return sha256(Buffer.from(machine)).slice(0, 16)
}

async function isWhole(path: string, hash: string): Promise<boolean> {
  try {
    return sha256(await readFile(path)) === hash
  } catch {
    return false
  }
}

async function unlessMissing<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

const isForbidden = (code: string | undefined) =>
  ['EACCES', 'EPERM', 'ENOTDIR', 'ELOOP', 'EMFILE'].includes(code ?? '')

function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}
