/**
 * The file operations of the embedded log, handed in so that a test can fail them. Reads and writes
 * go to the page cache and are synchronous; making them durable is not, so that the thread goes on
 * computing meanwhile.
 */
import fs from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface Disk {
  /** Makes a directory with its parents. True when it was not there. */
  makeDirectory(path: string): boolean
  /** Makes a new file to write to; throws EEXIST when it is there already. */
  create(path: string): number
  open(path: string): number
  /** Writes all bytes at `position`, or throws. */
  append(file: number, buffers: readonly Buffer[], position: number): void
  /** Bytes read into `into` at `at`: fewer than `length` only at the end of the file. */
  read(file: number, into: Buffer, at: number, length: number, position: number): number
  /** Resolves once what was written survives a power cut. */
  datasync(file: number): Promise<void>
  /** Resolves once the names in a directory survive a power cut. */
  syncDirectory(path: string): Promise<void>
  size(path: string): number
  list(path: string): string[]
  unlink(path: string): void
  removeDirectory(path: string): void
  close(file: number): void
}

/**
 * Parents first, one by one: where a parent cannot hold directories at all (`/proc`), mkdir's own
 * `recursive` never comes back. True when it was made, false when it was there.
 */
function makeDirectory(path: string): boolean {
  const parent = dirname(path)
  if (parent !== path && !fs.existsSync(parent)) makeDirectory(parent)
  try {
    fs.mkdirSync(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && fs.statSync(path).isDirectory()) {
      return false
    }
    throw error
  }
}

export const nodeDisk: Disk = {
  makeDirectory,
  create: (path) => fs.openSync(path, 'wx'),
  open: (path) => fs.openSync(path, 'r'),
  append: writeAll,
  read(file, into, at, length, position) {
    let done = 0
    while (done < length) {
      const count = fs.readSync(file, into, at + done, length - done, position + done)
      if (count === 0) break
      done += count
    }
    return done
  },
  datasync: (file) =>
    new Promise((resolve, reject) => {
      fs.fdatasync(file, (error) => (error === null ? resolve() : reject(error)))
    }),
  async syncDirectory(path) {
    const directory = await open(path, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  },
  size: (path) => fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0,
  list: (path) => (fs.existsSync(path) ? fs.readdirSync(path) : []),
  unlink: (path) => fs.rmSync(path, { force: true }),
  removeDirectory: (path) => fs.rmSync(path, { recursive: true, force: true }),
  close: (file) => fs.closeSync(file),
}

/** writev takes at most 1,024 buffers a call and may write less than it was given. */
function writeAll(file: number, buffers: readonly Buffer[], position: number): void {
  let at = position
  for (let first = 0; first < buffers.length; first += 1024) {
    const some = buffers.slice(first, first + 1024)
    const sizeBytes = some.reduce((sum, buffer) => sum + buffer.length, 0)
    let done = fs.writevSync(file, some, at)
    if (done < sizeBytes) {
      const rest = Buffer.concat(some).subarray(done)
      for (let from = 0; from < rest.length; ) {
        const count = fs.writeSync(file, rest, from, rest.length - from, at + done)
        from += count
        done += count
      }
    }
    at += sizeBytes
  }
}
