/**
 * What a group's steps keep, found by name alone, for whoever resets the group without its application:
 * messages that come again would be counted twice on top of it.
 */
import type { Log } from '../log/log.ts'
import { formKey } from './state-form.ts'
import { stateStore } from './state-store.ts'

export interface CountedState {
  readonly store: string
  readonly step: string
  /** Undefined: the log does not tell. */
  readonly keys: number | undefined
}

/**
 * Stores of a group that count what came: of windows, and of all that says in which form it is. What
 * waits for a join is none: there a message that comes again is known by its id.
 */
export async function countedStates(log: Log, group: string): Promise<readonly CountedState[]> {
  const begin = stateStore(group, '')
  // Names may have dots: a store belongs to the group with the longest name that it begins with.
  const others = (await log.groups())
    .map(({ name }) => stateStore(name, ''))
    .filter((other) => other.length > begin.length && other.startsWith(begin))
  const own = (await log.stores()).filter((store) => {
    return store.startsWith(begin) && !others.some((other) => store.startsWith(other))
  })
  const found: CountedState[] = []
  for (const store of own) {
    const sizes = await log.stateSizes(store)
    let hasForm = false
    for (const { partition } of sizes) {
      hasForm ||= (await log.state(store, partition, [formKey])).has(formKey)
    }
    if (!hasForm) continue
    const known = sizes.map(({ keys }) => keys)
    const keys = known.every((one) => one !== undefined)
      ? known.reduce((sum, one) => sum + one, 0)
      : undefined
    found.push({ store, step: store.slice(begin.length), keys })
  }
  return found
}
