/** Tells data apart: SHA-256 of files as they are stored, one by one and of all together. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { invalid, type StoredFile } from './data-rows.ts'

export interface Fingerprint {
  readonly files: readonly StoredFile[]
  /** Rows that were read, also those that were passed over for want of a label. */
  readonly rows: number
  /**
   * Of one file: its own. Of several: of the lines `<sha256>  <name>` that `sha256sum` prints for
   * them, in the order of `files`.
   */
  readonly sha256: string
}

export function fingerprintOf(files: readonly StoredFile[], rows: number): Fingerprint {
  if (files.length === 1) return { files, rows, sha256: files[0]!.sha256 }
  const all = createHash('sha256')
  for (const { sha256, name } of files) all.update(`${sha256}  ${name}\n`)
  return { files, rows, sha256: all.digest('hex') }
}

/**
 * Remembers how the files look now. What it gives hashes them, and throws
 * `TRAINING_DATA_INVALID` when one was written to in between: the hash would be of other rows.
 */
export async function watchFiles(
  paths: readonly string[],
): Promise<() => Promise<readonly StoredFile[]>> {
  const before = await Promise.all(paths.map(look))
  return async () => {
    const files: StoredFile[] = []
    for (const path of paths) files.push(await hashFile(path))
    const after = await Promise.all(paths.map(look))
    const changed = paths.find((_, index) => after[index] !== before[index])
    if (changed === undefined) return files
    throw invalid(`'${changed}' was changed while it was read; try again when it is complete`)
  }
}

async function look(path: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(path, { bigint: true })
  return `${ino} ${size} ${mtimeNs}`
}

async function hashFile(path: string): Promise<StoredFile> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk as Buffer)
    sizeBytes += (chunk as Buffer).length
  }
  return { name: basename(path), sha256: hash.digest('hex'), sizeBytes }
}
