/** Groups of the embedded log: who is in them, how far they came. */
import { randomUUID } from 'node:crypto'
import { threadId } from 'node:worker_threads'
import type { Clock } from '../core/clock.ts'
import { fail, orderOf } from '../core/errors.ts'
import { checkMetadata, checkName } from './checks.ts'
import type { EmbeddedDatabase } from './embedded-database.ts'
import { GroupRows, type GroupView, goneMembers } from './embedded-group-rows.ts'
import { EmbeddedMembership } from './embedded-membership.ts'
import { hostOf, ownProcess } from './embedded-process.ts'
import type { Checkpoint, GroupInfo, JoinOptions, Membership } from './log.ts'

export interface GroupsOptions {
  readonly database: EmbeddedDatabase
  readonly clock: Clock
  readonly sessionTimeoutMs: number
}

export class Groups {
  readonly #options: GroupsOptions
  readonly #database: EmbeddedDatabase
  readonly #rows: GroupRows
  /** Members that joined through this handle: they leave when it closes. */
  readonly #members = new Set<EmbeddedMembership>()

  constructor(options: GroupsOptions) {
    this.#options = options
    this.#database = options.database
    this.#rows = new GroupRows(options.database)
  }

  /** See `Log.join`. Who is gone is taken out first, so a restart after kill -9 waits for nobody. */
  async join(group: string, options: JoinOptions): Promise<Membership> {
    checkName('group', group)
    const { clock } = this.#options
    const sessionTimeoutMs = options.sessionTimeoutMs ?? this.#options.sessionTimeoutMs
    const memberId = randomUUID()
    const view = await this.#database.write(() => {
      const groupId = this.#rows.make(group)
      this.#evictGone(group)
      const member = {
        memberId,
        ...ownProcess(),
        heartbeatAt: clock.now(),
        sessionTimeoutMs,
        planHash: options.planHash ?? null,
        exclusive: options.exclusive ?? false,
        topics: options.topics.map(({ name, partitions }) => ({ name, partitions })),
      }
      this.#rows.add(groupId, member, threadId)
      return this.#rows.view(group)!
    })
    const membership = new EmbeddedMembership({
      database: this.#database,
      rows: this.#rows,
      clock,
      group,
      memberId,
      sessionTimeoutMs,
      generation: view.generation,
      paused: view.paused,
      onLeave: (member) => this.#members.delete(member),
    })
    this.#members.add(membership)
    return membership
  }

  /** Inside a transaction: who is gone is taken out; the view afterwards. */
  #evictGone(group: string): GroupView | undefined {
    const view = this.#rows.view(group)
    if (view === undefined) return undefined
    const gone = goneMembers(view, this.#options.clock.now())
    for (const member of gone) this.#rows.remove(view.id, member.memberId)
    return this.#rows.view(group)
  }

  list(): Promise<GroupInfo[]> {
    return this.#database.snapshot(() => this.#rows.names().map((name) => this.#info(name)!))
  }

  find(name: string): Promise<GroupInfo | undefined> {
    return this.#database.snapshot(() => this.#info(name))
  }

  #info(name: string): GroupInfo | undefined {
    const view = this.#rows.view(name)
    if (view === undefined) return undefined
    const gone = new Set(goneMembers(view, this.#options.clock.now()))
    const members = view.members
      .filter((member) => !gone.has(member))
      .map(({ memberId, planHash, machine, pid }) => ({
        memberId,
        planHash: planHash ?? undefined,
        ...{ host: hostOf(machine), pid },
        owned: view.owners
          .filter((owner) => owner.memberId === memberId)
          .map(({ topic, partition }) => ({ topic, partition })),
      }))
    const { generation, paused } = view
    return { name, generation, paused, members, checkpoints: this.#rows.checkpoints(view.id) }
  }

  async reset(name: string, checkpoints: readonly Checkpoint[]): Promise<void> {
    checkName('group', name)
    for (const checkpoint of checkpoints) checkMetadata(name, checkpoint)
    await this.#database.write(() => {
      const groupId = this.#rows.make(name)
      this.#refuseActive(name)
      const set = this.#database.prepare(
        `INSERT INTO checkpoints (group_id, topic, partition, offset, metadata)
         VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
         SET offset = excluded.offset, metadata = excluded.metadata`,
      )
      const unset = this.#database.prepare(
        'DELETE FROM checkpoints WHERE group_id = ? AND topic = ? AND partition = ?',
      )
      for (const { topic, partition, offset, metadata } of checkpoints) {
        if (offset === -1) unset.run(groupId, topic, partition)
        else set.run(groupId, topic, partition, offset, metadata)
      }
    })
  }

  /** Nothing happens when there is no such group. */
  async remove(name: string): Promise<void> {
    await this.#database.write(() => {
      const view = this.#refuseActive(name)
      if (view === undefined) return
      for (const table of ['checkpoints', 'owners', 'members']) {
        this.#database.prepare(`DELETE FROM ${table} WHERE group_id = ?`).run(view.id)
      }
      this.#database.prepare('DELETE FROM groups WHERE id = ?').run(view.id)
    })
  }

  #refuseActive(name: string): GroupView | undefined {
    const view = this.#evictGone(name)
    const count = view?.members.length ?? 0
    if (count === 0) return view
    throw fail(
      'GROUP_ACTIVE',
      `group ${name}: has ${count} member${count === 1 ? '' : 's'}; stop what runs it first`,
    )
  }

  /** A group that is not there yet is made, paused from its first member on. */
  async pause(name: string, paused: boolean): Promise<void> {
    checkName('group', name)
    await this.#database.write(() => {
      const groupId = this.#rows.make(name)
      const set = this.#database.prepare('UPDATE groups SET paused = ? WHERE id = ?')
      set.run(paused ? 1 : 0, groupId)
    })
  }

  /** All members of this handle leave. */
  async close(): Promise<void> {
    for (const member of [...this.#members]) {
      try {
        await member.leave()
      } catch (error) {
        // On a full disk it cannot say so: the others find that its process is gone, or is silent.
        if (orderOf(error) !== 'try-later') throw error
      }
    }
  }
}
