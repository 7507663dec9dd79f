/**
 * An application as a test runs it: models that were given in place of its own, sources that give what
 * the test feeds them, sinks that keep what they get. Nothing outside is read, and nothing written.
 */
import { BatchBuilder } from '../core/batch-builder.ts'
import { fail, suggestion } from '../core/errors.ts'
import type { Header } from '../core/headers.ts'
import { idHeader } from '../core/identity.ts'
import { messagesOf } from '../core/message.ts'
import type { Lookup } from '../lookups/lookup.ts'
import type { Model } from '../models/model.ts'
import type { Definition, Input, LookupStep, Step } from '../pipeline/definition.ts'
import { sourceTopic } from '../pipeline/plan.ts'
import type { Sink, SinkUse } from '../sinks/sink.ts'
import type { SourceContext, SourceReader, SourceUse } from '../sources/source.ts'

/** Answers in the order of the inputs; it may throw, and take its time. */
export type ModelMock = (
  inputs: readonly never[],
) => readonly unknown[] | Promise<readonly unknown[]>

/** What is known of each key, in their order; null or undefined: nothing. It may throw, and take its time. */
export type LookupMock = (
  keys: readonly never[],
) => readonly unknown[] | Promise<readonly unknown[]>

interface Mocks {
  readonly models: Readonly<Record<string, ModelMock>>
  readonly lookups: Readonly<Record<string, LookupMock>>
}

export interface Fed {
  readonly id: string
  readonly key: string | null
  readonly timeMs: number
  readonly json: string
}

export interface Feed {
  readonly pipeline: string
  /** As the pipeline calls it: `files`, `files-2`. */
  readonly source: string
  /** The name under which positions are kept. */
  readonly topic: string
  readonly fed: Fed[]
}

export interface Caught {
  readonly pipeline: string
  readonly step: string
  readonly id: string
  readonly version: number
  readonly value: unknown
}

/** All that stands in for what is outside. */
export class StandIns {
  readonly definitions: readonly Definition[]
  readonly feeds: Feed[] = []
  readonly #caught = new Map<string, Caught>()
  readonly sinks: { readonly pipeline: string; readonly step: string }[] = []
  /** Answers that models are asked for. */
  asked = 0

  constructor(
    given: readonly Definition[],
    models: Mocks['models'],
    lookups: Mocks['lookups'] = {},
  ) {
    checkModels(given, models)
    checkLookups(given, lookups)
    const mocks = { models, lookups }
    this.definitions = given.map((definition) => ({
      ...definition,
      inputs: definition.inputs.map((input) => this.#input(definition, input)),
      steps: definition.steps.map((step) => this.#step(definition, step, mocks)),
    }))
  }

  /** In the order in which they first came. */
  caught(pipeline: string, step: string): Caught[] {
    return [...this.#caught.values()].filter(
      (one) => one.pipeline === pipeline && one.step === step,
    )
  }

  /** With the models that were not given: what asks them is counted too. */
  withModels(models: ReadonlyMap<string, Model<unknown, unknown>>): readonly Definition[] {
    return this.definitions.map((definition) => ({
      ...definition,
      steps: definition.steps.map((step) => {
        if (step.kind !== 'predict') return step
        const found = models.get(`${definition.name}/${step.name}`) ?? step.model.model!
        return { ...step, model: { ...step.model, model: this.#counted(found) } }
      }),
    }))
  }

  #counted(model: Model<unknown, unknown>): Model<unknown, unknown> {
    return {
      predict: async (inputs) => {
        this.asked++
        try {
          return await model.predict(inputs)
        } finally {
          this.asked--
        }
      },
    }
  }

  #input(definition: Definition, input: Input): Input {
    if (input.kind !== 'source') return input
    const { name: source } = input
    const topic = sourceTopic(definition, input)
    const feed: Feed = { pipeline: definition.name, source, topic, fed: [] }
    this.feeds.push(feed)
    const open = async (context: SourceContext) => new FeedReader(feed.fed, context)
    const use: SourceUse<unknown> = { ...input.source, replay: 'exact', open }
    return { ...input, source: use }
  }

  #step(definition: Definition, step: Step, { models, lookups }: Mocks): Step {
    if (step.kind === 'to' && step.target.kind === 'sink') {
      this.sinks.push({ pipeline: definition.name, step: step.name })
      const sink = this.#sink(definition.name, step.name, step.target.sink)
      return { ...step, target: { kind: 'sink', sink } }
    }
    if (step.kind === 'lookup') return { ...step, lookup: this.#lookup(step, lookups) }
    if (step.kind !== 'predict') return step
    const mock = own(models, step.name) ?? own(models, step.model.name)
    if (mock === undefined) return step
    const predict = async (inputs: readonly unknown[]) => [...(await mock(inputs as never[]))]
    return { ...step, model: { ...step.model, model: { predict }, train: undefined } }
  }

  #lookup({ name, lookup }: LookupStep, mocks: Mocks['lookups']): LookupStep['lookup'] {
    const mock = own(mocks, name)!
    const find: Lookup['find'] = async (keys, { answer }) => {
      this.asked++
      try {
        const values = await mock(keys as never[])
        if (values.length !== keys.length) {
          throw new Error(`lookups: '${name}' gave ${values.length} values for ${keys.length} keys`)
        }
        values.forEach((value, index) => {
          answer(index, value)
        })
      } finally {
        this.asked--
      }
    }
    return { ...lookup, open: async () => ({ find, close: async () => undefined }) }
  }

  /** What comes again after a crash replaces itself; by keys the newest version is kept. */
  #sink(pipeline: string, step: string, use: SinkUse): SinkUse {
    const take: Sink['write'] = async (batch) => {
      for (const { id, version, value } of messagesOf(batch)) {
        const name = [pipeline, step, id, ...(use.delivery === 'keyed' ? [] : [version])].join('\n')
        const known = this.#caught.get(name)
        if (known !== undefined && known.version > version) continue
        if (value === null) this.#caught.delete(name)
        else {
          const parsed: unknown = JSON.parse(String(value))
          this.#caught.set(name, { pipeline, step, id, version, value: parsed })
        }
      }
      return undefined
    }
    const sink: Sink = { write: take, position: () => undefined, close: async () => undefined }
    return { ...use, open: async () => sink, forget: async () => undefined }
  }
}

