/** The registry of this state directory, opened for one command. */
import { relative } from 'node:path'
import { fail } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import type { RegisteredVersion } from '../registry/entries.ts'
import { modelStoreLocation, openStore } from '../registry/open-store.ts'
import { type LoadedModel, Registry } from '../registry/registry.ts'
import { type CommandContext, hasLog, withLog } from './context.ts'

/** What a newcomer does first. */
export const trainFirst = 'millrace train NAME --data FILE --text COLUMN --label COLUMN'

/**
 * Opens log, store and registry, works with it and closes them. A command that only looks makes no
 * directory: without one it throws `DIRECTORY_MISSING`.
 */
export function withRegistry<Result>(
  context: CommandContext,
  work: (registry: Registry, log: Log) => Promise<Result>,
  options: { readonly create?: boolean } = {},
): Promise<Result> {
  if (options.create !== true && !hasLog(context.directory)) throw noModels(context)
  return withLog(
    context,
    async (log) => {
      const store = openStore(modelStoreLocation(context.directory))
      try {
        return await work(new Registry({ log, store }), log)
      } finally {
        await store.close()
      }
    },
    options,
  )
}

/** Opens one model; the registry is closed again, however long the model is used. */
export function loadModel(context: CommandContext, reference: string): Promise<LoadedModel> {
  return withRegistry(context, (registry) => registry.load(reference))
}

/** `topics version 3 (1a2b3c4d5e6f)`. */
export function versionWords({ name, number, version }: RegisteredVersion): string {
  return `${name} version ${number} (${version.slice(0, 12)})`
}

function noModels({ directory }: CommandContext): Error {
  const where = relative(process.cwd(), directory) || directory
  return fail(
    'DIRECTORY_MISSING',
    `${where}: there are no models yet; train one first (${trainFirst}), or name another directory with MILLRACE_DIR`,
  )
}
