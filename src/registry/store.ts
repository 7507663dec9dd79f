/**
 * Where artefacts lie: bytes by the SHA-256 of themselves, in a directory or in S3. A store knows
 * nothing of models; `openStore` chooses one by its location. store.contract.ts is the law.
 */
import { createHash } from 'node:crypto'
import { fail, type MillraceError } from '../core/errors.ts'

export interface ArtefactStore {
  /** What a person reads in messages: a path, or `s3://bucket/prefix`. Never holds credentials. */
  readonly where: string
  /**
   * Keeps the bytes and resolves with their SHA-256, in 64 hexadecimal digits, once they are safe.
   * Nobody ever sees a part of them. The same bytes again are the same artefact: harmless, and a
   * damaged one is whole afterwards. Throws `DISK_FULL`, `DIRECTORY_UNUSABLE`, `STORE_UNUSABLE`,
   * `STORE_UNREACHABLE`, `DEPENDENCY_MISSING`, as all calls here do.
   */
  put(bytes: Uint8Array): Promise<string>
  /**
   * The bytes, checked against the hash. Throws `MODEL_UNKNOWN` when there are none, and for what is
   * no hash; `MODEL_DAMAGED` for bytes that are cut short, altered or another artefact's.
   */
  get(hash: string): Promise<Buffer>
  /** Whether there is an artefact of that hash; its bytes are not looked at. */
  has(hash: string): Promise<boolean>
  /** Does nothing where there is none. Throws `MODEL_UNKNOWN` for what is no hash. */
  delete(hash: string): Promise<void>
  /** The hashes of all artefacts, sorted; what else lies there is left alone and not listed. */
  list(): Promise<string[]>
  /** Safe to call twice. */
  close(): Promise<void>
}

/** The end of an artefact's name in a store; its hash stands before it. */
const ending = '.model'
const hashPattern = /^[0-9a-f]{64}$/

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function isHash(text: string): boolean {
  return hashPattern.test(text)
}

/** The name of an artefact in a store. Throws `MODEL_UNKNOWN` for what is no hash, hence for any path. */
export function nameOfHash(hash: string): string {
  if (isHash(hash)) return `${hash}${ending}`
  throw fail(
    'MODEL_UNKNOWN',
    `model artefact '${hash}': an artefact is named by a SHA-256 in 64 hexadecimal digits`,
  )
}

/** The hash that a name in a store stands for, if it is an artefact's. */
export function hashOfName(name: string): string | undefined {
  if (!name.endsWith(ending)) return undefined
  const hash = name.slice(0, -ending.length)
  return isHash(hash) ? hash : undefined
}

/** The bytes, when they are the hash's. Throws `MODEL_DAMAGED`. */
export function checkedBytes(bytes: Buffer, hash: string, where: string): Buffer {
  if (sha256(bytes) === hash) return bytes
  throw damagedArtefact(where, `its ${bytes.length} bytes do not have that hash`)
}

export function damagedArtefact(where: string, seen: string, cause?: unknown): MillraceError {
  const advice = 'train the model again, or restore the artefact'
  return fail('MODEL_DAMAGED', `model artefact ${where}: ${seen}; ${advice}`, { cause })
}

export function missingArtefact(where: string): MillraceError {
  const advice = 'train the model again, or name the store that has it (MILLRACE_MODEL_STORE)'
  return fail('MODEL_UNKNOWN', `model artefact ${where}: there is none; ${advice}`)
}
