/**
 * Looks into the keyed state of pipelines from outside: which steps keep how much, and what a step has
 * of a key. It reads what is committed and changes nothing, so it may be asked beside a run.
 */
import { fail, suggestion } from '../core/errors.ts'
import type { Log, StateSize } from '../log/log.ts'
import { murmur2 } from '../log/partitioner.ts'
import type { StateForm } from '../transforms/keyed-state.ts'
import type { Definition, Step } from './definition.ts'
import { EntryForms, readForms } from './entry-forms.ts'
import { repartitionTopic } from './inputs.ts'
import { placesOf, segmentsOf } from './segments.ts'
import { checkForm, differenceOf, formKey, isReserved } from './state-form.ts'
import { layoutOf, type StoredPartition, type ToldState } from './state-layout.ts'
import { keepsState, stateStore } from './state-store.ts'
import { unusedStates } from './unused-state.ts'

export interface StepState {
  readonly pipeline: string
  readonly step: string
  readonly kind: Step['kind']
  /** The name under which the log keeps it. */
  readonly store: string
  /** What the step keeps now, and in which version; undefined: its values say it themselves. */
  readonly form: string | undefined
  readonly version: number | undefined
  /**
   * What differs between what the state was written by and the step, where that is so much that the
   * step will refuse it. Not looked for where it costs reading all of the state.
   */
  readonly differs: string | undefined
  readonly partitions: readonly StateSize[]
}

/** What a step has of a key, or of several. */
export interface FoundState {
  readonly pipeline: string
  readonly step: string
  readonly kind: Step['kind']
  readonly entries: readonly (ToldState & { readonly partition: number })[]
}

/** The steps that keep state. */
export async function listState(
  log: Log,
  definitions: readonly Definition[],
): Promise<readonly StepState[]> {
  const kept = definitions.flatMap(({ name, steps }) =>
    steps.filter(keepsState).map((step) => ({ name, step })),
  )
  const states: StepState[] = []
  for (const { name, step } of kept) {
    const store = stateStore(name, step.name)
    const partitions = await log.stateSizes(store)
    const { form } = layoutOf(step)
    states.push({
      ...{ pipeline: name, step: step.name, kind: step.kind, store, partitions },
      ...{ form: form?.name, version: form?.version },
      differs: form && (await differenceIn(log, store, partitions, form)),
    })
  }
  return states
}

/**
 * Looks before a start whether steps find what they can go on with; not where that costs reading all
 * of the state, so there it shows with the first message. What no step uses any more is said. Throws
 * `STATE_DIFFERS`.
 */
export async function checkStates(
  log: Log,
  definitions: readonly Definition[],
  say: (words: string) => void = () => undefined,
): Promise<void> {
  for (const { pipeline, step, isOfApplication } of await unusedStates(log, definitions)) {
    const told = `state of ${pipeline} ${step} is kept, but no step uses it`
    if (isOfApplication) say(`${told} (millrace state list; millrace state drop)`)
  }
  if (log.countsByReading) return
  const topics = new Map((await log.topics()).map((info) => [info.name, info]))
  for (const definition of definitions) {
    for (const segment of segmentsOf(definition)) {
      const places = placesOf(segment, (topic) => topics.get(topic)?.partitions ?? 0)
      const partitions = new Set(places.map(({ partition }) => partition))
      for (const step of definition.steps.slice(segment.from, segment.to).filter(keepsState)) {
        const { form } = layoutOf(step)
        const store = stateStore(definition.name, step.name)
        for (const partition of form === undefined ? [] : partitions) {
          await checkForm(storedPartition(log, store, partition), form!, store)
        }
      }
    }
  }
}

async function differenceIn(
  log: Log,
  store: string,
  [first]: readonly StateSize[],
  form: StateForm<unknown>,
): Promise<string | undefined> {
  if (first === undefined || log.countsByReading) return undefined
  const bytes = (await log.state(store, first.partition, [formKey])).get(formKey)
  const written = bytes && readForms(bytes)
  if (written === undefined || EntryForms.of(form, written, store) !== undefined) return undefined
  return differenceOf(written, form).words
}

/** The steps of some pipelines, and what each has of a key. */
export class StateReader {
  readonly #log: Log
  readonly #definitions: readonly Definition[]

  constructor(log: Log, definitions: readonly Definition[]) {
    this.#log = log
    this.#definitions = definitions
  }

