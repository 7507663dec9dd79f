/**
 * Model artefacts: one file a model in a store directory, named by the SHA-256 of its bytes. A file
 * is whole or not there: it is written beside, forced to disk and renamed.
 */
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, messageOf } from '../core/errors.ts'
import { damaged, decodeArtefact, encodeArtefact } from './artefact-format.ts'
import { decodeLinearTextModel, encodeLinearTextModel } from './artefact-linear-text.ts'
import { CompiledTextClassifier } from './compiled-scorer.ts'
import type { TextClassifier } from './model.ts'

const hashPattern = /^[0-9a-f]{64}$/

export interface ArtefactOptions {
  /** Plain JSON about the training, for people: goes into the file, hence into its hash. */
  readonly training?: Readonly<Record<string, unknown>>
}

/**
 * Keeps a model in the store, made if it is not there, and resolves with the SHA-256 of the bytes,
 * by which `loadArtefact` finds it, once it is safe on disk. The same model again is the same file.
 * Throws `OPTIONS_INVALID` for a model that is not one of ours, `DISK_FULL`, `DIRECTORY_UNUSABLE`.
 */
export async function saveArtefact(
  directory: string,
  model: TextClassifier,
  options: ArtefactOptions = {},
): Promise<string> {
  const bytes = artefactBytes(model, options)
  const hash = sha256(bytes)
  const path = artefactPath(directory, hash)
  const beside = `${path}.${randomUUID()}.part`
  try {
    await mkdir(directory, { recursive: true })
    if (await isWhole(path, hash)) return hash
    try {
      const file = await open(beside, 'wx')
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
    await syncDirectory(directory)
  } catch (error) {
    throw storeError(directory, error)
  }
  return hash
}

/**
 * The model that was saved under a hash. Throws `MODEL_UNKNOWN` when there is none, `MODEL_DAMAGED`
 * when the file is cut short, altered, of another format or not an artefact.
 */
export async function loadArtefact(directory: string, hash: string): Promise<TextClassifier> {
  const path = artefactPath(directory, hash)
  const bytes = await readArtefact(path, hash)
  const { header, sections } = decodeArtefact(bytes, path)
  if (header.kind !== 'linear-text-classifier') {
    throw damaged(path, `it holds a '${String(header.kind)}', which this Millrace does not know`)
  }
  return new CompiledTextClassifier(decodeLinearTextModel(header, sections, path))
}

/** What is said about an artefact: kind, parameters, labels, library version, training. */
export async function describeArtefact(
  directory: string,
  hash: string,
): Promise<Readonly<Record<string, unknown>>> {
  const path = artefactPath(directory, hash)
  return decodeArtefact(await readArtefact(path, hash), path).header
}

/** The bytes of a model's artefact, without writing them. Throws `OPTIONS_INVALID`. */
export function artefactBytes(model: TextClassifier, { training }: ArtefactOptions = {}): Buffer {
  const { model: plain } = model as Partial<CompiledTextClassifier>
  if (plain === undefined) {
    throw fail(
      'OPTIONS_INVALID',
      'model artefact: this model cannot be saved; give one that an estimator of Millrace learnt',
    )
  }
  const { header, sections } = encodeLinearTextModel(plain)
  return encodeArtefact(
    { ...header, libraryVersion: libraryVersion(), training: training ?? {} },
    sections,
  )
}

async function readArtefact(path: string, hash: string): Promise<Buffer> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw damaged(path, messageOf(error), error)
    throw fail('MODEL_UNKNOWN', `model artefact ${path}: there is no such file; train it first`)
  }
  if (sha256(bytes) !== hash) throw damaged(path, `its ${bytes.length} bytes do not have that hash`)
  return bytes
}

function artefactPath(directory: string, hash: string): string {
  if (!hashPattern.test(hash)) {
    throw fail('MODEL_UNKNOWN', `model artefact '${hash}': give a SHA-256 in 64 hexadecimal digits`)
  }
  return join(directory, `${hash}.model`)
}

async function isWhole(path: string, hash: string): Promise<boolean> {
  try {
    return sha256(await readFile(path)) === hash
  } catch {
    return false
  }
}

async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot open a directory; there a rename is as safe as it gets.
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function storeError(directory: string, error: unknown): unknown {
  const code = systemCode(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return fail('DISK_FULL', `model store ${directory}: ${messageOf(error)}; make room`, {
      cause: error,
      waitMs: 1000,
    })
  }
  if (code === undefined) return error
  return fail(
    'DIRECTORY_UNUSABLE',
    `model store ${directory}: ${messageOf(error)}; choose a directory that can be written`,
    { cause: error },
  )
}

function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function libraryVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return version
}
