/**
 * `POST /topics/NAME`: a door into the log for whoever speaks HTTP. What is answered 2xx is durable;
 * what is not was not appended, unless the answer itself was lost: then an `Idempotency-Key` makes it
 * safe to ask again (draft-ietf-httpapi-idempotency-key-header).
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Context, Hono } from 'hono'
import { type Clock, systemClock } from '../core/clock.ts'
import { codeOf, messageOf, orderOf, suggestion } from '../core/errors.ts'
import type { Codec } from '../formats/format.ts'
import type { Log, TopicInfo } from '../log/log.ts'
import type { Codecs } from '../pipeline/codecs.ts'
import { isInternalName } from '../pipeline/internal-names.ts'
import { type Body, BodyReader } from './door-body.ts'
import { type Claim, nameOf } from './door-book.ts'
import { GroupCommit, type Places } from './door-commit.ts'
import { type Form, formOf, messagesIn, type Sent } from './door-format.ts'
import { type DoorLimits, Load, limitsOf, RateLimit } from './door-limits.ts'
import { type Asked, type DoorTopic, type Ready, readyMessages } from './door-messages.ts'
import { Refused, refusalOf, responseOf, retryAfter } from './door-refusal.ts'
import { TurnKeeper } from './door-turn.ts'

export type { DoorLimits } from './door-limits.ts'
export type { DoorTopic } from './door-messages.ts'

export interface DoorOptions {
  readonly log: Log
  /** What the application declares of its topics; undefined (no application): nothing is known. */
  readonly topics?: readonly DoorTopic[] | undefined
  /** Of topics with a format; without them such a topic takes nothing. */
  readonly codecs?: Codecs | undefined
  readonly clock?: Clock
  readonly limits?: Partial<DoorLimits>
  /** Of a body, unpacked. Default 8 MiB. */
  readonly maxBodyBytes?: number
  /** Aborted before the log is closed: no request with an Idempotency-Key is taken from then on. */
  readonly signal?: AbortSignal | undefined
}

/** What is answered to messages that were taken, in the order they were sent. */
export interface Accepted {
  readonly accepted: number
  readonly offsets: readonly { readonly partition: number; readonly offset: number }[]
  readonly ids: readonly string[]
}

/**
 * A router to be mounted at `/topics`. Bodies: `application/json` (one value),
 * `application/vnd.millrace.batch+json` (`{"messages":[{"value":...,"key"?,"time"?,"headers"?,"id"?}]}`),
 * `application/x-ndjson` (a value a line), gzip or not; all of a request is taken or nothing. A null is
 * a delete and needs a key. Throws `OPTIONS_INVALID`.
 */
export function door(options: DoorOptions): Hono {
  const entrance = new Entrance(options)
  const app = new Hono()
  app.post('/:name', (context) => entrance.answer(context))
  app.all('/:name', () => {
    const headers = { Allow: 'POST' }
    return responseOf(new Refused(405, 'METHOD', 'only POST is answered here', { headers }))
  })
  return app
}

/** What a request says beside its body. */
interface Order {
  readonly info: TopicInfo
  readonly form: Form
  readonly asked: Asked
  /** Of the header `Idempotency-Key`. */
  readonly key: string | undefined
}

class Entrance {
  readonly #log: Log
  readonly #clock: Clock
  readonly #topics: ReadonlyMap<string, DoorTopic>
  readonly #codecs: Codecs | undefined
  readonly #limits: DoorLimits
  readonly #load: Load
  readonly #rate: RateLimit
  readonly #bodies: BodyReader
  readonly #turn: TurnKeeper
  /** Requests with a key and those without are committed apart: only the former can be fenced. */
  readonly #plain: GroupCommit
  readonly #keyed: GroupCommit
  readonly #underWay = new Set<string>()

  constructor(options: DoorOptions) {
    const { log, clock = systemClock, maxBodyBytes = 8 * 1024 * 1024, signal } = options
    const limits = limitsOf(options.limits)
    this.#log = log
    this.#clock = clock
    this.#limits = limits
    this.#codecs = options.codecs
    this.#topics = new Map(options.topics?.map((topic) => [topic.name, topic]))
    this.#load = new Load(limits)
    this.#rate = new RateLimit(limits, clock)
    this.#bodies = new BodyReader({ maxBodyBytes, limits, load: this.#load })
    this.#turn = new TurnKeeper({ log, clock, limits, signal })
    this.#plain = new GroupCommit(log)
    this.#keyed = new GroupCommit(log)
  }

  /** Whatever is wrong with the request is an answer; a bug is thrown. */
  async answer(context: Context): Promise<Response> {
    try {
      const incoming = incomingOf(context)
      this.#rate.take(incoming?.socket.remoteAddress)
      const order = await this.#order(context)
      const body = await this.#bodies.read(context.req.raw, incoming)
      try {
        return await this.#take(order, body, context.req.header('prefer'))
      } finally {
        body.giveBack()
      }
    } catch (error) {
      const refused = refusalOf(error)
      if (refused === undefined) throw error
      return responseOf(refused)
    }
  }

  async #order({ req }: Context): Promise<Order> {
    const info = await this.#topic(req.param('name') ?? '')
    const form = formOf(req.header('content-type') ?? null)
    const id = req.query('id')
    if (id !== undefined && form !== 'value') {
      throw new Refused(400, 'QUERY', '?id= names one value; in a batch each message has its own')
    }
    const asked = { key: req.query('key'), id, now: this.#clock.now() }
    return { info, form, asked, key: keyIn(req.header('idempotency-key')) }
  }

