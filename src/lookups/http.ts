/** Asks a service over HTTP, whose answers are JSON: a request a key, or one for several where it takes them. */
import { z } from 'zod'
import { fail, messageOf, orderOf, type Refusal } from '../core/errors.ts'
import type { Schema, Types } from '../core/schema.ts'
import { addressOf, fieldText, whyNoAddress } from './http-address.ts'
import { type HttpAnswer, HttpClient, type HttpQuestion } from './http-request.ts'
import {
  type Asking,
  defineLookup,
  type HttpConnection,
  type Lookup,
  type LookupKey,
  type LookupUse,
  useLookup,
} from './lookup.ts'
import { schemaOption } from './schema-option.ts'
import { Turns } from './turns.ts'

type Body = (keys: readonly LookupKey[]) => unknown
type Read = (answer: unknown, key: LookupKey) => unknown

const aFunction = <Signature>() =>
  z.custom<Signature>((value) => typeof value === 'function', 'it has to be a function')

const options = z
  .strictObject({
    url: z
      .string()
      .describe(
        "Where to ask: `{key}` stands for the key, `{keys}` for several with commas, `{0}`, `{1}` for the fields of a key that is a list. With `connection` it begins with '/'.",
      ),
    connection: z
      .string()
      .min(1)
      .optional()
      .describe(
        "The name of a connection of the environment (`http()` of millrace/config), which has the service's address, its secrets and whom to trust.",
      ),
    headers: z
      .record(z.string(), z.string())
      .default({})
      .describe('Sent with each request. Not for secrets: those belong into the connection.'),
    maxKeys: z
      .int()
      .min(1)
      .max(1000)
      .default(1)
      .describe('So many keys at most go into one request, for services that take several.'),
    body: aFunction<Body>()
      .optional()
      .describe('Makes it a POST: what is sent for these keys, as JSON.'),
    read: aFunction<Read>()
      .optional()
      .describe(
        'What an answer says of a key; null or undefined: nothing. Default: the whole answer, where a request has one key; else its field of that name.',
      ),
    statuses: z
      .record(z.string().regex(/^[1-5]\d\d$/), z.enum(['nothing', 'refused', 'later']))
      .default({})
      .describe(
        "What a status means where it is not the usual: `{ 500: 'refused' }`. Usually 204, 404 and 410 mean that there is nothing, 408, 425, 429 and 5xx that it is to be asked later, 401 and 407 that nobody is let in, and others but 2xx that the key is refused.",
      ),
    maxInFlight: z
      .int()
      .min(1)
      .max(1000)
      .default(8)
      .describe('So many requests at a time, in each worker of each process.'),
    ratePerSecond: z
      .number()
      .positive()
      .optional()
      .describe('So many requests a second at most, in each worker of each process. Default: all.'),
    timeoutMs: z
      .int()
      .min(1)
      .default(10_000)
      .describe('A request that takes longer is given up, and made again later.'),
    maxAnswerBytes: z
      .int()
      .min(1)
      .default(1024 * 1024)
      .describe('A longer answer is not read, and its keys are refused.'),
    schema: schemaOption,
  })
  .superRefine((given, context) => {
    const why = whyNoAddress(given.url, given)
    if (why !== undefined)
      context.issues.push({ code: 'custom', message: why, input: given.url, path: ['url'] })
  })

type Settings = z.output<typeof options>

/** One call of `find` takes so many requests at least: then the calls cost nothing beside them. */
const leastKeys = 100

export const httpPart = defineLookup({
  name: 'http',
  summary: 'Asks a service over HTTP whose answers are JSON, a request a key or one for several.',
  options,
  example: { url: 'https://rates.example.com/rates/{key}', ratePerSecond: 50 },
  maxKeys: ({ maxKeys, maxInFlight }) => Math.max(leastKeys, maxKeys * maxInFlight),
  place: placeOf,
  connects: ({ connection: name }) => (name === undefined ? undefined : { kind: 'http', name }),
  async open(settings, context) {
    const { connection: name } = settings
    const connection = name === undefined ? undefined : await context.connection('http', name)
    return new HttpLookup(settings, connection, new Turns(settings, context.clock))
  },
})

/** Without what stands behind '?': a key of a service may be written there. */
function placeOf({ url, connection }: Settings): string {
  const [address = ''] = url.split('?')
  return connection === undefined ? `http ${address}` : `http ${connection}: ${address}`
}

export type HttpOptions = z.input<typeof options>

/**
 * Looks up over HTTP, with GET, or POST where `body` is given. An answer is JSON. A status that is not the usual is
 * told by `statuses`; redirections are not followed. Throws `OPTIONS_INVALID`; when run, `LOOKUP_AWAY` (it is asked
 * again), `LOOKUP_UNUSABLE`, and refuses keys whose answers are no JSON or too long.
 */
export function http<S extends Schema>(
  settings: HttpOptions & { readonly schema: S },
): LookupUse<LookupKey, Types<S>['output']>
export function http<Value = unknown>(settings: HttpOptions): LookupUse<LookupKey, Value>
export function http(settings: HttpOptions): LookupUse<LookupKey, unknown> {
  return useLookup(httpPart, settings)
}

/** Keys of one request, with their places in the call. */
interface Group {
  readonly keys: readonly LookupKey[]
  readonly places: readonly number[]
}

/** Why the keys of a request are refused; where there are several, it may be the fault of one. */
class RefusedGroup extends Error {}

const retryMs = 500
const longestWaitMs = 60_000

class HttpLookup implements Lookup {
  readonly #settings: Settings
  readonly #where: string
  readonly #connection: HttpConnection | undefined
  readonly #turns: Turns
  readonly #client: HttpClient
  readonly #closing = new AbortController()

