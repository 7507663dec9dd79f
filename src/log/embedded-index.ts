/**
 * The inside of a commit's transaction: fences, offsets, the rows that make appended bytes count,
 * checkpoints and changes of state. Everything here is synchronous, and all checks of a commit come
 * before the first thing it writes, so that one can be left out without undoing its neighbours.
 */
import type { Clock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'

import type { EmbeddedDatabase } from './embedded-database.ts'
import type { PreparedCommit, PreparedOutput } from './embedded-prepare.ts'
import type { OpenSegment } from './embedded-segments.ts'
import { StateChanges } from './embedded-state-changes.ts'
import type { Checkpoint, CommitResult, Membership, StateChange } from './log.ts'

/**
 * What became of one commit of a group: done, refused, or to be prepared again because its topic or
 * its segment file was deleted meanwhile.
 */
export type Outcome =
  | { readonly kind: 'done'; readonly result: CommitResult }
  | { readonly kind: 'refused'; readonly error: Error }
  | { readonly kind: 'stale' }

interface Cursor {
  readonly topicId: number
  readonly partition: number
  nextOffset: number
}

export class Index {
  readonly #database: EmbeddedDatabase
  readonly #clock: Clock
  /** Where each partition ends, as far as this transaction has looked. */
  #cursors = new Map<string, Cursor>()
  #segments = new Map<OpenSegment, boolean>()
  #changes: StateChanges | undefined

  constructor(database: EmbeddedDatabase, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /** To be called inside a write transaction; outcomes come in the order of the commits. */
  apply(group: readonly PreparedCommit[]): Outcome[] {
    this.#cursors = new Map()
    this.#segments = new Map()
    let stale = false
    const outcomes = group.map((prepared): Outcome => {
      // Behind one that has to come again the others wait too: commits keep their order.
      const outcome = stale ? ({ kind: 'stale' } as const) : this.#applyOne(prepared)
      stale ||= outcome.kind === 'stale'
      return outcome
    })
    const setEnd = this.#database.prepare(
      'UPDATE partitions SET next_offset = ? WHERE topic_id = ? AND partition = ?',
    )
    for (const { nextOffset, topicId, partition } of this.#cursors.values()) {
      setEnd.run(nextOffset, topicId, partition)
    }
    return outcomes
  }

  #applyOne({ commit, outputs }: PreparedCommit): Outcome {
    const { member, checkpoints = [], changes = [] } = commit
    let groupId = 0
    if (member !== undefined) {
      const owner = this.#owner(member, checkpoints)
      if (typeof owner !== 'number') return { kind: 'refused', error: owner }
      groupId = owner
    }
    if (!outputs.every((output) => this.#stands(output))) return { kind: 'stale' }
    const producerId = member === undefined ? 0 : this.#idIn('producers', member.group)
    const baseOffsets = outputs.map((output) => this.#append(output, producerId))
    this.#checkpoint(groupId, checkpoints)
    this.#change(changes)
    if (commit.changesOf !== undefined) this.#change(commit.changesOf({ baseOffsets }))
    return { kind: 'done', result: { baseOffsets } }
  }

  /** The group's id, or why the member may not commit. */
  #owner(member: Membership, checkpoints: readonly Checkpoint[]): number | Error {
    const { group, memberId } = member
    const row = this.#database.prepare('SELECT group_id FROM members WHERE id = ?').get(memberId)
    if (row === undefined) {
      return fail('MEMBER_FENCED', `group ${group}: member ${memberId} is in it no more`)
    }
    const ownerOf = this.#database.prepare(
      'SELECT member_id FROM owners WHERE group_id = ? AND topic = ? AND partition = ?',
    )
    for (const { topic, partition } of checkpoints) {
      const owner = ownerOf.get(row[0]!, topic, partition)?.[0]
      if (owner === memberId) continue
      const whose = owner === undefined ? 'nobody' : `member ${owner}`
      return fail(
        'MEMBER_FENCED',
        `group ${group}: ${topic}/${partition} belongs to ${whose}, not to member ${memberId}`,
      )
    }
    return row[0] as number
  }

  /** True while the topic and the segments that hold the output's bytes are still there. */
  #stands(output: PreparedOutput): boolean {
    if (this.#cursor(output) === undefined) return false
    return output.chunks.every(({ segment }) => {
      if (segment === undefined) return false
      let stands = this.#segments.get(segment)
      if (stands === undefined) {
        const find = this.#database.prepare('SELECT 1 FROM segments WHERE id = ?')
        stands = find.get(segment.id) !== undefined
        this.#segments.set(segment, stands)
      }
      return stands
    })
  }

  #cursor({ topic, partition }: PreparedOutput): Cursor | undefined {
    const name = `${topic.id}/${partition}`
    let cursor = this.#cursors.get(name)
    if (cursor === undefined) {
      const find = this.#database.prepare(
        'SELECT next_offset FROM partitions WHERE topic_id = ? AND partition = ?',
      )
      const row = find.get(topic.id, partition)
      if (row === undefined) return undefined
      cursor = { topicId: topic.id, partition, nextOffset: row[0] as number }
      this.#cursors.set(name, cursor)
    }
    return cursor
  }

  /** Adds the output's rows; returns the offset of its first message. */
  #append(output: PreparedOutput, producerId: number): number {
    const insert = this.#database.prepare(
      `INSERT INTO batches (topic_id, partition, base_offset, last_offset, count, segment_id,
         position, size_bytes, max_time, appended_at, producer_id)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    const cursor = this.#cursor(output)!
    const firstOffset = cursor.nextOffset
    for (const { count, segment, position, bytes, maxTime } of output.chunks) {
      const baseOffset = cursor.nextOffset
      cursor.nextOffset += count
      insert.run(
        output.topic.id,
        output.partition,
        baseOffset,
        baseOffset + count - 1,
        count,
        segment!.id,
        position,
        bytes.length,
        maxTime,
        this.#clock.now(),
        producerId,
      )
    }
    return firstOffset
  }

  #checkpoint(groupId: number, checkpoints: readonly Checkpoint[]): void {
    const set = this.#database.prepare(
      `INSERT INTO checkpoints (group_id, topic, partition, offset, metadata)
       VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET offset = excluded.offset, metadata = excluded.metadata`,
    )
    for (const { topic, partition, offset, metadata } of checkpoints) {
      set.run(groupId, topic, partition, offset, metadata)
    }
  }

  #change(changes: readonly StateChange[]): void {
    if (changes.length === 0) return
    this.#changes ??= new StateChanges(this.#database)
    this.#changes.apply(changes, (store) => this.#idIn('stores', store))
  }

  /** The number that stands for a name, made when it is new. */
  #idIn(table: 'producers' | 'stores', name: string): number {
    const found = this.#database.prepare(`SELECT id FROM ${table} WHERE name = ?`).get(name)
    if (found !== undefined) return found[0] as number
    const insert = this.#database.prepare(`INSERT INTO ${table} (name) VALUES (?) RETURNING id`)
    return insert.get(name)![0] as number
  }
}
