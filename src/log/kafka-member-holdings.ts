/** What one member has: what the group gave it, what it was told of that, what it gave back. */
import type { Assignment } from './kafka-group-protocol.ts'
import type { AssignmentChange, TopicPartition } from './log.ts'
import { nameOf } from './topic-partition.ts'

export class Holdings {
  /** By name, in order of topic and partition. */
  #owned = new Map<string, TopicPartition>()
  /** What whoever asks for changes knows to be owned. */
  readonly #told = new Map<string, TopicPartition>()
  #lost: TopicPartition[] = []
  #revoking = new Set<string>()
  /** Released since the last claim, so that the group does not know of it yet. */
  #released = new Set<string>()

  get owned(): readonly TopicPartition[] {
    return [...this.#owned.values()]
  }

  owns(place: TopicPartition): boolean {
    return this.#owned.has(nameOf(place))
  }

  /** What to tell the group that this member holds. What is released from now on it knows not. */
  claim(): readonly TopicPartition[] {
    this.#released = new Set()
    return this.owned
  }

  /**
   * What the group answered to the last claim. True when something was released since: the group
   * must be told, because it still counts it as this member's.
   */
  take({ owned, revoking }: Pick<Assignment, 'owned' | 'revoking'>): boolean {
    const given = owned.filter((one) => !this.#released.has(nameOf(one)))
    this.#own(given)
    this.#revoking = new Set(revoking.map(nameOf))
    return given.length < owned.length
  }

  /** True when something was given back. */
  release(partitions: readonly TopicPartition[]): boolean {
    const names = partitions.map(nameOf).filter((name) => this.#owned.has(name))
    for (const name of names) {
      this.#owned.delete(name)
      this.#told.delete(name)
      this.#revoking.delete(name)
      this.#released.add(name)
    }
    return names.length > 0
  }

  /** All of it went to others. */
  lose(): void {
    this.#own([])
  }

  /** All of it was given back. */
  clear(): void {
    this.release(this.owned)
    this.#lost = []
  }

  /** What is new since the last time; what is to be released is told until it is. */
  change(): AssignmentChange {
    const granted = [...this.#owned].filter(([name]) => !this.#told.has(name))
    for (const [name, one] of granted) this.#told.set(name, one)
    const lost = this.#lost
    this.#lost = []
    return {
      granted: granted.map(([, one]) => one),
      revoking: [...this.#owned].filter(([name]) => this.#revoking.has(name)).map(([, one]) => one),
      lost,
    }
  }

  #own(owned: readonly TopicPartition[]): void {
    this.#owned = new Map([...owned].sort(byPlace).map((one) => [nameOf(one), one]))
    // Lost, even where it is given again before anybody asks: others may have worked on it.
    for (const [name, one] of this.#told) {
      if (this.#owned.has(name)) continue
      this.#told.delete(name)
      this.#lost.push(one)
    }
  }
}

const byPlace = (a: TopicPartition, b: TopicPartition) =>
  a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
