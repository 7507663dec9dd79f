/**
 * Reads Bluesky's Jetstream: connects, goes back a little after every break, gives each change once,
 * and holds no more than a bounded queue. A WebSocket cannot be told to wait: where the queue is
 * full, the connection is dropped, and taken up again from its cursor once there is room.
 */
import { BatchBuilder } from '../core/batch-builder.ts'
import { fail } from '../core/errors.ts'
import { type Entry, type EventFilter, letter, readFrame } from './bluesky-event.ts'
import { type BlueskyPosition, Given, markOf, rewindUs, Seen } from './bluesky-recent.ts'
import { JetstreamSocket } from './bluesky-socket.ts'
import { IdHeader } from './id-header.ts'
import type { SourceBatch, SourceContext, SourceReader, Unreadable } from './source.ts'

export interface BlueskySettings {
  readonly urls: readonly string[]
  readonly filter: EventFilter
  /** Where to begin when nothing was read yet, in microseconds since the epoch; undefined: now. */
  readonly cursorUs: number | undefined
  readonly silenceMs: number
  readonly retryWaitMs: number
  readonly maxTries: number
  readonly maxQueued: number
}

const longestWaitMs = 100
const longestRetryMs = 30_000
/** How long it tries to come back to what it was connected to before. */
const giveUpAfterMs = 15 * 60_000
const maxQueuedChars = 32 * 1024 * 1024
/** With `untilEnd`: this long without an event, connected, means that nothing more is there. */
const quietMs = 2000
/** A cursor before which this much is missing was too old: no feed is silent for so long. */
const longestGapUs = 10 * 60 * 1_000_000

export class BlueskyReader implements SourceReader {
  readonly #settings: BlueskySettings
  readonly #context: SourceContext
  readonly #start: BlueskyPosition | undefined
  readonly #given: Given
  readonly #seen = new Seen()
  readonly #ids = new IdHeader('bluesky:')
  /** With `untilEnd`: events behind this are not there yet. */
  readonly #endUs: number
  #queue: { readonly entry: Entry; readonly host: string }[] = []
  #queuedChars = 0
  #socket: JetstreamSocket | undefined
  /** Which of the addresses is connected, or is tried next. */
  #host: number
  #isOpen = false
  #isOverfull = false
  #isAtEnd = false
  #isClosed = false
  #newestUs = 0
  #lastFrameMs = 0
  /** Connections in a row that brought nothing new. */
  #tries = 0
  #wasReached = false
  /** The last connection ended by silence: that may be nobody's fault. */
  #wasSilent = false
  #awaySinceMs = 0
  #retryAtMs = 0
  #lastReason = ''
  #wake: () => void = () => {}

