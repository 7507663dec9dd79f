/**
 * The chain that a user writes. Every call gives a new stream, so a chain is plain data until it is
 * run: it can be printed, drawn, checked and tested without a log.
 */
import { type Duration, durationOption } from '../core/duration.ts'
import { fail } from '../core/errors.ts'
import type { Message } from '../core/message.ts'
import type { LookupKey, LookupUse } from '../lookups/lookup.ts'
import type { SinkUse } from '../sinks/sink.ts'
import type { SourceUse } from '../sources/source.ts'
import type { AnyTopic, Definition, Input, PipelineSettings, Step, Target } from './definition.ts'
import { Keyed } from './keyed-stream.ts'
import { readStep } from './ledger.ts'
import { type LookupOptions, lookupStep } from './lookup-options.ts'
import type { ModelUse } from './model-use.ts'
import { type Position, readPosition } from './position.ts'
import type { RollingFeature } from './rolling-feature.ts'
import { type RollingFeatures, rollingSteps } from './rolling-features.ts'
import { checkKeys, checkName, type Readable, type Topic, type Writable } from './topic.ts'
import type { Topics } from './topics-matching.ts'

/** Shows an intersection as one object type. */
type Flat<T> = { [K in keyof T]: T[K] } & {}

type Primitive = string | number | bigint | boolean | symbol | null | undefined

/** What is left of a value that went through JSON: a date is its ISO text. */
import { checkJoin, checkTarget } from './step-checks.ts'

export type InJson<T> = T extends Primitive
  ? T
  : T extends Date
    ? string
    : T extends object
      ? { [K in keyof T]: InJson<T[K]> }
      : T

/** A field that is not there yet; else a sentence, which no string matches. */
export type Fresh<T, K extends string> = K extends keyof T ? `the field '${K}' exists already` : K

type AnyInput = Topic<unknown, never> | Topics<unknown> | SourceUse<unknown>

export interface AddOptions<T> {
  /** How far behind the watermark a message may be and still be given features; '1h', where not said. */
  readonly lateness?: Duration
  /** Takes the messages that are later; else they are only counted. */
  readonly late?: Writable<T>
  /**
   * Keeps one bucket for so much time instead of each value, once the lateness is over: for keys with
   * very many values. What is counted then begins at a multiple of it: with '1m', of an hour before
   * 9:30:20 what came behind 8:30:00.
   */
  readonly resolution?: Duration
}

type OutOf<F> = F extends RollingFeature<never, infer Out> ? Out : never

export interface FromOptions {
  /**
   * Where topics are read from that this pipeline never read, those of its joins included: 'earliest'
   * (default), 'latest', a time ('2026-01-31T12:00:00Z', without a zone UTC; or a Date), or so long
   * ago ('-1h'). Decided at the first start; `millrace run --start` goes before it.
   */
  readonly start?: string | Date
}

type ValueOf<R> = R extends Readable<infer T> ? T : R extends SourceUse<infer T> ? T : never

export interface PipelineOptions
  extends Partial<Pick<PipelineSettings, 'maxDeadLetterShare' | 'onGap'>> {
  /** An input that says nothing for so long does not hold windows open: '1m', where it is not said. */
  readonly idle?: Duration
  /** A message so far ahead of the clock is late, and closes no window: '1h', where it is not said. */
  readonly maxSkew?: Duration
  /**
   * Of several topics the message with the earliest event time goes first, where what comes out depends
   * on it. So long such a message waits for a topic of which nothing is left to read, as an earlier one
   * may still be written to it: not at all, where it is not said.
   */
  readonly maxWait?: Duration
  /**
   * On Kafka: 1 keeps a copy of each partition's state warm in another process, the one that would take
   * the partition over, so that it has only the tail of the changelog to read then. 0, where it is not
   * said. It takes the disk once more, and the changelog is read once more.
   */
  readonly standbys?: 0 | 1
}

