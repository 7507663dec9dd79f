/**
 * From what a user names (a file, a folder, a glob, several of them) to the files to read, in the
 * one order that positions count on: code points of the path as it was given.
 */
import { type Dirent, existsSync } from 'node:fs'
import { glob, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fail, suggestion } from '../core/errors.ts'

export const formats = ['ndjson', 'csv', 'tsv', 'lines'] as const
export type Format = (typeof formats)[number]

const formatOfExtension: Readonly<Record<string, Format>> = {
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  csv: 'csv',
  tsv: 'tsv',
  txt: 'lines',
  log: 'lines',
}

/** The format that the file's name tells, also before `.gz`; undefined when it tells none. */
export function guessFormat(path: string): Format | undefined {
  const name = basename(path).toLowerCase()
  const bare = isCompressed(name) ? name.slice(0, -'.gz'.length) : name
  const dot = bare.lastIndexOf('.')
  return dot < 0 ? undefined : formatOfExtension[bare.slice(dot + 1)]
}

export function isCompressed(path: string): boolean {
  return path.toLowerCase().endsWith('.gz')
}

/** Paths with `/`, without `./` at the start or `/` at the end: ids of messages begin with them. */
export function normalisePath(path: string): string {
  const slashed = process.platform === 'win32' ? path.replaceAll('\\', '/') : path
  return slashed.replace(/^(\.\/+)+/, '').replace(/(.)\/+$/, '$1') || '.'
}

/** Node's `<` on strings compares UTF-16 units, which puts emoji before some letters. */
export function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/**
 * All files that the paths name now, each once, in code-point order. In a folder (with its folders)
 * hidden files are left out, and those whose format cannot be guessed unless `format` says it.
 * Throws `SOURCE_UNREADABLE` for a path that is not there, unless a glob or a folder is to be followed.
 */
export async function listFiles(
  paths: readonly string[],
  format: Format | undefined,
  follow: boolean,
): Promise<string[]> {
  const found = new Set<string>()
  for (const path of paths) {
    const named = normalisePath(path)
    for (const file of await filesOf(named, format, follow)) found.add(file)
  }
  return [...found].sort(compareCodePoints)
}

async function filesOf(path: string, format: Format | undefined, follow: boolean) {
  const about = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw unreadable(`${path}: ${error.message}`, error)
  })
  if (about?.isFile()) return [path]
  if (about?.isDirectory()) {
    const inside = await folder(path, format)
    if (inside.length > 0 || follow) return inside
    const wanted = format ?? Object.keys(formatOfExtension).join(', ')
    throw unreadable(
      `the folder '${path}' holds no file to read (${wanted}, or one of them with .gz)`,
    )
  }
  if (about !== undefined) throw unreadable(`'${path}' is neither a file nor a folder`)
  if (!/[*?[{]/.test(path)) throw await missing(path)
  const matches: string[] = []
  for await (const entry of glob(path, { withFileTypes: true })) {
    if (entry.isFile()) matches.push(normalisePath(pathOf(entry, path)))
  }
  if (matches.length > 0 || follow) return matches
  throw unreadable(`nothing matches '${path}' in ${process.cwd()}`)
}

/** A glob gives absolute parents; ids need the path as it was given. */
function pathOf(entry: Dirent, pattern: string): string {
  const full = join(entry.parentPath, entry.name)
  const here = `${process.cwd()}/`
  return !pattern.startsWith('/') && full.startsWith(here) ? full.slice(here.length) : full
}

async function folder(path: string, format: Format | undefined): Promise<string[]> {
  const files: string[] = []
  const entries = await readdir(path, { withFileTypes: true }).catch((error: Error) => {
    throw unreadable(`the folder '${path}': ${error.message}`, error)
  })
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const inside = path === '.' ? entry.name : `${path === '/' ? '' : path}/${entry.name}`
    if (entry.isDirectory()) files.push(...(await folder(inside, format)))
    const wanted = format !== undefined || guessFormat(entry.name) !== undefined
    if (wanted && (entry.isFile() || (entry.isSymbolicLink() && (await isFile(inside))))) {
      files.push(inside)
    }
  }
  return files
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false
}

/** The error for a path that is not there: how far it exists, and the nearest name beside it. */
export async function missing(path: string): Promise<Error> {
  let parent = dirname(path)
  let absent = basename(path)
  while (!existsSync(parent) && parent !== dirname(parent)) {
    absent = basename(parent)
    parent = dirname(parent)
  }
  const beside = await readdir(parent).catch((): string[] => [])
  const near = suggestion(absent, beside)
  const where = parent === '.' ? process.cwd() : resolve(parent)
  return unreadable(
    `'${path}' does not exist: there is no '${absent}' in ${where}${near === '' ? '' : `, ${near}`}`,
  )
}

/** A `SOURCE_UNREADABLE` that says that this source speaks. */
export function unreadable(message: string, cause?: unknown): Error {
  return fail('SOURCE_UNREADABLE', `source files: ${message}`, { cause })
}