  constructor(settings: BlueskySettings, context: SourceContext) {
    this.#settings = settings
    this.#context = context
    const saved = (context.position ?? undefined) as BlueskyPosition | undefined
    this.#given = new Given(saved)
    // Before the first event there is no place to go on from.
    this.#start = saved?.timeUs === 0 ? undefined : saved
    const known = settings.urls.findIndex((url) => markOf(url) === this.#start?.host)
    this.#host = Math.max(0, known)
    this.#endUs = context.untilEnd ? context.clock.now() * 1000 : Number.POSITIVE_INFINITY
  }

  async read(maxMessages: number): Promise<SourceBatch | undefined> {
    if (this.#queue.length === 0 && !this.#isStopped()) await this.#wait()
    if (this.#queue.length === 0 && (this.#isAtEnd || this.#isClosed)) return undefined
    return this.#take(maxMessages)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#queue = []
    this.#drop()
    this.#wake()
  }

  #isStopped(): boolean {
    return this.#isClosed || this.#isAtEnd || this.#context.signal.aborted
  }

  /** Until something came, at most 100 ms. Connects where it is time to. */
  async #wait(): Promise<void> {
    const { clock, signal } = this.#context
    this.#watch()
    if (this.#isAtEnd) return
    this.#connect()
    const stop = new AbortController()
    const came = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    const retryInMs = this.#socket === undefined ? this.#retryAtMs - clock.now() : longestWaitMs
    const waitMs = Math.min(longestWaitMs, Math.max(1, retryInMs))
    await Promise.race([came, clock.sleep(waitMs, AbortSignal.any([signal, stop.signal]))])
    stop.abort()
    this.#wake = () => {}
    if (this.#queue.length === 0 && this.#socket === undefined && !this.#isStopped())
      this.#tellAway()
  }

  /** Finds a connection that has gone silent, which says nothing by itself. */
  #watch(): void {
    if (this.#socket === undefined) return
    const silentMs = this.#context.clock.now() - this.#lastFrameMs
    if (this.#context.untilEnd && this.#isOpen && silentMs > quietMs) this.#finish()
    else if (silentMs > this.#settings.silenceMs) {
      this.#lose(`it said nothing for ${Math.round(silentMs / 1000)} s`)
      this.#wasSilent = true
    }
  }

  #connect(): void {
    const { clock } = this.#context
    if (this.#socket !== undefined || clock.now() < this.#retryAtMs) return
    const host = this.#settings.urls[this.#host]!
    const url = new URL(host)
    for (const collection of this.#settings.filter.collections) {
      url.searchParams.append('wantedCollections', collection)
    }
    const cursorUs = this.#cursorFor(host)
    if (cursorUs !== undefined) url.searchParams.set('cursor', String(cursorUs))
    this.#isOverfull = false
    this.#isOpen = false
    this.#lastFrameMs = clock.now()
    let isFirst = true
    this.#socket = new JetstreamSocket(url, {
      opened: () => {
        this.#isOpen = true
        this.#wasReached = true
        this.#lastFrameMs = clock.now()
      },
      came: (data) => {
        this.#came(data, host, isFirst ? cursorUs : undefined)
        isFirst = false
      },
      ended: (why) => this.#lose(why),
    })
  }

  /** Where a connection to this address begins; undefined: with what comes from now on. */
  #cursorFor(host: string): number | undefined {
    if (this.#newestUs > 0) return Math.max(0, this.#newestUs - rewindUs)
    if (this.#start === undefined) return this.#settings.cursorUs
    return this.#floorOf(host) ?? Math.max(0, this.#start.timeUs - rewindUs)
  }

  /** All before this was given by an earlier process; another address dates it otherwise. */
  #floorOf(host: string): number | undefined {
    return markOf(host) === this.#start?.host ? this.#start.fromUs : undefined
  }

  #came(data: unknown, host: string, cursorUs: number | undefined): void {
    this.#lastFrameMs = this.#context.clock.now()
    const { timeUs, entry } = readFrame(data, this.#settings.filter)
    if (timeUs !== undefined) {
      if (timeUs > this.#endUs) {
        this.#finish()
        return
      }
      if (cursorUs !== undefined) this.#tellGap(cursorUs, timeUs, host)
      if (timeUs > this.#newestUs) this.#progress(timeUs)
      if (timeUs < (this.#floorOf(host) ?? 0)) return
    }
    if (entry === undefined) return
    this.#put(timeUs === undefined ? { ...entry, timeUs: this.#newestUs } : entry, host)
  }

  #put(entry: Entry, host: string): void {
    if (this.#isOverfull || !this.#seen.add(entry.change)) return
    if (this.#given.hasEarlier(entry.change)) return
    this.#queue.push({ entry, host })
    this.#queuedChars += sizeOf(entry)
    const { maxQueued } = this.#settings
    if (this.#queue.length >= maxQueued || this.#queuedChars >= maxQueuedChars) {
      // Nothing is lost: the next connection begins before what was queued last.
      this.#isOverfull = true
      this.#drop()
    }
    this.#wake()
  }

  #progress(timeUs: number): void {
    this.#newestUs = timeUs
    this.#tries = 0
    this.#awaySinceMs = 0
  }

  /** Jetstream keeps a day or more; from an older cursor it goes on with the oldest that it has. */
  #tellGap(cursorUs: number, firstUs: number, host: string): void {
    if (firstUs - cursorUs < longestGapUs || this.#newestUs > 0) return
    const [from, to] = [cursorUs, firstUs].map((us) => new Date(us / 1000).toISOString())
    const raw = Buffer.from(JSON.stringify({ fromUs: cursorUs, toUs: firstUs }))
    const reason = `nothing came of the time from ${from} to ${to}: the cursor is older than what ${host} keeps, which went on with its oldest`
    this.#put(letter(`bluesky:gap/${cursorUs}-${firstUs}`, raw, reason, firstUs), host)
  }

  #finish(): void {
    this.#isAtEnd = true
    this.#drop()
    this.#wake()
  }

  #drop(): void {
    this.#socket?.drop()
    this.#socket = undefined
    this.#isOpen = false
  }

  /** A connection broke, or was never made: the next one is to the next address, after a while. */
  #lose(why: string): void {
    const { urls, retryWaitMs } = this.#settings
    const now = this.#context.clock.now()
    this.#lastReason = `${urls[this.#host]!}: ${why}`
    this.#drop()
    this.#host = (this.#host + 1) % urls.length
    this.#tries++
    this.#wasSilent = false
    if (this.#awaySinceMs === 0) this.#awaySinceMs = now
    const backoffMs = Math.min(longestRetryMs, retryWaitMs * 2 ** Math.min(this.#tries - 1, 16))
    // So that not everybody comes back at once.
    this.#retryAtMs = now + backoffMs * (0.5 + Math.random() / 2)
    this.#wake()
  }

  /** Throws while it is away, so that the pipeline says what it waits for, and when it gives up. */
  #tellAway(): void {
    const { maxTries } = this.#settings
    const now = this.#context.clock.now()
    if (this.#tries === 0) return
    const isTooLong = this.#wasReached
      ? now - this.#awaySinceMs > giveUpAfterMs && this.#tries >= maxTries
      : this.#tries >= maxTries
    if (isTooLong && !this.#wasSilent) {
      throw fail(
        'SOURCE_UNREACHABLE',
        `source bluesky: gave up after ${this.#tries} tries; the last one said: ${this.#lastReason}; check the network, or set url to a Jetstream that can be reached`,
      )
    }
    // The first break is everyday: the next address is tried before anybody is told.
    if (this.#tries === 1) return
    throw fail('SOURCE_AWAY', `source bluesky: ${this.#lastReason}`, {
      waitMs: Math.max(1, this.#retryAtMs - now),
    })
  }

  #take(maxMessages: number): SourceBatch {
    const taken = this.#queue.splice(0, maxMessages)
    const builder = new BatchBuilder('', 0)
    const unreadable: Unreadable[] = []
    let host = this.#start?.host ?? ''
    for (const { entry, host: url } of taken) {
      host = markOf(url)
      this.#queuedChars -= sizeOf(entry)
      this.#given.add(entry.change, entry.timeUs)
      if (entry.unreadable !== undefined) unreadable.push(entry.unreadable)
      else {
        const headers = this.#ids.ofText(entry.id.slice('bluesky:'.length))
        builder.append(entry.author, entry.json, entry.timeMs, headers)
      }
    }
    return { batch: builder.build(), unreadable, position: this.#given.position(host) }
  }
}

const sizeOf = ({ json, id }: Entry) => (json?.length ?? 0) + id.length