const defaultSettings: PipelineSettings = {
  ...{ maxDeadLetterShare: 0.5, onGap: 'stop' },
  ...{ idleMs: 60_000, maxSkewMs: 3_600_000, maxWaitMs: 0, standbys: 0 },
}

const optionNames = [
  ...(['maxDeadLetterShare', 'onGap', 'idle', 'maxSkew', 'maxWait', 'standbys'] as const),
]

/**
 * Starts a pipeline; its name is the name of its consumer group.
 *
 * @example
 * export const score = pipeline('score')
 *   .from(mails)
 *   .predict('spam', classifier('spam-filter', { labels: ['ham', 'spam'] }), { input: (mail) => mail.text })
 *   .to(scored)
 */
export function pipeline(name: string, options: PipelineOptions = {}): Start {
  checkName('pipeline', name)
  const where = `pipeline ${name}`
  checkKeys(where, options, optionNames)
  if (options.standbys !== undefined && options.standbys !== 0 && options.standbys !== 1) {
    throw fail('OPTIONS_INVALID', `${where}: option 'standbys' is 0 or 1`)
  }
  const { idle, maxSkew, maxWait, ...settings } = options
  const { maxDeadLetterShare = defaultSettings.maxDeadLetterShare } = settings
  if (!(maxDeadLetterShare >= 0 && maxDeadLetterShare <= 1)) {
    const seen = `maxDeadLetterShare is ${maxDeadLetterShare}`
    throw fail('OPTIONS_INVALID', `pipeline ${name}: ${seen}; give a share from 0 to 1`)
  }
  const duration = (option: string, given: Duration | undefined, otherwiseMs: number) =>
    given === undefined ? otherwiseMs : durationOption(`${where}: option '${option}'`, given)
  return new Start(name, {
    ...defaultSettings,
    ...settings,
    idleMs: duration('idle', idle, defaultSettings.idleMs),
    maxSkewMs: duration('maxSkew', maxSkew, defaultSettings.maxSkewMs),
    maxWaitMs: duration('maxWait', maxWait, defaultSettings.maxWaitMs),
  })
}

export class Start {
  readonly #name: string
  readonly #settings: PipelineSettings

  constructor(name: string, settings: PipelineSettings) {
    this.#name = name
    this.#settings = settings
  }

  /**
   * Reads topics and sources: a message of any of them goes through the same steps. Options come last.
   *
   * @example
   * pipeline('score').from(mails, { start: 'latest' })
   */
  from<const Inputs extends readonly AnyInput[]>(...inputs: Inputs): Stream<ValueOf<Inputs[number]>>
  from<const Inputs extends readonly AnyInput[]>(
    ...inputs: readonly [...Inputs, FromOptions]
  ): Stream<ValueOf<Inputs[number]>>
  from(...given: readonly (AnyInput | FromOptions)[]): Stream<unknown> {
    const inputs = given.filter((one): one is AnyInput => 'kind' in one)
    const options = given.filter((one): one is FromOptions => !('kind' in one))
    if (inputs.length === 0) {
      throw fail('PIPELINE_INVALID', `pipeline ${this.#name}: from() names nothing to read`)
    }
    return new Stream({
      name: this.#name,
      inputs: inputs.map((input, index) => this.#input(input, index, inputs)),
      steps: [],
      start: this.#start(inputs, options),
      settings: this.#settings,
    })
  }

  #start(inputs: readonly AnyInput[], all: readonly FromOptions[]): Position | undefined {
    const where = `pipeline ${this.#name}: from()`
    if (all.length > 1) throw fail('OPTIONS_INVALID', `${where} takes its options once`)
    const [options = {}] = all
    checkKeys(where, options, ['start'])
    const { start } = options
    if (start === undefined) return undefined
    if (inputs.every(({ kind }) => kind === 'source')) {
      const hint = 'a source begins where its own options say'
      throw fail('OPTIONS_INVALID', `${where}: start is for topics; ${hint}`)
    }
    const position = readPosition(start instanceof Date ? start.toISOString() : start)
    if (position !== undefined && position.kind !== 'offset') return position
    const hint = `give 'earliest', 'latest', a time such as '2026-01-31T12:00:00Z', or '-1h'`
    throw fail('OPTIONS_INVALID', `${where}: start is '${start}'; ${hint}`)
  }

