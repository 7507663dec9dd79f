/** What to look at while files are followed: that nothing that was read changes behind the reader. */
import { stat } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import type { OpenFile } from './files-file.ts'
import { unreadable } from './files-paths.ts'

/** How long a file must rest before the next one is begun. */
const quietMs = 1000
/** Files behind the reader that are looked at for late growth. */
const watchedFiles = 8

/** Undefined when the file is not there. */
export async function sizeOf(path: string): Promise<number | undefined> {
  return (await look(path))?.size
}

async function look(path: string) {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw unreadable(`'${path}': ${error.message}`, error)
  })
}

export class FileWatch {
  readonly #clock: Clock
  #grewAt: number
  #passed: { readonly path: string; readonly sizeBytes: number }[] = []

  constructor(clock: Clock) {
    this.#clock = clock
    this.#grewAt = clock.now()
  }

  /** The file that is being read gave bytes just now. */
  grew(): void {
    this.#grewAt = this.#clock.now()
  }

  /** A file was read to its end, and the next one begins. */
  passed(file: OpenFile): void {
    const { path, seenSizeBytes: sizeBytes } = file
    this.#passed = [...this.#passed.slice(1 - watchedFiles), { path, sizeBytes }]
  }

  /** True when all bytes of the file were seen and it has rested for a while, or is gone. */
  async isQuiet(file: OpenFile): Promise<boolean> {
    const about = await look(file.path)
    if (about === undefined) return true
    if (about.size !== file.seenSizeBytes) return false
    const now = this.#clock.now()
    return now - about.mtimeMs >= quietMs || now - this.#grewAt >= quietMs
  }

  /** Throws `SOURCE_UNREADABLE` when a file that was read shrank, was replaced, or grew too late. */
  async check(file: OpenFile | undefined): Promise<void> {
    const about = file === undefined ? undefined : await look(file.path)
    if (file !== undefined && about !== undefined) {
      const change = changeOf(file, about.ino, about.size)
      if (change !== '') {
        throw unreadable(
          `'${file.path}' ${change} while it was followed. Let each file keep its name, and begin a new name for a new file`,
        )
      }
    }
    for (const { path, sizeBytes } of this.#passed) {
      const now = await sizeOf(path)
      if (now === undefined || now === sizeBytes) continue
      throw unreadable(
        `'${path}' changed from ${sizeBytes} to ${now} bytes after a file behind it was begun. Finish a file before the next one is made`,
      )
    }
  }
}

function changeOf(file: OpenFile, inode: number, sizeBytes: number): string {
  if (inode !== file.inode) return 'was replaced by another file'
  const { seenSizeBytes } = file
  return sizeBytes < seenSizeBytes ? `shrank from ${seenSizeBytes} to ${sizeBytes} bytes` : ''
}
