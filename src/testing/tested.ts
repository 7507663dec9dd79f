/** A test of an application, under way: what its function gets as `t`. */
import { AssertionError } from 'node:assert'
import { type Duration, durationOption } from '../core/duration.ts'
import { fail, suggestion } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import { audit } from '../pipeline/audit.ts'
import { deadLetters } from '../pipeline/dead-letter-store.ts'
import { deadLetterTopic } from '../pipeline/dead-letters.ts'
import type { Definition } from '../pipeline/definition.ts'
import type { Readable, Writable } from '../pipeline/topic.ts'
import { Contents, type TestMessage } from './contents.ts'
import { expectEqual, type Found, type Ledger, ledgerOf } from './findings.ts'
import { type CrashStep, crashSteps } from './mortal-log.ts'
import { type FeedOptions, Pushing, type PushOptions } from './push.ts'
import type { StandIns } from './stand-ins.ts'
import { Names, type TestedPipeline } from './tested-app.ts'
import { Work } from './work.ts'
import type { World } from './world.ts'

export interface CrashOptions {
  /** The pipeline whose commit it is; default: whichever comes there first. */
  readonly pipeline?: string | TestedPipeline
  /** The first (default), second, ... commit. */
  readonly nth?: number
}

/** A message that a step could not take. */
export interface TestDeadLetter {
  readonly id: string
  readonly step: string
  /** The name of the error's class, or its code. */
  readonly error: string
  readonly message: string
  /** What JSON says it is, else text; null: a delete. */
  readonly value: unknown
  readonly tries: number
}

export interface TestedOptions {
  readonly world: World
  readonly definitions: readonly Definition[]
  readonly standIns: StandIns
  readonly random: Random
  readonly startMs: number
  readonly patienceMs: number
}

export class Tested {
  /** Random numbers by the seed of the test. */
  readonly random: Random
  readonly #options: TestedOptions
  readonly #names: Names
  readonly #work: Work
  readonly #contents: Contents
  readonly #pushing: Pushing
  #nowMs: number

  constructor(options: TestedOptions) {
    const { world, definitions, random, startMs } = options
    this.#options = options
    this.random = random
    this.#nowMs = startMs
    this.#names = new Names(definitions)
    this.#work = new Work(options)
    this.#contents = new Contents(world.log, () => this.#work.pause())
    this.#pushing = new Pushing(world.log, () => this.#nowMs)
  }

  /** The time of the test in milliseconds since the epoch: its start, and what was advanced since. */
  now(): number {
    return this.#nowMs
  }

  /**
   * Appends a value, or several, to a topic that a pipeline reads: with the key and time that its
   * declaration gives them unless told otherwise. Nothing is worked on before `run`.
   * Throws `TEST_INVALID` for a value that does not fit the topic's schema.
   */
  push(topic: string, values: unknown, options?: PushOptions<never>): Promise<void>
  push<T>(
    topic: Writable<T>,
    values: NoInfer<T> | readonly NoInfer<T>[],
    options?: PushOptions<NoInfer<T>>,
  ): Promise<void>
  push(topic: string | Writable<never>, values: unknown, options: object = {}): Promise<void> {
    return this.#pushing.push(this.#names.read(topic, 'push'), listOf(values), options)
  }

  /**
   * Appends what need not fit: bytes as they are, null as a delete (give its key), anything else as JSON.
   */
  pushRaw(
    topic: string | { readonly name: string },
    values: unknown,
    options: PushOptions<never> = {},
  ): Promise<void> {
    const { name } = this.#names.read(topic, 'pushRaw')
    return this.#pushing.pushRaw(name, listOf(values), options as PushOptions)
  }

  /** Gives values to the source of a pipeline, which stands in for the real one; they are messages of it. */
  feed(
    pipeline: string | TestedPipeline,
    values: unknown,
    { source, ...options }: FeedOptions<never> & { readonly source?: string } = {},
  ): void {
    const { name } = this.#names.pipeline(pipeline)
    const feeds = this.#options.standIns.feeds.filter((one) => one.pipeline === name)
    const found = source === undefined ? feeds : feeds.filter((one) => one.source === source)
    if (found.length !== 1) {
      const there = feeds.map((one) => one.source).join(', ') || 'no source'
      const words = source === undefined ? 'say which source' : `there is no source '${source}'`
      throw fail('TEST_INVALID', `feed: pipeline ${name} reads ${there}; ${words}`)
    }
    this.#pushing.feed(found[0]!, listOf(values), options as FeedOptions)
  }

  /**
   * Resolves once everything that was pushed is worked off, by all pipelines, and committed. Event time
   * goes on by what was pushed, not by a clock. Throws what stops a pipeline.
   */
  async run(): Promise<void> {
    await this.#work.run()
  }