  #input(input: AnyInput, index: number, all: readonly AnyInput[]): Input {
    if (input.kind === 'topic') return { kind: 'topic', topic: input }
    if (input.kind === 'topics') return { kind: 'topics', topics: input, matched: [] }
    const same = all.slice(0, index).filter((other) => 'part' in other && other.part === input.part)
    const suffix = same.length === 0 ? '' : `-${same.length + 1}`
    return { kind: 'source', name: `${input.part}${suffix}`, source: input }
  }
}

export class Stream<T> {
  readonly '~pipeline': Definition

  constructor(definition: Definition) {
    this['~pipeline'] = definition
  }

  /** One value for each. What the function throws makes the message a dead letter. */
  map<Out>(name: string, apply: (value: T, message: Message) => Out): Stream<Out> {
    return this.#with({ kind: 'map', name, apply })
  }

  /** Only values for which `test` holds go on. */
  filter<Kept extends T>(name: string, test: (value: T) => value is Kept): Stream<Kept>
  filter(name: string, test: (value: T, message: Message) => boolean): Stream<T>
  filter(name: string, test: (value: T, message: Message) => boolean): Stream<T> {
    return this.#with({ kind: 'filter', name, test })
  }

  /** Any number of values for each; their ids are `id/name/0`, `id/name/1` and so on. */
  flatMap<Out>(name: string, apply: (value: T, message: Message) => Iterable<Out>): Stream<Out> {
    return this.#with({ kind: 'flatMap', name, apply })
  }

