/** Rows of one group, and the changes that its members make to them inside a transaction. */
import { assign } from './assignment.ts'
import type { EmbeddedDatabase } from './embedded-database.ts'
import { mayLive } from './embedded-process.ts'
import type { Checkpoint, TopicPartition } from './log.ts'

export interface MemberRow {
  readonly memberId: string
  /** Rises with each join. */
  readonly joined: number
  readonly machine: string
  readonly pid: number
  readonly start: string
  readonly heartbeatAt: number
  readonly sessionTimeoutMs: number
  readonly planHash: string | null
  readonly exclusive: boolean
  readonly topics: readonly { readonly name: string; readonly partitions: number }[]
}

export interface OwnerRow extends TopicPartition {
  readonly memberId: string
}

export interface GroupView {
  readonly id: number
  readonly name: string
  readonly generation: number
  readonly paused: boolean
  /** In the order in which they joined. */
  readonly members: readonly MemberRow[]
  readonly owners: readonly OwnerRow[]
}

export class GroupRows {
  readonly #database: EmbeddedDatabase

  constructor(database: EmbeddedDatabase) {
    this.#database = database
  }

  /** The group as it stands, or undefined. */
  view(name: string): GroupView | undefined {
    const find = this.#database.prepare('SELECT id, generation, paused FROM groups WHERE name = ?')
    const row = find.get(name)
    if (row === undefined) return undefined
    const id = row[0] as number
    return {
      id,
      name,
      generation: row[1] as number,
      paused: row[2] === 1,
      members: this.#members(id),
      owners: this.#owners(id),
    }
  }

  names(): string[] {
    const rows = this.#database.prepare('SELECT name FROM groups ORDER BY name').all()
    return rows.map((row) => row[0] as string)
  }

  /** The group's number; it is made when it is new. */
  make(name: string): number {
    const insert = this.#database.prepare('INSERT OR IGNORE INTO groups (name) VALUES (?)')
    insert.run(name)
    return this.#database.prepare('SELECT id FROM groups WHERE name = ?').get(name)![0] as number
  }

