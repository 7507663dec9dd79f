/** The registry of this state directory, opened for one command. */
import type { Log } from '../log/log.ts'
import { modelStoreLocation, openStore } from '../registry/open-store.ts'
import { Registry } from '../registry/registry.ts'
import { type CommandContext, withLog } from './context.ts'

/** Opens log, store and registry, works with it and closes them. */
export function withRegistry<Result>(
  context: CommandContext,
  work: (registry: Registry, log: Log) => Promise<Result>,
  options: { readonly create?: boolean } = {},
): Promise<Result> {
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
