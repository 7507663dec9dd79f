/** Opens the keyed state of a step in one partition, and tells how far that is where it takes long. */
import type { Log, Membership } from '../log/log.ts'
import type { StateForm } from '../transforms/keyed-state.ts'
import { KeyedStore } from './keyed-store.ts'
import { stateStore } from './state-store.ts'

export interface OpenStoreOptions<Value> {
  readonly log: Log
  readonly member: Membership
  readonly pipeline: string
  readonly step: string
  readonly partition: number
  readonly form: StateForm<Value>
  /** See `KeyedStoreOptions`. */
  readonly mostKept?: (() => number) | undefined
  /** Told while state is brought here; undefined: it is. */
  readonly onProgress?: ((words: string | undefined) => void) | undefined
}

/** Throws `STATE_DIFFERS`, and what the log throws. */
export async function openStore<Value>(
  options: OpenStoreOptions<Value>,
): Promise<KeyedStore<Value>> {
  const { log, member, pipeline, step, partition, form, mostKept, onProgress } = options
  const store = stateStore(pipeline, step)
  let isTold = false
  const state = await log.openState(store, partition, {
    member,
    onProgress(restored, total) {
      if (restored >= total) return
      isTold = true
      const percent = Math.floor((100 * restored) / total)
      onProgress?.(`restoring state of step ${step}, partition ${partition}: ${percent} %`)
    },
  })
  if (isTold) onProgress?.(undefined)
  try {
    return await KeyedStore.open({ state, form, store, partition, mostKept })
  } catch (error) {
    await state.close()
    throw error
  }
}
