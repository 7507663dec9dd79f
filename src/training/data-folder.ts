/**
 * A folder laid out GROUP/ID: a text a file, labelled by the folder it is in, as 20news-bydate and
 * scikit-learn's `load_files` have it. Files beside the groups and hidden ones are passed over.
 */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { compareCodePoints } from '../sources/files-paths.ts'
import { maxRecordSizeBytes, overlong } from '../sources/files-rows.ts'
import {
  type DataOptions,
  invalid,
  type Row,
  type RowReader,
  type StoredFile,
} from './data-rows.ts'
import { whyNotText } from './data-sniff.ts'

const batchFiles = 32

interface GroupFile {
  readonly group: string
  readonly id: string
}

/** Opens a folder; its columns are `text`, `label` and `id` (`GROUP/ID`). */
export async function openFolder(
  path: string,
  { encoding }: Pick<DataOptions, 'encoding'>,
): Promise<RowReader> {
  const { files, beside } = await listGroups(path)
  const stored: StoredFile[] = []
  const notes: string[] = []
  if (beside > 0) notes.push(`files beside the folders were passed over: ${beside}`)
  let latin = 0
  async function* batches(): AsyncGenerator<readonly Row[]> {
    for (let from = 0; from < files.length; from += batchFiles) {
      const some = files.slice(from, from + batchFiles)
      const contents = await Promise.all(some.map(({ id }) => contentOf(join(path, id))))
      const rows = some.map(({ group, id }, index): Row => {
        const bytes = contents[index]!
        const sha256 = createHash('sha256').update(bytes).digest('hex')
        stored.push({ name: id, sha256, sizeBytes: bytes.length })
        const { text, isLatin } = decode(bytes, join(path, id), encoding)
        if (isLatin) latin++
        return { where: join(path, id), values: { text, label: group, id } }
      })
      yield rows
    }
    if (latin > 0) notes.push(`files that are not UTF-8 were read as Latin-1: ${latin}`)
  }
  return {
    name: path,
    columns: ['text', 'label', 'id'],
    batches,
    storedFiles: async () => stored,
    notes: () => notes,
    shareRead: () => stored.length / files.length,
    close: async () => {},
  }
}

async function listGroups(path: string): Promise<{ files: GroupFile[]; beside: number }> {
  const entries = await entriesOf(path)
  const groups = entries.filter((entry) => entry.isDirectory())
  const beside = entries.filter((entry) => !entry.isDirectory())
  if (groups.length === 0) throw noGroups(path, beside)
  const files: GroupFile[] = []
  for (const { name: group } of groups) {
    for (const entry of await entriesOf(join(path, group))) {
      if (entry.isDirectory()) {
        const found = `'${join(path, group)}' holds the folder '${entry.name}', and texts belong into GROUP/ID`
        throw invalid(`${found}; is '${join(path, group)}' the folder to name?`)
      }
      files.push({ group, id: `${group}/${entry.name}` })
    }
  }
  if (files.length === 0) throw invalid(`the folder '${path}' holds no rows: its folders are empty`)
  files.sort((a, b) => compareCodePoints(a.id, b.id))
  return { files, beside: beside.length }
}

function noGroups(path: string, files: readonly Dirent[]): Error {
  if (files.length === 0) return invalid(`the folder '${path}' holds no files`)
  const names = files.slice(0, 5).map(({ name }) => name)
  const wanted = 'a folder of texts is laid out GROUP/ID, where GROUP is the label'
  return invalid(
    `the folder '${path}' holds no folders, and ${wanted}; to read a file in it, name it (${names.join(', ')}${files.length > 5 ? ', ...' : ''})`,
  )
}

async function entriesOf(path: string): Promise<Dirent[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: Error) => {
    throw invalid(`the folder '${path}' cannot be read: ${error.message}`, error)
  })
  return entries.filter(({ name }) => !name.startsWith('.'))
}

async function contentOf(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path)
    if (size > maxRecordSizeBytes) throw invalid(`${path}: ${overlong}`)
    return await readFile(path)
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException
    throw syscall === undefined ? error : invalid(`'${path}' cannot be read: ${message}`, error)
  }
}

function decode(bytes: Buffer, path: string, encoding: DataOptions['encoding']) {
  const reason = encoding?.startsWith('utf-16') ? '' : whyNotText(bytes)
  if (reason !== '') throw invalid(`'${path}' ${reason}`)
  const isLatin = encoding === 'latin-1' || (encoding === undefined && !isUtf8(bytes))
  if (isLatin) return { text: bytes.toString('latin1'), isLatin }
  try {
    // The decoder drops a byte order mark.
    const text = new TextDecoder(encoding ?? 'utf-8', { fatal: true }).decode(bytes)
    return { text, isLatin }
  } catch (error) {
    throw invalid(`'${path}' is not valid ${encoding}`, error)
  }
}
