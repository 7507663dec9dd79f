/**
 * Makes messages up, seeded and at a rate: for trying things out, for tests and for load. The i-th
 * message depends on the seed and on i alone, so replay is exact.
 */
import { z } from 'zod'
import { BatchBuilder } from '../core/batch-builder.ts'
import { fail, messageOf } from '../core/errors.ts'
import { usePart } from '../core/part.ts'
import { type Random, seededRandom } from '../core/random.ts'
import { IdHeader } from './id-header.ts'
import {
  defineSource,
  type SourceBatch,
  type SourceContext,
  type SourceReader,
  type SourceUse,
} from './source.ts'

type Maker = (index: number, random: Random) => unknown
type Teller<Told> = (value: unknown, index: number) => Told

const aFunction = <Signature>() =>
  z.custom<Signature>((value) => typeof value === 'function', 'it has to be a function')

const options = z.strictObject({
  name: z
    .string()
    .min(1)
    .describe('Ids of the messages are `generate:<name>:<index>`: choose one name a generator.'),
  value: aFunction<Maker>().describe(
    'Makes the value of the message with this index (0, 1, ...). It may use the random numbers that it is handed, and nothing else that changes.',
  ),
  count: z.int().min(0).optional().describe('How many messages there are. Default: no end.'),
  seed: z.int().default(1).describe('Another seed, other random numbers.'),
  ratePerSecond: z
    .number()
    .positive()
    .optional()
    .describe('Messages a second. Default: as fast as they are taken.'),
  id: aFunction<Teller<string>>()
    .optional()
    .describe('The id of a message, unique within `name`. Default: the index.'),
  key: aFunction<Teller<string | null>>()
    .optional()
    .describe('The key of a message. Default: none.'),
  time: aFunction<Teller<number>>()
    .optional()
    .describe(
      'The time of a message in milliseconds since the epoch. Default: the first start, and from there on one message every 1/ratePerSecond seconds (1 ms where no rate is set).',
    ),
})

type Settings = z.output<typeof options>

export const generatePart = defineSource({
  name: 'generate',
  summary: 'Makes messages up from a seed, at a rate: for examples, tests and load.',
  options,
  example: { name: 'dice', value: (_, random) => ({ eyes: 1 + Math.floor(random() * 6) }) },
  replay: 'exact',
  async open(settings, context) {
    if (context.untilEnd && settings.count === undefined) {
      throw fail(
        'OPTIONS_INVALID',
        `source generate '${settings.name}': it has no end to be caught up with; set count, or run without --until-caught-up`,
      )
    }
    return new GenerateReader(settings, context)
  },
})

export interface GenerateOptions<Value> {
  readonly name: string
  readonly value: (index: number, random: Random) => Value
  readonly count?: number
  readonly seed?: number
  readonly ratePerSecond?: number
  readonly id?: (value: Value, index: number) => string
  readonly key?: (value: Value, index: number) => string | null
  readonly time?: (value: Value, index: number) => number
}

/**
 * Messages made up by `value`, which is called with the index and with random numbers that depend on
 * seed and index. Throws `OPTIONS_INVALID`; when run, `GENERATOR_FAILED` where a function of yours throws
 * or gives what JSON, or an id, key or time, cannot be.
 */
export function generate<Value>(settings: GenerateOptions<Value>): SourceUse<Value> {
  const use = usePart(generatePart, settings as z.input<typeof options>)
  return { ...use, kind: 'source', replay: generatePart.replay }
}

interface GeneratePosition {
  readonly index: number
  readonly startedAt: number
}

const longestWaitMs = 100
/** What was missed while nobody read is made up for by a burst of at most this much. */
const longestBurstMs = 1000
const batchSizeBytes = 4 * 1024 * 1024

class GenerateReader implements SourceReader {
  readonly #settings: Settings
  readonly #context: SourceContext
  readonly #ids: IdHeader
  readonly #seed: number
  readonly #startedAt: number
  readonly #intervalMs: number
  #index: number
  /** Messages up to `#paceIndex` were due at `#paceFrom`. */
  #paceFrom: number
  #paceIndex: number
  #closed = false