  constructor(settings: Settings, connection: HttpConnection | undefined, turns: Turns) {
    this.#settings = settings
    this.#where = placeOf(settings)
    this.#connection = connection
    this.#turns = turns
    this.#client = new HttpClient(this.#where, connection?.tls, settings)
  }

  async find(keys: readonly LookupKey[], { answer, signal }: Asking): Promise<void> {
    const { maxKeys, maxInFlight } = this.#settings
    const signals = AbortSignal.any([signal, this.#closing.signal])
    const groups = groupsOf(keys, maxKeys)
    const refused: Refusal[] = []
    let failure: { readonly error: unknown } | undefined
    const work = async () => {
      for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
        const { places } = group
        try {
          const values = await this.#turns.take(signals, () => this.#ask(group!.keys, signals))
          values.forEach((value, index) => {
            answer(places[index]!, value)
          })
        } catch (error) {
          if (!(error instanceof RefusedGroup)) failure ??= { error }
          else if (places.length > 1) groups.push(...halves(group))
          else refused.push({ index: places[0]!, reason: error.message })
        }
        // What others of this call have under way is still taken; nothing more is asked.
        if (failure !== undefined) return
      }
    }
    await Promise.all(Array.from({ length: Math.min(maxInFlight, groups.length) }, work))
    if (failure !== undefined) throw (failure as { readonly error: unknown }).error
    if (refused.length === 0) return
    const words = `${this.#where}: ${refused.length} keys are refused: ${refused[0]!.reason}`
    throw fail('LOOKUP_REFUSED', words, { refused })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#client.close()
  }

  /** Values in the order of the keys. Throws `RefusedGroup`. */
  async #ask(keys: readonly LookupKey[], signal: AbortSignal): Promise<readonly unknown[]> {
    const answer = await this.#client.send(await this.#question(keys), signal)
    const { status, text } = answer
    const meaning = this.#settings.statuses[status] ?? usualMeaning(status)
    if (meaning === 'nothing') return keys.map(() => undefined)
    if (meaning === 'later') {
      const words = `${this.#where}: it answered ${status}${said(text)}`
      throw fail('LOOKUP_AWAY', words, { waitMs: waitOf(answer) })
    }
    if (meaning === 'barred') {
      const words = `${this.#where}: it answered ${status}${said(text)}`
      throw fail('LOOKUP_UNUSABLE', `${words}; name a connection with the right token or password`)
    }
    if (meaning === 'refused') throw new RefusedGroup(`it answered ${status}${said(text)}`)
    if (text === undefined) {
      const { maxAnswerBytes } = this.#settings
      throw new RefusedGroup(`its answer is longer than ${maxAnswerBytes} bytes (maxAnswerBytes)`)
    }
    return this.#values(text, keys)
  }

  async #question(keys: readonly LookupKey[]): Promise<HttpQuestion> {
    const { url, headers, body: make } = this.#settings
    const { url: base = '' } = this.#connection ?? {}
    const address = orRefused('url', () => addressOf(url, keys))
    const body = make && orRefused('body', () => JSON.stringify(make(keys)) as string | undefined)
    const own = await this.#connection?.headers()
    return { url: `${base}${address}`, headers: { ...headers, ...own }, body }
  }

  #values(text: string, keys: readonly LookupKey[]): readonly unknown[] {
    let answer: unknown
    try {
      answer = JSON.parse(text)
    } catch {
      throw new RefusedGroup(`its answer is no JSON (${text.length} characters)`)
    }
    const { maxKeys } = this.#settings
    const read = this.#settings.read ?? (maxKeys === 1 ? whole : fieldOfAnswer)
    return orRefused('read', () => keys.map((key) => read(answer, key)))
  }
}

const whole: Read = (answer) => answer

const fieldOfAnswer: Read = (answer, key) => {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    throw new TypeError(
      'the answer is no object with a field for each key; tell by read what it is',
    )
  }
  const field = fieldText(key)
  return Object.hasOwn(answer, field) ? (answer as Record<string, unknown>)[field] : undefined
}

/** What a function of the user's throws is about these keys. */
function orRefused<Result>(option: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    if (orderOf(error) !== undefined) throw error
    throw new RefusedGroup(`${option}: ${messageOf(error)}`, { cause: error })
  }
}

type Meaning = 'answer' | 'nothing' | 'refused' | 'later' | 'barred'

function usualMeaning(status: number): Meaning {
  if (status === 204 || status === 404 || status === 410) return 'nothing'
  if (status === 401 || status === 407) return 'barred'
  if (status >= 500 || status === 408 || status === 425 || status === 429) return 'later'
  return status >= 200 && status < 300 ? 'answer' : 'refused'
}

function groupsOf(keys: readonly LookupKey[], size: number): Group[] {
  const groups: Group[] = []
  for (let from = 0; from < keys.length; from += size) {
    const some = keys.slice(from, from + size)
    groups.push({ keys: some, places: some.map((_, index) => from + index) })
  }
  return groups
}

function halves({ keys, places }: Group): Group[] {
  const middle = keys.length >> 1
  return [
    { keys: keys.slice(0, middle), places: places.slice(0, middle) },
    { keys: keys.slice(middle), places: places.slice(middle) },
  ]
}

/** What the service says of a failure, where it says it as services do. */
function said(text: string | undefined): string {
  try {
    const { message, error } = JSON.parse(text ?? '') as Record<string, unknown>
    const words = [message, error].find((one) => typeof one === 'string')
    return words === undefined ? '' : ` (${String(words).slice(0, 200)})`
  } catch {
    return ''
  }
}

/** Seconds, at most a minute; a date is not waited for. */
function waitOf({ retryAfter }: HttpAnswer): number {
  const seconds = Number(retryAfter)
  return seconds > 0 ? Math.min(seconds * 1000, longestWaitMs) : retryMs
}
