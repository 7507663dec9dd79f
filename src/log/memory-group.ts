/** One group of the in-memory log: its members, who owns what, and the checkpoints. */
import { hostname } from 'node:os'
import { fail } from '../core/errors.ts'
import { assign, type Ownership } from './assignment.ts'
import type {
  AssignmentChange,
  Checkpoint,
  GroupInfo,
  JoinOptions,
  Membership,
  TopicPartition,
} from './log.ts'
import { nameOf } from './topic-partition.ts'

export const defaultSessionTimeoutMs = 10_000

interface Member {
  readonly memberId: string
  readonly options: JoinOptions
  readonly sessionTimeoutMs: number
  seenAt: number
}

export class MemoryGroup {
  readonly name: string
  readonly #now: () => number
  /** In the order in which they joined. */
  #members: Member[] = []
  /** By the partition's name. */
  readonly #owners = new Map<string, Ownership>()
  readonly #checkpoints = new Map<string, Checkpoint>()
  #generation = 0
  #joined = 0
  paused = false

  constructor(name: string, now: () => number) {
    this.name = name
    this.#now = now
  }

  get generation(): number {
    return this.#generation
  }

  get info(): GroupInfo {
    this.expire()
    return {
      name: this.name,
      generation: this.#generation,
      paused: this.paused,
      members: this.#members.map(({ memberId, options: { planHash } }) => ({
        memberId,
        planHash,
        owned: this.owned(memberId),
        ...{ host: hostname(), pid: process.pid },
      })),
      checkpoints: [...this.#checkpoints.values()],
    }
  }

  owned(memberId: string): TopicPartition[] {
    return [...this.#owners.values()]
      .filter((owner) => owner.memberId === memberId)
      .map(({ topic, partition }) => ({ topic, partition }))
      .sort((a, b) =>
        a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
      )
  }

  join(options: JoinOptions): Membership {
    this.expire()
    const memberId = `${this.name}-${++this.#joined}`
    const sessionTimeoutMs = options.sessionTimeoutMs ?? defaultSessionTimeoutMs
    this.#members.push({ memberId, options, sessionTimeoutMs, seenAt: this.#now() })
    this.#generation++
    return new MemoryMembership(this, memberId)
  }

  /** Throws `MEMBER_FENCED` for whoever is no member any more. */
  heartbeat(memberId: string): { granted: TopicPartition[]; revoking: TopicPartition[] } {
    this.expire()
    this.#member(memberId).seenAt = this.#now()
    const target = this.#target(memberId)
    const wanted = new Set(target.map(nameOf))
    const others = [...this.#owners.values()].filter((owner) => owner.memberId !== memberId)
    // A number is taken whole, when nobody else holds it in any topic.
    const taken = new Set(others.map(({ partition }) => partition))
    const granted = target.filter(
      (wish) => !taken.has(wish.partition) && !this.#owners.has(nameOf(wish)),
    )
    for (const partition of granted) {
      this.#owners.set(nameOf(partition), { ...partition, memberId })
    }
    const revoking = this.owned(memberId).filter((partition) => !wanted.has(nameOf(partition)))
    return { granted, revoking }
  }

  release(memberId: string, partitions: readonly TopicPartition[]): void {
    for (const name of partitions.map(nameOf)) {
      if (this.#owners.get(name)?.memberId === memberId) this.#owners.delete(name)
    }
  }

  leave(memberId: string): void {
    if (!this.#members.some((member) => member.memberId === memberId)) return
    this.release(memberId, this.owned(memberId))
    this.#members = this.#members.filter((member) => member.memberId !== memberId)
    this.#generation++
  }

  /** True when a member with another plan joined after this one. */
  superseded(memberId: string): boolean {
    const index = this.#members.findIndex((member) => member.memberId === memberId)
    const plan = this.#members[index]?.options.planHash
    return (
      plan !== undefined &&
      this.#members
        .slice(index + 1)
        .some(({ options }) => options.planHash !== undefined && options.planHash !== plan)
    )
  }

  /** Throws `MEMBER_FENCED` unless that member may commit for all these partitions. */
  check(memberId: string, partitions: readonly TopicPartition[]): void {
    this.expire()
    this.#member(memberId)
    for (const partition of partitions) {
      if (this.#owners.get(nameOf(partition))?.memberId !== memberId) {
        const place = `${partition.topic}/${partition.partition}`
        throw fail('MEMBER_FENCED', `group ${this.name}: ${memberId} does not own ${place}`)
      }
    }
  }

  save(checkpoint: Checkpoint): void {
    this.#checkpoints.set(nameOf(checkpoint), checkpoint)
  }

  /** Sets checkpoints as given; offset -1 deletes one. Throws `GROUP_ACTIVE`. */
  reset(checkpoints: readonly Checkpoint[]): void {
    this.checkIdle()
    for (const checkpoint of checkpoints) {
      if (checkpoint.offset < 0) this.#checkpoints.delete(nameOf(checkpoint))
      else this.save(checkpoint)
    }
  }

  forgetTopic(topic: string): void {
    for (const [name, checkpoint] of this.#checkpoints) {
      if (checkpoint.topic === topic) this.#checkpoints.delete(name)
    }
    for (const [name, owner] of this.#owners) if (owner.topic === topic) this.#owners.delete(name)
  }

  /** Throws `GROUP_ACTIVE` while there are members. */
  checkIdle(): void {
    this.expire()
    const count = this.#members.length
    if (count > 0) {
      throw fail('GROUP_ACTIVE', `group ${this.name}: has ${count} members; stop them first`)
    }
  }

  /** Whoever was silent for longer than its timeout is a member no more. */
  expire(): void {
    const now = this.#now()
    for (const { memberId, seenAt, sessionTimeoutMs } of this.#members) {
      if (now - seenAt > sessionTimeoutMs) this.leave(memberId)
    }
  }

  #member(memberId: string): Member {
    const member = this.#members.find((one) => one.memberId === memberId)
    if (member !== undefined) return member
    throw fail('MEMBER_FENCED', `group ${this.name}: ${memberId} is no member any more; join again`)
  }

  /** What a member should own: partitions of all topics, shared among those of the newest plan. */
  #target(memberId: string): TopicPartition[] {
    const members = this.#members.filter((member) => !this.superseded(member.memberId))
    const partitions = new Map<string, TopicPartition>()
    for (const { name: topic, partitions: count } of members.flatMap(
      ({ options }) => options.topics,
    )) {
      for (let partition = 0; partition < count; partition++) {
        partitions.set(nameOf({ topic, partition }), { topic, partition })
      }
    }
    const names = members.map((member) => member.memberId)
    const exclusive = members.some(({ options }) => options.exclusive === true)
    const owners = [...this.#owners.values()]
    return assign([...partitions.values()], names, owners, exclusive).get(memberId) ?? []
  }
}

/** What a member knows of itself: as of its last heartbeat. */
class MemoryMembership implements Membership {
  readonly group: string
  readonly memberId: string
  readonly #group: MemoryGroup
  generation: number
  owned: readonly TopicPartition[] = []
  paused: boolean
  superseded = false

  constructor(group: MemoryGroup, memberId: string) {
    this.group = group.name
    this.memberId = memberId
    this.#group = group
    this.generation = group.generation
    this.paused = group.paused
  }

  async heartbeat(): Promise<AssignmentChange> {
    const before = this.owned
    this.owned = []
    try {
      const change = this.#group.heartbeat(this.memberId)
      this.owned = this.#group.owned(this.memberId)
      this.generation = this.#group.generation
      this.paused = this.#group.paused
      this.superseded = this.#group.superseded(this.memberId)
      return { ...change, lost: [] }
    } catch (error) {
      if (before.length === 0) throw error
      return { granted: [], revoking: [], lost: before }
    }
  }

  async release(partitions: readonly TopicPartition[]): Promise<void> {
    this.#group.release(this.memberId, partitions)
    this.owned = this.#group.owned(this.memberId)
  }

  async leave(): Promise<void> {
    this.#group.leave(this.memberId)
    this.owned = []
  }
}
