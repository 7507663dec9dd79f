/**
 * One member's place in a group. A look at the group is a read; it becomes a write only when a sign
 * of life is due, a member is gone, or there is something to take.
 */
import type { Clock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import type { EmbeddedDatabase } from './embedded-database.ts'
import {
  type GroupRows,
  type GroupView,
  goneMembers,
  grantable,
  isSuperseded,
  type MemberRow,
  nameOf,
  targetOf,
} from './embedded-group-rows.ts'
import type { AssignmentChange, Membership, TopicPartition } from './log.ts'

export interface MembershipOptions {
  readonly database: EmbeddedDatabase
  readonly rows: GroupRows
  readonly clock: Clock
  readonly group: string
  readonly memberId: string
  readonly sessionTimeoutMs: number
  readonly generation: number
  readonly paused: boolean
  readonly onLeave: (member: EmbeddedMembership) => void
}

export class EmbeddedMembership implements Membership {
  readonly group: string
  readonly memberId: string
  generation: number
  paused: boolean
  superseded = false
  readonly #options: MembershipOptions
  #owned = new Map<string, TopicPartition>()
  #left = false
  /** One thing at a time, so that no change is told twice or missed. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: MembershipOptions) {
    this.#options = options
    this.group = options.group
    this.memberId = options.memberId
    this.generation = options.generation
    this.paused = options.paused
  }

  get owned(): readonly TopicPartition[] {
    return [...this.#owned.values()]
  }

  heartbeat(): Promise<AssignmentChange> {
    return this.#inTurn(async () => {
      const { database, rows } = this.#options
      let view = await database.snapshot(() => rows.view(this.group))
      if (view !== undefined && this.#mustWrite(view)) {
        view = await database.write(() => this.#act())
      }
      return this.#changeTo(view)
    })
  }

  #member(view: GroupView | undefined): MemberRow | undefined {
    return view?.members.find((member) => member.memberId === this.memberId)
  }

  #mustWrite(view: GroupView): boolean {
    const member = this.#member(view)
    if (member === undefined) return false
    const { clock, sessionTimeoutMs } = this.#options
    const now = clock.now()
    const due = now - member.heartbeatAt >= sessionTimeoutMs / 3
    return due || this.#gone(view, now).length > 0 || grantable(view, this.memberId).length > 0
  }

  /** Whoever is here to say so is not gone, however long it slept: others decide about it. */
  #gone(view: GroupView, now: number): MemberRow[] {
    return goneMembers(view, now).filter((member) => member.memberId !== this.memberId)
  }

  /** Inside a transaction: a sign of life, the gone taken out, what is free taken. */
  #act(): GroupView | undefined {
    const { rows, clock } = this.#options
    const view = rows.view(this.group)
    if (view === undefined || this.#member(view) === undefined) return view
    const now = clock.now()
    rows.touch(this.memberId, now)
    for (const member of this.#gone(view, now)) rows.remove(view.id, member.memberId)
    const rest = rows.view(this.group)!
    rows.own(view.id, this.memberId, grantable(rest, this.memberId))
    return rows.view(this.group)
  }

  #changeTo(view: GroupView | undefined): AssignmentChange {
    const member = this.#member(view)
    if (view === undefined || member === undefined) return this.#fenced()
    this.generation = view.generation
    this.paused = view.paused
    this.superseded = isSuperseded(view, member)
    const before = this.#owned
    this.#owned = new Map()
    for (const { topic, partition, memberId } of view.owners) {
      if (memberId !== this.memberId) continue
      this.#owned.set(nameOf({ topic, partition }), { topic, partition })
    }
    const target = new Set(targetOf(view, this.memberId).map(nameOf))
    return {
      granted: [...this.#owned].filter(([name]) => !before.has(name)).map(([, one]) => one),
      // Told again each time until it is released: who wants it may change meanwhile.
      revoking: [...this.#owned].filter(([name]) => !target.has(name)).map(([, one]) => one),
      lost: [...before].filter(([name]) => !this.#owned.has(name)).map(([, one]) => one),
    }
  }

  /** Taken out by others: tells what is lost, and then refuses. */
  #fenced(): AssignmentChange {
    const lost = this.owned
    this.#owned = new Map()
    if (lost.length > 0) return { granted: [], revoking: [], lost }
    throw fail(
      'MEMBER_FENCED',
      `group ${this.group}: member ${this.memberId} is in it no more; join again`,
    )
  }

  release(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#inTurn(async () => {
      const { database, rows } = this.#options
      const held = partitions.filter((one) => this.#owned.has(nameOf(one)))
      if (held.length === 0) return
      await database.write(() => {
        const view = rows.view(this.group)
        if (view !== undefined) rows.disown(view.id, this.memberId, held)
      })
      for (const one of held) this.#owned.delete(nameOf(one))
    })
  }

  leave(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#left) return
      const { database, rows, onLeave } = this.#options
      await database.write(() => {
        const view = rows.view(this.group)
        if (this.#member(view) !== undefined) rows.remove(view!.id, this.memberId)
      })
      this.#left = true
      this.#owned = new Map()
      onLeave(this)
    })
  }

  #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(action)
    this.#last = result.catch(() => {})
    return result
  }
}
