/**
 * Copies of state that another process owns: each follows its changelog, so that whoever takes the
 * partition over on this handle has only the tail to read. A copy is let go when the state is opened.
 */
import type { Clock } from '../core/clock.ts'
import type { KafkaOwnedState } from './kafka-owned-state.ts'
import type { StateFile } from './kafka-owned-state-file.ts'
import type { FollowedState, Log } from './log.ts'

/** How often a changelog is looked at. */
const followMs = 500
/** A copy that nothing was written to is marked as whole again so often. */
const markMs = 10 * 60_000

export interface StandbyCopy {
  readonly file: StateFile
  readonly state: KafkaOwnedState
}

export interface StandbysOptions {
  readonly clock: Clock
  readonly offsets: Log['offsets']
  /** Undefined: there is nothing to follow yet, or the file is another's. */
  open(store: string, partition: number): Promise<StandbyCopy | undefined>
}

export class KafkaStandbys {
  readonly #options: StandbysOptions
  readonly #followed = new Map<string, Followed>()

  constructor(options: StandbysOptions) {
    this.#options = options
  }

  /** `topic`: the store's changelog. One at a time follows it on a handle. */
  follow(topic: string, store: string, partition: number): FollowedState {
    const name = `${topic}/${partition}`
    const known = this.#followed.get(name)
    if (known !== undefined) return known
    const followed = new Followed(this.#options, { topic, store, partition }, () => {
      this.#followed.delete(name)
    })
    this.#followed.set(name, followed)
    return followed
  }

  /** Resolves once its file is free. */
  async release(topic: string, partition: number): Promise<void> {
    await this.#followed.get(`${topic}/${partition}`)?.close()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#followed.values()].map((one) => one.close()))
  }
}

class Followed implements FollowedState {
  readonly #options: StandbysOptions
  readonly #place: { readonly topic: string; readonly store: string; readonly partition: number }
  readonly #onClosed: () => void
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>
  #copy: StandbyCopy | undefined
  #markedAtMs = 0
  lag: number | undefined

  constructor(
    options: StandbysOptions,
    place: { readonly topic: string; readonly store: string; readonly partition: number },
    onClosed: () => void,
  ) {
    this.#options = options
    this.#place = place
    this.#onClosed = onClosed
    this.#ended = this.#run()
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    // It reads on to where it can stop: what was read is put or dropped.
    await this.#copy?.state.close()
    await this.#ended
    this.#onClosed()
  }

  async #run(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#catchUp()
      } catch {
        // A copy is a help and no duty: it is made again, and the owner tells what is wrong.
        await this.#copy?.state.close()
        this.#copy = undefined
        this.lag = undefined
      }
      await clock.sleep(followMs, signal).catch(() => undefined)
    }
    await this.#copy?.state.close()
  }

  async #catchUp(): Promise<void> {
    const { clock, offsets, open } = this.#options
    const { topic, store, partition } = this.#place
    this.#copy ??= await open(store, partition)
    if (this.#copy === undefined || this.#stopping.signal.aborted) return
    const { file, state } = this.#copy
    const { end } = await offsets(topic, partition)
    this.lag = end - file.place.position
    if (this.lag === 0 && clock.now() < this.#markedAtMs + markMs) return
    await state.restore({})
    this.#markedAtMs = clock.now()
    this.lag = 0
  }
}