  /** Lets time pass, as '5m' or milliseconds: what closes or ends by the clock does, and is worked off. */
  async advance(time: Duration): Promise<void> {
    const byMs = durationOption('advance', time)
    await this.#work.run()
    await this.#work.advance(byMs, (partMs) => {
      this.#nowMs += partMs
    })
  }

  /**
   * The values that came to a topic since the last call for it, deletes left out: by time and then by id,
   * but those of a partition as they were written.
   */
  outputs<T>(topic: Readable<T>): Promise<T[]>
  outputs(topic: string): Promise<unknown[]>
  async outputs(topic: string | Readable<unknown>): Promise<unknown[]> {
    const messages = await this.#contents.fresh(this.#names.any(topic, 'outputs'))
    return messages.flatMap(({ value }) => (value === null ? [] : [value]))
  }

  /**
   * The values that came to a topic since the last call for it are these. Throws an `AssertionError` that
   * shows what the topic holds and what became of the messages that did not come so far.
   */
  expectOutputs(topic: string, expected: readonly unknown[]): Promise<void>
  expectOutputs<T>(topic: Readable<T>, expected: readonly NoInfer<T>[]): Promise<void>
  async expectOutputs(
    topic: string | Readable<unknown>,
    expected: readonly unknown[],
  ): Promise<void> {
    const actual = await this.outputs(topic as Readable<unknown>)
    await expectEqual(actual, expected, () => this.#find(topic))
  }

  /** All that a topic holds, in the same order; deletes too. */
  messages<T>(topic: Readable<T>): Promise<TestMessage<T>[]>
  messages(topic: string): Promise<TestMessage[]>
  messages(topic: string | Readable<unknown>): Promise<TestMessage[]> {
    return this.#contents.all(this.#names.any(topic, 'messages'))
  }

  /** What a pipeline wrote to its sink, which stands in for the real one; `step` says which of several. */
  sunk(pipeline: string | TestedPipeline, step?: string): unknown[] {
    const { name } = this.#names.pipeline(pipeline)
    const sinks = this.#options.standIns.sinks.filter((one) => one.pipeline === name)
    const found = step === undefined ? sinks : sinks.filter((one) => one.step === step)
    if (found.length !== 1) {
      const there = sinks.map((one) => one.step).join(', ') || 'none'
      throw fail('TEST_INVALID', `sunk: the steps of pipeline ${name} with a sink are: ${there}`)
    }
    return this.#options.standIns.caught(name, found[0]!.step).map(({ value }) => value)
  }

  /** What steps of a pipeline could not take, and was neither replayed nor dropped. */
  async deadLetters(pipeline: string | TestedPipeline): Promise<TestDeadLetter[]> {
    const { name } = this.#names.pipeline(pipeline)
    await this.#contents.ends(deadLetterTopic(name))
    const letters: TestDeadLetter[] = []
    for await (const letter of deadLetters(this.#options.world.log, name)) {
      const { id, step, error, message, value, tries } = letter
      letters.push({ id, step, error, message, value: readValue(value), tries })
    }
    return letters
  }

  /** How many messages came too late, to a step or to any of a pipeline's. */
  async late(pipeline: string | TestedPipeline, step?: string): Promise<number> {
    const { steps } = await this.ledger(pipeline)
    if (step !== undefined && steps[step] === undefined) {
      const hint =
        suggestion(step, Object.keys(steps)) || `there are ${Object.keys(steps).join(', ')}`
      throw fail('TEST_INVALID', `late: there is no step '${step}'; ${hint}`)
    }
    const counted = step === undefined ? Object.values(steps) : [steps[step]!]
    return counted.reduce((sum, { late = 0 }) => sum + late, 0)
  }

  /** What became of every message that a pipeline took in. */
  async ledger(pipeline: string | TestedPipeline): Promise<Ledger> {
    const definition = this.#names.pipeline(pipeline)
    return ledgerOf(await audit(this.#options.world.log, definition), definition)
  }

  /**
   * Runs until a commit comes to that step, and kills the process there, with all pipelines:
   * 'prepared': nothing of the commit is written; 'written': all of it, and nothing is decided;
   * 'committed': it is decided, and the process did not hear of it. Then `restart`.
   */
  async crash(step: CrashStep, options: CrashOptions = {}): Promise<void> {
    if (!crashSteps.includes(step)) {
      const hint = `there are ${crashSteps.join(', ')}`
      throw fail('TEST_INVALID', `crash: a commit has no step '${String(step)}'; ${hint}`)
    }
    const { pipeline, nth = 1 } = options
    const name = pipeline === undefined ? undefined : this.#names.pipeline(pipeline).name
    await this.#work.crash({ step, nth, pipeline: name })
  }

  /** Begins again, as a new process after a crash or a stop; it goes on with `run`. */
  async restart(): Promise<void> {
    await this.#work.restart()
  }

  /** To be called once, at the end. Throws an `AssertionError` where a ledger is not balanced. */
  async '~end'(): Promise<void> {
    await this.#work.restart()
    for (const { name } of this.#options.definitions) {
      const ledger = await this.ledger(name)
      if (ledger.imbalances.length === 0) continue
      const message = `the ledger of pipeline ${name} is not balanced:\n  ${ledger.imbalances.join('\n  ')}`
      const [actual, expected] = [ledger.imbalances, []]
      throw new AssertionError({ message, actual, expected, operator: 'deepStrictEqual' })
    }
  }

  async #find(given: string | Readable<unknown>): Promise<Found> {
    const topic = this.#names.any(given, 'outputs')
    const ledgers = new Map<string, Ledger>()
    const letters: string[] = []
    for (const { name } of this.#options.definitions) {
      ledgers.set(name, await this.ledger(name))
      for (const { id, step, error, message } of await this.deadLetters(name)) {
        letters.push(`  ${name}, step ${step}, id ${id}: ${error}: ${message}`)
      }
    }
    return { topic: topic.name, holds: await this.#contents.all(topic), ledgers, letters }
  }
}

const listOf = (values: unknown): readonly unknown[] =>
  Array.isArray(values) ? (values as unknown[]) : [values]

function readValue(value: Buffer | null): unknown {
  if (value === null) return null
  try {
    return JSON.parse(String(value)) as unknown
  } catch {
    return String(value)
  }
}