  #members(groupId: number): MemberRow[] {
    const find = this.#database.prepare(
      `SELECT id, joined, machine, pid, process_start, heartbeat_at, session_timeout_ms, plan_hash,
         exclusive, topics FROM members WHERE group_id = ? ORDER BY joined`,
    )
    return find.all(groupId).map((row) => ({
      memberId: row[0] as string,
      joined: row[1] as number,
      machine: row[2] as string,
      pid: row[3] as number,
      start: row[4] as string,
      heartbeatAt: row[5] as number,
      sessionTimeoutMs: row[6] as number,
      planHash: row[7] as string | null,
      exclusive: row[8] === 1,
      topics: JSON.parse(row[9] as string) as MemberRow['topics'],
    }))
  }

  #owners(groupId: number): OwnerRow[] {
    const find = this.#database.prepare(
      'SELECT topic, partition, member_id FROM owners WHERE group_id = ? ORDER BY topic, partition',
    )
    return find.all(groupId).map((row) => ({
      topic: row[0] as string,
      partition: row[1] as number,
      memberId: row[2] as string,
    }))
  }

  checkpoints(groupId: number): Checkpoint[] {
    const find = this.#database.prepare(
      `SELECT topic, partition, offset, metadata FROM checkpoints WHERE group_id = ?
       ORDER BY topic, partition`,
    )
    return find.all(groupId).map((row) => ({
      topic: row[0] as string,
      partition: row[1] as number,
      offset: row[2] as number,
      metadata: row[3] as string,
    }))
  }

  add(groupId: number, member: Omit<MemberRow, 'joined'>, thread: number): void {
    const insert = this.#database.prepare(
      `INSERT INTO members (id, joined, group_id, machine, pid, process_start, thread, heartbeat_at,
         session_timeout_ms, plan_hash, exclusive, topics)
       VALUES (?, (SELECT coalesce(max(joined), 0) + 1 FROM members), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    insert.run(
      member.memberId,
      groupId,
      member.machine,
      member.pid,
      member.start,
      thread,
      member.heartbeatAt,
      member.sessionTimeoutMs,
      member.planHash,
      member.exclusive ? 1 : 0,
      JSON.stringify(member.topics),
    )
    this.#nextGeneration(groupId)
  }

  /** Takes a member out, with all it owns. */
  remove(groupId: number, memberId: string): void {
    this.#database
      .prepare('DELETE FROM owners WHERE group_id = ? AND member_id = ?')
      .run(groupId, memberId)
    const gone = this.#database.prepare('DELETE FROM members WHERE id = ?').run(memberId)
    if (gone > 0) this.#nextGeneration(groupId)
  }

  touch(memberId: string, now: number): void {
    this.#database.prepare('UPDATE members SET heartbeat_at = ? WHERE id = ?').run(now, memberId)
  }

  own(groupId: number, memberId: string, partitions: readonly TopicPartition[]): void {
    const insert = this.#database.prepare(
      'INSERT INTO owners (group_id, topic, partition, member_id) VALUES (?, ?, ?, ?)',
    )
    for (const { topic, partition } of partitions) insert.run(groupId, topic, partition, memberId)
  }

  disown(groupId: number, memberId: string, partitions: readonly TopicPartition[]): void {
    const remove = this.#database.prepare(
      'DELETE FROM owners WHERE group_id = ? AND topic = ? AND partition = ? AND member_id = ?',
    )
    for (const { topic, partition } of partitions) remove.run(groupId, topic, partition, memberId)
  }

  #nextGeneration(groupId: number): void {
    this.#database
      .prepare('UPDATE groups SET generation = generation + 1 WHERE id = ?')
      .run(groupId)
  }
}

/** Members whose process is gone, or who gave no sign of life for their timeout. */
export function goneMembers(view: GroupView, now: number): MemberRow[] {
  return view.members.filter(
    (member) => now - member.heartbeatAt > member.sessionTimeoutMs || !mayLive(member),
  )
}

/** True when a member that runs another plan has joined after this one. */
export function isSuperseded(view: GroupView, member: MemberRow): boolean {
  return view.members.some(
    (other) =>
      other.joined > member.joined &&
      other.planHash !== null &&
      member.planHash !== null &&
      other.planHash !== member.planHash,
  )
}

/** What the member should own: members with an older plan get nothing. */
export function targetOf(view: GroupView, memberId: string): TopicPartition[] {
  const eligible = view.members.filter((member) => !isSuperseded(view, member))
  const counts = new Map<string, number>()
  for (const { topics } of eligible) {
    for (const { name, partitions } of topics) {
      counts.set(name, Math.max(counts.get(name) ?? 0, partitions))
    }
  }
  const partitions: TopicPartition[] = []
  for (const topic of [...counts.keys()].sort()) {
    for (let partition = 0; partition < counts.get(topic)!; partition++) {
      partitions.push({ topic, partition })
    }
  }
  const ids = eligible.map((member) => member.memberId)
  const exclusive = eligible.some((member) => member.exclusive)
  return assign(partitions, ids, view.owners, exclusive).get(memberId) ?? []
}

/**
 * What the member may take now. A partition number is taken whole: while another member still owns
 * it in one topic, it is not taken in the others, so that a join always finds both sides.
 */
export function grantable(view: GroupView, memberId: string): TopicPartition[] {
  const taken = new Set<number>()
  const owned = new Set<string>()
  for (const owner of view.owners) {
    if (owner.memberId !== memberId) taken.add(owner.partition)
    else owned.add(nameOf(owner))
  }
  return targetOf(view, memberId).filter(
    (wanted) => !taken.has(wanted.partition) && !owned.has(nameOf(wanted)),
  )
}

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
