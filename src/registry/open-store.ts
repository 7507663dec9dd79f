/** Chooses the store of model artefacts by its location: a directory, or a bucket of S3. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stateDirectory } from '../config/directory.ts'
import { fail } from '../core/errors.ts'
import type { ArtefactStore } from './store.ts'
import { openDirectoryStore } from './store-directory.ts'
import { openS3Store } from './store-s3.ts'

/**
 * Where artefacts lie: MILLRACE_MODEL_STORE (a path, or `s3://bucket/prefix`), else `models` in the
 * directory that holds all state, MILLRACE_DIR.
 */
export function modelStoreLocation(
  directory: string = stateDirectory(),
  environment: NodeJS.ProcessEnv = process.env,
): string {
  return environment.MILLRACE_MODEL_STORE || join(directory, 'models')
}

/** The store at a location; nothing is made or asked before it is used. Throws `OPTIONS_INVALID`. */
export function openStore(location: string): ArtefactStore {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(location)?.[1]?.toLowerCase()
  if (scheme === undefined) return openDirectoryStore(location)
  if (scheme === 's3') return openS3Store(location)
  if (scheme === 'file') return openDirectoryStore(fileURLToPath(location))
  throw fail(
    'OPTIONS_INVALID',
    `model store: no store is known for '${scheme}://'; give a directory, or s3://bucket/prefix`,
  )
}