  /** Throws `STEP_UNKNOWN`, `STATE_DIFFERS`, `STATE_UNREADABLE`. */
  async get(pipeline: string, stepName: string, key: string): Promise<FoundState> {
    const { definition, step } = this.#find(pipeline, stepName)
    const layout = layoutOf(step)
    const entries: FoundState['entries'][number][] = []
    for (const stored of await this.#partitions(definition, step, key)) {
      const told = await layout.read(stored, [key])
      entries.push(...told.map((one) => ({ partition: stored.partition, ...one })))
    }
    return { pipeline, step: stepName, kind: step.kind, entries }
  }

  /** The first `limit` keys from one on, in the order of their UTF-8 bytes. Throws as `get`. */
  async scan(
    pipeline: string,
    stepName: string,
    { from = '', limit }: { readonly from?: string | undefined; readonly limit: number },
  ): Promise<FoundState> {
    const { definition, step } = this.#find(pipeline, stepName)
    const layout = layoutOf(step)
    const partitions = await this.#partitions(definition, step)
    const known = await Promise.all(partitions.map((one) => layout.keys(one, from, limit)))
    const chosen = [...new Set(known.flat())].sort(layout.compare).slice(0, limit)
    const entries: FoundState['entries'][number][] = []
    for (const [index, stored] of partitions.entries()) {
      const keys = chosen.filter((key) => known[index]!.includes(key))
      const told = await layout.read(stored, keys)
      entries.push(...told.map((one) => ({ partition: stored.partition, ...one })))
    }
    entries.sort((one, other) => layout.compare(one.key, other.key))
    return { pipeline, step: stepName, kind: step.kind, entries }
  }

  #find(pipeline: string, stepName: string): { definition: Definition; step: Step } {
    const names = this.#definitions.map(({ name }) => name)
    const definition = this.#definitions.find(({ name }) => name === pipeline)
    if (definition === undefined) {
      const hint = suggestion(pipeline, names) || `it has ${names.join(', ') || 'none'}`
      const words = `state: the application has no pipeline '${pipeline}'; ${hint}`
      throw fail('STEP_UNKNOWN', words)
    }
    const kept = definition.steps.filter(keepsState)
    const step = kept.find(({ name }) => name === stepName)
    if (step !== undefined) return { definition, step }
    const keeping = kept.map(({ name }) => name)
    const isStep = definition.steps.some(({ name }) => name === stepName)
    const seen = isStep ? `step '${stepName}' keeps no state` : `there is no step '${stepName}'`
    const hint = suggestion(stepName, keeping) || `state is kept by ${keeping.join(', ') || 'none'}`
    throw fail('STEP_UNKNOWN', `state of pipeline ${pipeline}: ${seen}; ${hint}`)
  }

  /** Those that have state; with a key that a step before made, the one that has that key. */
  async #partitions(
    definition: Definition,
    step: Step,
    key?: string,
  ): Promise<readonly StoredPartition[]> {
    const log = this.#log
    const store = stateStore(definition.name, step.name)
    const own = key === undefined ? undefined : await this.#partitionOf(definition, step, key)
    const sizes = await log.stateSizes(store)
    const numbers = sizes.map(({ partition }) => partition)
    const { form } = layoutOf(step)
    const stored = numbers
      .filter((partition) => own === undefined || partition === own)
      .map((partition) => storedPartition(log, store, partition))
    if (form === undefined) return stored
    return Promise.all(stored.map(async (one) => inOwnForm(one, await checkForm(one, form, store))))
  }

  /** Undefined: messages have keys of their own, in whichever partition they were written to. */
  async #partitionOf(
    { name, steps }: Definition,
    step: Step,
    key: string,
  ): Promise<number | undefined> {
    const before = steps.slice(0, steps.indexOf(step))
    const change = before.findLast(({ kind }) => kind === 'keyBy' || kind === 'join')
    if (change?.kind !== 'keyBy') return undefined
    const topic = await this.#log.topic(repartitionTopic(name, change.name))
    if (topic === undefined) return undefined
    const bytes = Buffer.from(key)
    return (murmur2(bytes, 0, bytes.length) & 0x7fffffff) % topic.partitions
  }
}

/** Entries of older forms as the step would write them now. */
function inOwnForm(stored: StoredPartition, forms: EntryForms<unknown>): StoredPartition {
  const current = ([key, bytes]: readonly [string, Buffer]) =>
    [key, isReserved(key) ? bytes : forms.current(key, bytes)] as const
  return {
    partition: stored.partition,
    get: async (keys) => new Map([...(await stored.get(keys))].map(current)),
    scan: async (range) => (await stored.scan(range)).map(current),
  }
}

const storedPartition = (log: Log, store: string, partition: number): StoredPartition => ({
  partition,
  get: (keys) => log.state(store, partition, keys),
  scan: (range) => log.scanState(store, partition, range),
})
