/**
 * State that no step of an application keeps any more: of steps that were renamed or removed, and of
 * pipelines that this application does not have. It stays until somebody says that it may go.
 */
import { fail, suggestion } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import type { Definition } from './definition.ts'
import { keepsState, stateStore } from './state-store.ts'

export interface UnusedState {
  readonly pipeline: string
  readonly step: string
  readonly store: string
  /** False: the application has no pipeline of that name, another one may. */
  readonly isOfApplication: boolean
}

/** By name: what it takes is not looked at. */
export async function unusedStates(
  log: Log,
  definitions: readonly Definition[],
): Promise<readonly UnusedState[]> {
  const used = new Set(
    definitions.flatMap(({ name, steps }) =>
      steps.filter(keepsState).map((step) => stateStore(name, step.name)),
    ),
  )
  const stores = (await log.stores()).filter((store) => !used.has(store))
  if (stores.length === 0) return []
  const own = new Set(definitions.map(({ name }) => name))
  const names = [...own, ...(await log.groups()).map(({ name }) => name)]
  return stores.flatMap((store) => {
    const pipeline = ownerOf(store, names)
    if (pipeline === undefined) return []
    const step = store.slice(stateStore(pipeline, '').length)
    return [{ pipeline, step, store, isOfApplication: own.has(pipeline) }]
  })
}

/** Throws `STEP_UNKNOWN`, `OPTIONS_INVALID`, and `GROUP_ACTIVE` while anybody runs the pipeline. */
export async function dropState(
  log: Log,
  definitions: readonly Definition[],
  pipeline: string,
  step: string,
): Promise<void> {
  const steps = definitions.find(({ name }) => name === pipeline)?.steps ?? []
  const where = `state of ${stateStore(pipeline, step)}`
  if (steps.some((one) => one.name === step && keepsState(one))) {
    const words = `the application uses it; to begin anew: millrace groups reset ${pipeline} --to start`
    throw fail('OPTIONS_INVALID', `${where}: ${words}`)
  }
  const unused = await unusedStates(log, definitions)
  if (!unused.some((one) => one.pipeline === pipeline && one.step === step)) {
    const names = unused.map((one) => `${one.pipeline} ${one.step}`)
    const hint = suggestion(`${pipeline} ${step}`, names) || `unused: ${names.join(', ') || 'none'}`
    throw fail('STEP_UNKNOWN', `${where}: nothing is kept there; ${hint}`)
  }
  const members = (await log.group(pipeline))?.members ?? []
  if (members.length > 0) {
    const words = `${members.length} processes or threads run ${pipeline}, maybe an older version that uses it; end them first`
    throw fail('GROUP_ACTIVE', `${where}: ${words}`)
  }
  await log.deleteState(stateStore(pipeline, step))
}

/** Names may have dots: a store belongs to the longest name that it begins with. */
function ownerOf(store: string, names: readonly string[]): string | undefined {
  const fitting = names.filter((name) => store.startsWith(stateStore(name, '')))
  return fitting.reduce<string | undefined>(
    (longest, name) => (longest === undefined || name.length > longest.length ? name : longest),
    undefined,
  )
}