  /** Adds what a model says of `input(value)` as a new field. */
  predict<const K extends string, In, Out>(
    field: Fresh<T, K>,
    model: ModelUse<In, Out>,
    options: { readonly input: (value: T) => NoInfer<In> },
  ): Stream<Flat<Omit<T, K> & { readonly [P in K]: Out }>> {
    return this.#with({
      kind: 'predict',
      name: field,
      model: model as ModelUse<unknown, unknown>,
      input: options.input,
    })
  }

  /**
   * Adds what another system knows of a key, as a new field: null where it knows nothing, or where there
   * is no key; with `how: 'inner'` such a message goes no further. All keys of a batch that are not
   * remembered are asked for together. A replay asks again, and may get other answers.
   *
   * @example
   * .lookup('customer', postgres({ connection: 'crm', table: 'customers', key: 'id', schema: Customer }), {
   *   by: (payment) => payment.customer,
   *   cache: { timeToLive: '5m' },
   * })
   */
  lookup<
    const K extends string,
    Key extends LookupKey,
    Value,
    const How extends 'inner' | 'left' = 'left',
  >(
    field: Fresh<T, K>,
    lookup: LookupUse<Key, Value>,
    options: LookupOptions<T, NoInfer<Key>, How>,
  ): Stream<Flat<Omit<T, K> & { readonly [P in K]: How extends 'left' ? Value | null : Value }>> {
    return this.#with(lookupStep(field, lookup, options))
  }

  /**
   * Waits for the message with the same key on another topic and adds its value as a new field: one
   * to one, in whichever order they come. Both topics need the same number of partitions. What
   * waits is kept state and survives a crash; the id of a pair is `left+right`, its time the later
   * of both.
   *
   * A pair is the same whichever side came first. The left value goes through JSON, also when it
   * needs not wait: dates become texts, and what JSON cannot hold (a bigint, a circle, something not
   * an object) makes the message a dead letter. The other value comes as its topic's schema gives
   * it, dates included. Headers are those of the side that came last.
   */
  join<const K extends string, Other>(
    field: Fresh<T, K>,
    other: Topic<Other, never>,
    within?: never,
  ): Stream<Flat<Omit<InJson<T>, K> & { readonly [P in K]: Other }>> {
    checkJoin(field, other, within !== undefined)
    return this.#with({ kind: 'join', name: field, other })
  }

  /**
   * Brings together what has the same key: what follows keeps state of each. Without a function it is
   * the message's own key; with one the messages go through a topic of the pipeline's own as JSON, so
   * that those of a key meet in one partition. A delete goes no further.
   */
  keyBy(): Keyed<T>
  keyBy(key: (value: T) => string | number | bigint | boolean): Keyed<InJson<T>>
  keyBy(key?: (value: T) => unknown): Keyed<T> | Keyed<InJson<T>> {
    return new Keyed<T>(key, (steps) => this.#withAll(steps))
  }

  /**
   * Adds statistics of what came before with the same key, as of each message's time: see `rolling`.
   * Messages with a key of their own making go through a topic as JSON. One that comes more than the
   * lateness behind the watermark has no history any more: it is late.
   *
   * @example
   * pipeline('score')
   *   .from(payments)
   *   .add({ spent1h: rolling.sum('amount', { by: 'card', over: '1h' }) })
   */
  add<const Features extends { readonly [field: string]: RollingFeature<InJson<T>, unknown> }>(
    features: Features & { readonly [K in keyof Features]: K extends keyof T ? never : unknown },
    options: AddOptions<T> = {},
  ): Stream<Flat<InJson<T> & { readonly [K in keyof Features]: OutOf<Features[K]> }>> {
    checkKeys('add', options, ['lateness', 'late', 'resolution'])
    const { lateness = '1h', late, resolution } = options
    const latenessMs = durationOption("add: option 'lateness'", lateness)
    const names = this['~pipeline'].steps.map(({ name }) => name)
    const buckets = "add: option 'resolution'"
    const resolutionMs =
      resolution === undefined ? undefined : durationOption(buckets, resolution, 1)
    const settings = { latenessMs, resolutionMs, late: late as AnyTopic | undefined }
    return this.#withAll(rollingSteps(features as RollingFeatures, names, settings))
  }

  /**
   * Writes every value to a topic or a sink; the stream goes on, so there can be several. The step's
   * name is `to-` and the target's unless told otherwise.
   */
  to(target: Writable<T> | SinkUse, options: { readonly name?: string } = {}): Stream<T> {
    const found = asTarget(target)
    checkTarget(this['~pipeline'], found)
    const name = options.name ?? `to-${found.kind === 'topic' ? found.topic.name : found.sink.part}`
    return this.#with({ kind: 'to', name, target: found })
  }

  #withAll<Out>(steps: readonly Step[]): Stream<Out> {
    return new Stream(steps.reduce(withStep, this['~pipeline']))
  }

  #with<Out>(step: Step): Stream<Out> {
    return new Stream<Out>(withStep(this['~pipeline'], step))
  }
}

function withStep(definition: Definition, step: Step): Definition {
  checkName(`pipeline ${definition.name}: step`, step.name)
  if (step.name === readStep) {
    throw fail(
      'PIPELINE_INVALID',
      `pipeline ${definition.name}: '${readStep}' is what reading its inputs is called; give the step another name`,
    )
  }
  if (definition.steps.some((other) => other.name === step.name)) {
    throw fail(
      'PIPELINE_INVALID',
      `pipeline ${definition.name}: two steps are called '${step.name}'; give one another name`,
    )
  }
  return { ...definition, steps: [...definition.steps, step] }
}

function asTarget(target: Writable<never> | SinkUse): Target {
  if ('kind' in target && target.kind === 'sink') return { kind: 'sink', sink: target as SinkUse }
  return { kind: 'topic', topic: target as AnyTopic }
}
