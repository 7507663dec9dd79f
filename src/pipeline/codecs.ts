/**
 * The codecs of topics with a format, opened before anything reads or writes them: then it is known that
 * there is a registry, and that declared schemas go with what it has.
 */
import type { Environment } from '../config/environment.ts'
import type { Batch } from '../core/batch.ts'
import { fail } from '../core/errors.ts'
import type { Codec } from '../formats/format.ts'
import type { RegistryConnection } from '../formats/registry.ts'
import type { AnyTopic, Definition } from './definition.ts'
import { topicInputs, topicOutputs } from './inputs.ts'

/** What an environment says about schemas. */
export interface FormatSetting {
  /** Of the environment, for errors. */
  readonly name: string
  /** Begins the topics' names in the log, as it does those of their subjects; empty: none. */
  readonly prefix: string
  /** Undefined: the environment names no registry. */
  connection(): Promise<RegistryConnection | undefined>
}

export function formatSetting(environment: Environment): FormatSetting {
  const { name, prefix, schemaRegistry, directory } = environment
  return { name, prefix, connection: async () => schemaRegistry?.connection({ directory }) }
}

/** What of a topic's declaration matters here. */
export type FormattedTopic = Pick<AnyTopic, 'name' | 'format'>

export interface FormatUse {
  readonly topic: FormattedTopic
  readonly writes: boolean
}

/** The topics with a format that pipelines read and write. Throws `TOPIC_DIFFERS`. */
export function formatUses(
  definitions: readonly Definition[],
  others: readonly AnyTopic[] = [],
): readonly FormatUse[] {
  const read = definitions.flatMap((one) => topicInputs(one).map(({ topic }) => topic))
  const written = definitions.flatMap(topicOutputs)
  const uses = new Map<string, FormatUse>()
  const add = (topic: AnyTopic, writes: boolean) => {
    const known = uses.get(topic.name)
    if (known !== undefined) checkSame(known.topic, topic)
    uses.set(topic.name, known?.writes ? known : { topic, writes })
  }
  for (const topic of written) add(topic, true)
  for (const topic of [...read, ...others]) add(topic, false)
  return [...uses.values()].filter(({ topic }) => topic.format !== undefined)
}

function checkSame(one: FormattedTopic, other: FormattedTopic): void {
  if (formatText(one) === formatText(other)) return
  const [first, second] = [one, other].map(({ format }) => format?.part ?? 'no format')
  const both = first === second ? `${first} with other options` : `${first} and ${second}`
  const what = `topic ${one.name} is declared twice, with ${both}`
  throw fail('TOPIC_DIFFERS', `${what}; declare it once and share it`)
}

const formatText = ({ format }: FormattedTopic) =>
  format === undefined ? '' : JSON.stringify([format.part, format.options])

interface Opened {
  readonly topic: FormattedTopic
  readonly codec: Codec
  readonly writes: boolean
}

export class Codecs {
  readonly #setting: FormatSetting | undefined
  readonly #codecs = new Map<string, Opened>()
  /** All that were opened: one for reading may have been followed by one for writing too. */
  readonly #opened: Codec[] = []
  #last: Promise<void> = Promise.resolve()

  constructor(setting: FormatSetting | undefined) {
    this.#setting = setting
  }

  /** Of a topic without a format, undefined: its values are JSON. */
  of(topic: string): Codec | undefined {
    return this.#codecs.get(topic)?.codec
  }

  /**
   * Opens those that are not open. Throws `TOPIC_DIFFERS`, `CONFIG_INVALID` where the environment names no registry,
   * what a format throws, and with the order `try-later` while the registry is away.
   */
  open(uses: readonly FormatUse[], signal?: AbortSignal): Promise<void> {
    // One after the other: pipelines of a thread share a topic, and one of them may write it.
    const work = this.#last.then(() => this.#open(uses, signal))
    this.#last = work.catch(() => undefined)
    return work
  }

  async #open(uses: readonly FormatUse[], signal?: AbortSignal): Promise<void> {
    const missing = uses.filter(({ topic, writes }) => {
      const known = this.#codecs.get(topic.name)
      if (known !== undefined) checkSame(known.topic, topic)
      return known === undefined || (writes && !known.writes)
    })
    if (missing.length === 0) return
    const connection = await this.#setting?.connection()
    if (connection === undefined) throw this.#noRegistry(missing[0]!.topic)
    // Loaded when it is used: most applications have no formats.
    const { SchemaRegistry } = await import('../formats/registry.ts')
    const registry = new SchemaRegistry(connection, signal === undefined ? {} : { signal })
    const prefix = this.#setting?.prefix ?? ''
    for (const { topic, writes } of missing) {
      const name = prefix === '' ? topic.name : `${prefix}.${topic.name}`
      const codec = await topic.format!.open({ registry, topic: name, writes })
      this.#opened.push(codec)
      this.#codecs.set(topic.name, { topic, codec, writes })
    }
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    for (const codec of this.#opened.splice(0)) await codec.close()
    this.#codecs.clear()
  }

  #noRegistry({ name, format }: FormattedTopic): Error {
    const environment =
      this.#setting === undefined ? 'this run' : `environment ${this.#setting.name}`
    const what = `topic ${name} has the format ${format!.part}, and ${environment} names no registry`
    const fix =
      'set SCHEMA_REGISTRY_URL, or add schemaRegistry: schemaRegistry({ url }) beside its log'
    return fail('CONFIG_INVALID', `${what}; ${fix}`)
  }
}

/** Who waits and tries again. */
export type Retry = (what: string, work: () => Promise<void>) => Promise<void>

/** Makes a batch ready to be decoded; undefined where it is, so that the usual case has no promise. */
export function prepared(
  codec: Codec | undefined,
  batch: Batch,
  retry: Retry,
): Promise<void> | undefined {
  let loading = codec?.prepare(batch)
  if (codec === undefined || loading === undefined) return undefined
  return retry(`schemas of ${batch.topic}`, async () => {
    const work = loading ?? codec.prepare(batch)
    loading = undefined
    await work
  })
}