/** So long a source waits for what is to come before it says that there is nothing. */
const waitMs = 50

class FeedReader implements SourceReader {
  readonly #fed: readonly Fed[]
  readonly #context: SourceContext
  #index: number

  constructor(fed: readonly Fed[], context: SourceContext) {
    this.#fed = fed
    this.#context = context
    this.#index = (context.position as number | null | undefined) ?? 0
  }

  async read(maxMessages: number) {
    const { clock, signal } = this.#context
    if (this.#index >= this.#fed.length) await clock.sleep(waitMs, signal)
    const builder = new BatchBuilder('', 0)
    for (const { id, key, timeMs, json } of this.#fed.slice(
      this.#index,
      this.#index + maxMessages,
    )) {
      const headers: Header[] = [{ key: idHeader, value: Buffer.from(id) }]
      builder.append(key, json, timeMs, headers)
      this.#index++
    }
    return { batch: builder.build(), unreadable: [], position: this.#index }
  }

  async close(): Promise<void> {}
}

const own = <Value>(values: Readonly<Record<string, Value>>, name: string) =>
  Object.hasOwn(values, name) ? values[name] : undefined

/** Nothing outside is asked: who looks up needs something in place of the other system. */
function checkLookups(definitions: readonly Definition[], mocks: Mocks['lookups']): void {
  const steps = definitions.flatMap(({ name: pipeline, steps }) =>
    steps.flatMap((step) => (step.kind === 'lookup' ? [{ pipeline, ...step }] : [])),
  )
  const known = steps.map(({ name }) => name)
  for (const [name, mock] of Object.entries(mocks)) {
    if (typeof mock !== 'function') {
      const words = `lookups: '${name}' is to be a function of the keys that gives as many values`
      throw fail('TEST_INVALID', `pipelineTest: ${words}`)
    }
    if (known.includes(name)) continue
    const hint = suggestion(name, known) || `there are ${[...new Set(known)].join(', ') || 'none'}`
    throw fail('TEST_INVALID', `pipelineTest: lookups: no step looks up '${name}'; ${hint}`)
  }
  const missing = steps.find(({ name }) => own(mocks, name) === undefined)
  if (missing === undefined) return
  const where = `pipeline ${missing.pipeline}, step '${missing.name}' looks up in ${missing.lookup.place}`
  const how = `{ lookups: { '${missing.name}': (keys) => keys.map(() => ...) } }`
  const hint = `in a test, put something in its place: pipelineTest(app, ${how}, ...)`
  throw fail('TEST_INVALID', `${where}; ${hint}`)
}

function checkModels(
  definitions: readonly Definition[],
  mocks: Readonly<Record<string, ModelMock>>,
): void {
  const known = definitions.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === 'predict' ? [step.name, step.model.name] : [])),
  )
  for (const [name, mock] of Object.entries(mocks)) {
    if (typeof mock !== 'function') {
      const words = `models: '${name}' is to be a function of the inputs that gives as many answers`
      throw fail('TEST_INVALID', `pipelineTest: ${words}`)
    }
    if (known.includes(name)) continue
    const hint = suggestion(name, known) || `there are ${[...new Set(known)].join(', ') || 'none'}`
    const words = `models: no step predicts with '${name}', by its own name or the model's`
    throw fail('TEST_INVALID', `pipelineTest: ${words}; ${hint}`)
  }
}
