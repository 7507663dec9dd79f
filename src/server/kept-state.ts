/**
 * What steps keep of the messages that went through them: how much, and how far event time has come.
 * Event time is told by checkpoints; how much there is has to be asked of the log, now and then.
 */
import type { GroupInfo, Log } from '../log/log.ts'
import { parseCheckpoint } from '../pipeline/checkpoint.ts'
import type { SavedTime } from '../pipeline/event-time.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { keepsState, stateStore } from '../pipeline/state-store.ts'
import type { KeptState } from './state.ts'

export type StateAmount = Pick<KeptState, 'keys' | 'sizeBytes'>

const askEveryMs = 5000
/** Counting reads an index of what is kept: it is asked for again after so many times what it took. */
const restsPerWork = 50
const unknown: StateAmount = { keys: null, sizeBytes: null }

/** By store, how much it keeps. */
export class StateAmounts {
  readonly #known = new Map<string, StateAmount & { readonly againAtMs: number }>()

  /** Forgets stores of pipelines that are gone. What cannot be asked keeps what was known of it. */
  async look(
    log: Log,
    plans: readonly PipelinePlan[],
    nowMs: number,
  ): Promise<ReadonlyMap<string, StateAmount>> {
    const amounts = new Map<string, StateAmount>()
    for (const { name, steps } of plans) {
      for (const step of steps.filter(keepsState)) {
        const store = stateStore(name, step.name)
        amounts.set(store, await this.#of(log, store, nowMs))
      }
    }
    for (const store of this.#known.keys()) if (!amounts.has(store)) this.#known.delete(store)
    return amounts
  }

  async #of(log: Log, store: string, nowMs: number): Promise<StateAmount> {
    const known = this.#known.get(store)
    if (known !== undefined && nowMs < known.againAtMs) return known
    const startedMs = performance.now()
    const amount = await amountOf(log, store).catch(() => known ?? unknown)
    const restMs = Math.max(askEveryMs, (performance.now() - startedMs) * restsPerWork)
    const asked = { ...amount, againAtMs: nowMs + restMs }
    this.#known.set(store, asked)
    return asked
  }
}

async function amountOf(log: Log, store: string): Promise<StateAmount> {
  const sizes = await log.stateSizes(store)
  return {
    keys: sumOf(sizes.map(({ keys }) => keys)),
    sizeBytes: sumOf(sizes.map(({ sizeBytes }) => sizeBytes)),
  }
}

/** Null where one of them is not known. */
function sumOf(numbers: readonly (number | undefined)[]): number | null {
  return numbers.reduce<number | null>(
    (sum, one) => (sum === null || one === undefined ? null : sum + one),
    0,
  )
}

/** By step that keeps something. Throws `CHECKPOINT_UNREADABLE`. */
export function keptStates(
  { name, steps, inputs }: PipelinePlan,
  group: GroupInfo | undefined,
  amounts: ReadonlyMap<string, StateAmount>,
): ReadonlyMap<string, KeptState> {
  const kept = new Map<string, KeptState>()
  if (!steps.some(keepsState)) return kept
  const times = (group?.checkpoints ?? []).map(({ topic, partition, metadata }) => {
    const { time = {} } = parseCheckpoint(`pipeline ${name}, ${topic}/${partition}`, metadata)
    return { entry: inputs.find((one) => one.name === topic)?.entry ?? 0, time }
  })
  const newestMs = Math.max(...times.map(({ time }) => time.at ?? Number.NEGATIVE_INFINITY))
  for (const [index, step] of steps.entries()) {
    if (!keepsState(step)) continue
    const { keys, sizeBytes } = amounts.get(stateStore(name, step.name)) ?? unknown
    const watermarkMs = step.kind === 'aggregate' ? watermarkOf(steps, index, times) : null
    const behindMs = watermarkMs === null ? null : Math.max(0, newestMs - watermarkMs)
    kept.set(step.name, { watermarkMs, behindMs, keys, sizeBytes })
  }
  return kept
}

/**
 * Up to where the windows of a step are closed, in the partition that is furthest behind. Its messages
 * come in behind the last change of key before it.
 */
function watermarkOf(
  steps: PipelinePlan['steps'],
  index: number,
  times: readonly { readonly entry: number; readonly time: SavedTime }[],
): number | null {
  const from = steps.findLastIndex(({ kind }, at) => at < index && kind === 'keyBy') + 1
  const change = steps.findIndex(({ kind }, at) => at > index && kind === 'keyBy')
  const to = change < 0 ? steps.length : change + 1
  const closed = times
    .filter(({ entry }) => entry >= from && entry < to)
    .flatMap(({ time }) => time.closed ?? [])
  return closed.length === 0 ? null : Math.min(...closed)
}