  constructor(settings: Settings, context: SourceContext) {
    const position = context.position as GeneratePosition | null | undefined
    this.#settings = settings
    this.#context = context
    this.#ids = new IdHeader(`generate:${settings.name}:`)
    this.#seed = mix(settings.seed)
    this.#startedAt = position?.startedAt ?? context.clock.now()
    this.#intervalMs = 1000 / (settings.ratePerSecond ?? 1000)
    this.#index = position?.index ?? 0
    this.#paceFrom = context.clock.now()
    this.#paceIndex = this.#index
  }

  async read(maxMessages: number): Promise<SourceBatch | undefined> {
    const left = (this.#settings.count ?? Number.POSITIVE_INFINITY) - this.#index
    if (left <= 0 || this.#closed) return undefined
    const builder = new BatchBuilder('', 0)
    const wanted = Math.min(maxMessages, left, await this.#due())
    for (let made = 0; made < wanted && builder.sizeBytes < batchSizeBytes; made++) {
      this.#append(builder, this.#index)
      this.#index++
    }
    const position: GeneratePosition = { index: this.#index, startedAt: this.#startedAt }
    return { batch: builder.build(), unreadable: [], position }
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  /** How many messages are due now; waits a little when there is none. */
  async #due(): Promise<number> {
    const { clock, signal, ratePerSecond } = this.#context
    const rate = ratePerSecond ?? this.#settings.ratePerSecond ?? Number.POSITIVE_INFINITY
    if (signal.aborted) return 0
    if (rate === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
    const dueNow = () => {
      const elapsed = clock.now() - this.#paceFrom
      return this.#paceIndex + 1 + Math.floor((elapsed * rate) / 1000) - this.#index
    }
    const behind = dueNow()
    if (behind > 0) {
      const burst = Math.max(1, Math.ceil((longestBurstMs * rate) / 1000))
      if (behind <= burst) return behind
      this.#paceFrom = clock.now() - longestBurstMs
      this.#paceIndex = this.#index
      return burst
    }
    const dueAt = this.#paceFrom + ((this.#index - this.#paceIndex) * 1000) / rate
    const waitMs = Math.min(longestWaitMs, Math.max(1, Math.ceil(dueAt - clock.now())))
    await clock.sleep(waitMs, signal)
    return signal.aborted ? 0 : Math.max(0, dueNow())
  }

  #append(builder: BatchBuilder, index: number): void {
    const { value: make, id, key, time } = this.#settings
    const random = seededRandom(seedOf(this.#seed, index))
    const value = this.#ask('value', index, () => make(index, random))
    const json = this.#ask('value', index, () => JSON.stringify(value))
    if (json === undefined)
      throw this.#failure('value', index, `gave ${typeof value}, which JSON does not know`)
    const timeMs =
      time === undefined
        ? this.#startedAt + index * this.#intervalMs
        : this.#ask('time', index, () => time(value, index))
    if (!Number.isFinite(timeMs))
      throw this.#failure('time', index, `gave ${String(timeMs)}, not a finite number`)
    const ownKey = key === undefined ? null : this.#ask('key', index, () => key(value, index))
    if (ownKey !== null && typeof ownKey !== 'string')
      throw this.#failure('key', index, `gave ${typeof ownKey}, not a string or null`)
    const ownId = id === undefined ? undefined : this.#ask('id', index, () => id(value, index))
    if (id !== undefined && typeof ownId !== 'string')
      throw this.#failure('id', index, `gave ${typeof ownId}, not a string`)
    const headers = ownId === undefined ? this.#ids.ofNumber(index) : this.#ids.ofText(ownId)
    builder.append(ownKey, json, timeMs, headers)
  }

  /** What a function of the user's gives; what it throws names the function and the message. */
  #ask<Told>(name: string, index: number, ask: () => Told): Told {
    try {
      return ask()
    } catch (error) {
      throw this.#failure(name, index, messageOf(error), error)
    }
  }

  #failure(name: string, index: number, saw: string, cause?: unknown): Error {
    const where = `source generate '${this.#settings.name}': '${name}' of message ${index}`
    return fail('GENERATOR_FAILED', `${where}: ${saw}`, { cause })
  }
}

/** The 32-bit finaliser of MurmurHash3 (Austin Appleby, public domain). */
function mix(number: number): number {
  let hash = number | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** 52 bits from seed and index: no two indexes below 2^32 share a seed. */
function seedOf(seed: number, index: number): number {
  const low = mix(index ^ seed)
  const high = mix(seed + Math.floor(index / 0x1_0000_0000) + 0x9e3779b9) & 0xf_ffff
  return high * 0x1_0000_0000 + low
}
