/**
 * Writes messages to a file, a line of JSON each. The plainest sink: copy it to write another one
 * whose destination can be cut back.
 */
import { type FileHandle, mkdir, open, truncate } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { Batch } from '../core/batch.ts'
import { fail, messageOf } from '../core/errors.ts'
import { linesOf } from './file-lines.ts'
import { type FileLock, lockFile } from './file-lock.ts'
import { defineSink, type Sink, type SinkContext, type SinkUse, useSink } from './sink.ts'

const options = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe('The file to write; folders on the way to it are made. One pipeline writes a file.'),
  envelope: z
    .boolean()
    .default(false)
    .describe(
      'False: a line is the value alone. True: it is `{"id", "version", "key", "time", "value"}`, the time in milliseconds since the epoch.',
    ),
  overwrite: z
    .boolean()
    .default(false)
    .describe(
      'What to do when a pipeline starts from the beginning and the file holds something: true empties it, false refuses.',
    ),
})

export type FileOptions = z.input<typeof options>

export const filePart = defineSink({
  name: 'file',
  summary: 'Writes a line of JSON a message to a file, each message once, also over a crash.',
  options,
  example: { path: 'out/scored.ndjson' },
  delivery: 'positioned',
  single: true,
  open: (settings, context) => FileSink.open(settings, context),
  destination: ({ path }) => resolve(path),
  async forget({ path }, { directory }) {
    const lock = lockFile(directory, path)
    try {
      await truncate(path, 0)
    } catch (error) {
      // Taken away by somebody: so it is empty.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    } finally {
      lock.release()
    }
  },
})

/**
 * A file with a line of JSON a message (NDJSON). A null value, which is a delete, is written as
 * `null`. A value that is not JSON is refused. Throws `OPTIONS_INVALID`; when run, `SINK_UNUSABLE`
 * where the file may not be written, or is not the one that was written before, and `DISK_FULL`.
 */
export function file(settings: FileOptions): SinkUse {
  return useSink(filePart, settings)
}

interface FilePosition {
  readonly sizeBytes: number
}

const diskFullWaitMs = 1000

class FileSink implements Sink {
  readonly #path: string
  readonly #envelope: boolean
  readonly #lock: FileLock
  #handle: FileHandle | undefined
  #sizeBytes: number

  private constructor(
    settings: z.output<typeof options>,
    handle: FileHandle,
    sizeBytes: number,
    lock: FileLock,
  ) {
    this.#lock = lock
    this.#path = settings.path
    this.#envelope = settings.envelope
    this.#handle = handle
    this.#sizeBytes = sizeBytes
  }

  /** Opens the file and cuts it back to the committed position. */
  static async open(settings: z.output<typeof options>, context: SinkContext): Promise<FileSink> {
    const { path, overwrite } = settings
    const lock = lockFile(context.directory, path)
    const position = context.position as FilePosition | null | undefined
    let handle: FileHandle | undefined
    try {
      handle = await openFile(path)
      const about = await handle.stat()
      if (!about.isFile()) throw unusable(path, 'is not a file')
      const sizeBytes = position?.sizeBytes ?? 0
      if (position == null && about.size > 0 && !overwrite) {
        throw unusable(
          path,
          'is not empty, and this pipeline has written nothing to it yet: choose another path, delete it, or set overwrite: true',
        )
      }
      if (about.size < sizeBytes) {
        throw unusable(
          path,
          `has ${about.size} bytes, but ${sizeBytes} were written to it before: restore it, or start over with --fresh`,
        )
      }
      if (about.size > sizeBytes) await handle.truncate(sizeBytes)
      await handle.sync()
      return new FileSink(settings, handle, sizeBytes, lock)
    } catch (error) {
      await handle?.close()
      lock.release()
      throw error
    }
  }

  position(): FilePosition {
    return { sizeBytes: this.#sizeBytes }
  }

  async write(batch: Batch): Promise<FilePosition> {
    const handle = this.#handle
    if (handle === undefined) throw unusable(this.#path, 'was closed already')
    const { bytes, refused } = linesOf(batch, this.#envelope)
    if (bytes.length > 0) await this.#append(handle, bytes)
    if (refused.length === 0) return this.position()
    throw fail('SINK_REFUSED', `sink file '${this.#path}': ${refused[0]!.reason}`, { refused })
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    try {
      await handle?.close()
    } finally {
      if (handle !== undefined) this.#lock.release()
    }
  }

  /** All of it, and safe, or nothing of it. */
  async #append(handle: FileHandle, bytes: Buffer): Promise<void> {
    try {
      for (let written = 0; written < bytes.length; ) {
        const at = this.#sizeBytes + written
        const step = await handle.write(bytes, written, bytes.length - written, at)
        written += step.bytesWritten
      }
      await handle.datasync()
    } catch (error) {
      await handle.truncate(this.#sizeBytes).catch(() => {})
      throw writeError(this.#path, error)
    }
    this.#sizeBytes += bytes.length
  }
}

async function openFile(path: string): Promise<FileHandle> {
  const folder = dirname(path)
  try {
    await mkdir(folder, { recursive: true })
    const handle = await open(path, 'r+').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (handle !== undefined) return handle
    const made = await open(path, 'wx+')
    await syncFolder(folder)
    return made
  } catch (error) {
    throw unusable(path, `cannot be opened for writing: ${messageOf(error)}`, error)
  }
}

/** A new file's name is safe only once its folder is; Windows knows no such thing. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

function writeError(path: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException
  const saw = `cannot be written: ${messageOf(error)}`
  if (code === undefined || !fullCodes.has(code)) return unusable(path, saw, error)
  return fail('DISK_FULL', `sink file: '${path}' ${saw}; make room`, {
    cause: error,
    waitMs: diskFullWaitMs,
  })
}

function unusable(path: string, saw: string, cause?: unknown): Error {
  return fail('SINK_UNUSABLE', `sink file: '${path}' ${saw}`, { cause })
}