  /** Throws refusals: 403, 404. */
  async #topic(name: string): Promise<TopicInfo> {
    if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name)) {
      const words = "no topic can have that name: letters, digits, '.', '_' and '-', at most 249"
      throw new Refused(404, 'TOPIC_UNKNOWN', words)
    }
    // Written from outside they would mean something else.
    if (isInternalName(name)) {
      throw new Refused(403, 'TOPIC_INTERNAL', `topic ${name}: is written by Millrace alone`)
    }
    const info = await this.#log.topic(name)
    if (info !== undefined) return info
    const names = (await this.#log.topics()).map((topic) => topic.name)
    const known = names.filter((one) => !isInternalName(one))
    const hint = suggestion(name, known) || `there are: ${known.slice(0, 20).join(', ') || 'none'}`
    throw new Refused(404, 'TOPIC_UNKNOWN', `topic ${name}: there is none; ${hint}`)
  }

  async #take(order: Order, body: Body, prefer: string | undefined): Promise<Response> {
    this.#load.takeRequest()
    try {
      const sent = messagesIn(order.form, body.bytes, this.#limits)
      const { answer, isReplay } =
        order.key === undefined
          ? { answer: await this.#append(order, sent), isReplay: false }
          : await this.#once(order, order.key, body.bytes, sent)
      return accepted(answer, isReplay, prefer)
    } finally {
      this.#load.giveRequest()
    }
  }

  async #append(order: Order, sent: readonly Sent[], claim?: Claim): Promise<string> {
    const { info, asked } = order
    const declared = this.#topics.get(info.name)
    const codec = await this.#codecOf(declared)
    const messages = await readyMessages(sent, declared, info, asked, codec)
    const committer = claim === undefined ? this.#plain : this.#keyed
    const answer = (places: Places) => answerText(info, messages, places)
    return committer.append({ topic: info, messages, answer, claim })
  }

  /** Throws a refusal where what is sent cannot be stored in the topic's format: 503. */
  async #codecOf(declared: DoorTopic | undefined): Promise<Codec | undefined> {
    const { name, format } = declared ?? {}
    if (name === undefined || format === undefined) return undefined
    try {
      await this.#codecs?.open([{ topic: { name, format }, writes: true }])
    } catch (error) {
      const code = codeOf(error)
      if (code === undefined || orderOf(error) === 'try-later') throw error
      throw new Refused(503, code, messageOf(error))
    }
    const codec = this.#codecs?.of(name)
    if (codec !== undefined) return codec
    throw new Refused(503, 'CONFIG_INVALID', `topic ${name}: its format is not known here`)
  }

  /** The first answer to this key, now or then. Throws refusals: 409, 422. */
  async #once(order: Order, key: string, body: Buffer, sent: readonly Sent[]) {
    const name = nameOf(order.info.identity, key)
    if (this.#underWay.has(name)) {
      const words = 'a request with this Idempotency-Key is under way; ask again for its answer'
      throw new Refused(409, 'IDEMPOTENCY_KEY_BUSY', words, { headers: retryAfter(1000) })
    }
    this.#underWay.add(name)
    try {
      const print = printOf(order, body)
      return await this.#turn.run(async (page) => {
        const found = await page.find(name)
        if (found === undefined || found.isDue) {
          const claim = { page, name, print, replaces: found?.entry.number }
          return { answer: await this.#append(order, sent, claim), isReplay: false }
        }
        if (found.entry.print === print) return { answer: found.entry.answer, isReplay: true }
        const words = 'this Idempotency-Key was used for another request; take a new key'
        throw new Refused(422, 'IDEMPOTENCY_KEY_REUSED', words)
      })
    } finally {
      this.#underWay.delete(name)
    }
  }
}

/** Node's own request, where the router runs behind Node's server. */
function incomingOf({ env }: Context): IncomingMessage | undefined {
  return (env as { incoming?: IncomingMessage } | undefined)?.incoming
}

/** The header is a string of structured fields (RFC 9651), in quotes; without them is as good. */
function keyIn(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const key = /^"(.*)"$/.exec(header)?.[1]?.replace(/\\(["\\])/g, '$1') ?? header
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key
  const words = 'Idempotency-Key: 1 to 255 printable characters of ASCII'
  throw new Refused(400, 'IDEMPOTENCY_KEY_INVALID', words)
}

/** What makes two requests the same one, however they were packed. */
function printOf({ form, asked }: Order, body: Buffer): string {
  const said = JSON.stringify([form, asked.key ?? null, asked.id ?? null])
  return createHash('sha256').update(said).update(body).digest('base64')
}

/** The text of an `Accepted`: what has no id of its own has that of its place. */
function answerText(info: TopicInfo, messages: readonly Ready[], places: Places): string {
  const { partitions, offsets } = places
  const answer: Accepted = {
    accepted: messages.length,
    offsets: messages.map((_, index) => {
      return { partition: partitions[index]!, offset: offsets[index]! }
    }),
    ids: messages.map(
      ({ id }, index) => id ?? `${info.identity}/${partitions[index]}/${offsets[index]}`,
    ),
  }
  return JSON.stringify(answer)
}

function accepted(answer: string, isReplay: boolean, prefer: string | undefined): Response {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' }
  if (isReplay) headers['Idempotency-Replayed'] = 'true'
  let body = answer
  if (/(^|[\s,;])return=minimal\b/.test(prefer ?? '')) {
    // RFC 7240: who sends thousands may not want a line for each.
    headers['Preference-Applied'] = 'return=minimal'
    body = `${answer.slice(0, answer.indexOf(','))}}`
  }
  return new Response(body, { status: 200, headers })
}
