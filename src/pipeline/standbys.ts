/**
 * Copies of the state of partitions that would come to this member if the process that has them ended:
 * which stores they are, followed for as long as that is so.
 */
import type { FollowedState, Log, Membership, TopicInfo } from '../log/log.ts'
import type { Definition } from './definition.ts'
import { isAmong } from './lane-places.ts'
import { placesOf, segmentsOf } from './segments.ts'
import { keepsState, stateStore } from './state-store.ts'

export interface FollowOptions {
  readonly definition: Definition
  readonly topics: ReadonlyMap<string, TopicInfo>
}

export class Standbys {
  readonly #log: Log
  readonly #followed = new Map<string, FollowedState>()
  #wanted: Membership['next']

  constructor(log: Log) {
    this.#log = log
  }

  /** Offsets that all copies are behind together, as far as it is known. */
  get lag(): number {
    return [...this.#followed.values()].reduce((sum, { lag = 0 }) => sum + lag, 0)
  }

  get count(): number {
    return this.#followed.size
  }

  /** To be called again and again: what is not wanted any more is let go. */
  async follow({ next = [] }: Membership, { definition, topics }: FollowOptions): Promise<void> {
    if (definition.settings.standbys === 0 || this.#log.followState === undefined) return
    if (next === this.#wanted) return
    this.#wanted = next
    const stores = new Map<string, readonly [store: string, partition: number]>()
    for (const segment of segmentsOf(definition)) {
      const places = placesOf(segment, (topic) => topics.get(topic)?.partitions ?? 0)
      const steps = definition.steps.slice(segment.from, segment.to).filter(keepsState)
      for (const { partition } of places.filter((place) => isAmong(next, place))) {
        for (const { name } of steps) {
          const store = stateStore(definition.name, name)
          stores.set(`${store}/${partition}`, [store, partition])
        }
      }
    }
    for (const [name, followed] of this.#followed) {
      if (stores.has(name)) continue
      this.#followed.delete(name)
      await followed.close()
    }
    for (const [name, [store, partition]] of stores) {
      if (!this.#followed.has(name)) {
        this.#followed.set(name, this.#log.followState(store, partition))
      }
    }
  }

  async close(): Promise<void> {
    for (const followed of this.#followed.values()) await followed.close()
    this.#followed.clear()
    this.#wanted = undefined
  }
}
