/** What tests of the registry are written with: artefacts, a registry on a log, old entries. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BatchBuilder } from '../core/batch-builder.ts'
import { codeOf, type ErrorCode } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import { createMemoryLog } from '../log/memory.ts'
import { artefactBytes } from '../models/artefact.ts'
import { textClassifier } from '../models/text-classifier.ts'
import { registryTopic } from './entries.ts'
import { Registry } from './registry.ts'
import { type ArtefactStore, sha256 } from './store.ts'
import { openDirectoryStore } from './store-directory.ts'

const classifier = textClassifier().fit(['win a prize', 'notes of a meeting'], ['spam', 'ham'])

/** An artefact of its own for each number. */
export const artefact = (number: number): Buffer =>
  artefactBytes(classifier, { training: { number } })

export const hashOf = (number: number): string => sha256(artefact(number))

export interface RegistryWorld {
  readonly registry: Registry
  readonly log: Log
  readonly store: ArtefactStore
  readonly directory: string
}

export async function withRegistry(
  work: (world: RegistryWorld) => Promise<void>,
  log: Log = createMemoryLog(),
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-registry-'))
  try {
    const store = openDirectoryStore(directory)
    await work({ registry: new Registry({ log, store }), log, store, directory })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Registers artefacts number 1 to `count` under a name. */
export async function registerSome(registry: Registry, name: string, count: number): Promise<void> {
  for (let number = 1; number <= count; number++) await registry.register(name, artefact(number))
}

/** The promise is rejected with that code; returns the message. */
export async function refused(code: ErrorCode, promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    assert.equal(codeOf(error), code, String(error))
    return (error as Error).message
  }
  assert.fail(`nothing was thrown, not ${code}`)
}

/** Appends to the registry's topic as it is; an object becomes JSON. */
export async function appendRaw(
  log: Log,
  key: string | null,
  value: object | string | null,
): Promise<void> {
  if ((await log.topic(registryTopic)) === undefined) {
    await log.createTopic(registryTopic, { partitions: 1, cleanup: 'compact' })
  }
  const builder = new BatchBuilder(registryTopic, 0)
  const bytes = typeof value === 'string' || value === null ? value : JSON.stringify(value)
  builder.append(key, bytes, 5)
  await log.commit({ outputs: [{ topic: registryTopic, partition: 0, batch: builder.build() }] })
}
