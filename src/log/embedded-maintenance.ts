/**
 * Housekeeping of a directory: the WAL is copied back, retention and compaction run, files that hold
 * nothing any more are unlinked. Of the handles that offer to, one does it: whoever holds the lease,
 * a row with a sign of life. Two at once would do no harm, only the same work twice.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import { messageOf, orderOf } from '../core/errors.ts'
import type { Compactor } from './embedded-compaction.ts'
import type { EmbeddedDatabase } from './embedded-database.ts'
import { mayLive, ownProcess } from './embedded-process.ts'
import type { Retention } from './embedded-retention.ts'
import type { StateStore } from './embedded-state.ts'
import type { SegmentSweep } from './embedded-sweep.ts'
import type { TopicCatalog } from './embedded-topics.ts'

const checkpointEveryMs = 500
const cleanEveryMs = 5000
const sweepEveryMs = 5 * 60_000
const leaseTimeoutMs = 10_000
/** Above this many pages of WAL, writers are kept out until it can start anew. */
const restartPages = 2000

export interface MaintenanceOptions {
  readonly database: EmbeddedDatabase
  readonly topics: TopicCatalog
  readonly retention: Retention
  readonly compactor: Compactor
  readonly sweep: SegmentSweep
  readonly state: StateStore
  readonly clock: Clock
}

export class Maintenance {
  readonly #options: MaintenanceOptions
  readonly #holder = randomUUID()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #closed = false
  #leads = false
  #cleanedAt = 0
  #sweptAt = Number.NEGATIVE_INFINITY
  #checkpointed = ''
  /** What housekeeping last failed with, for people to see. */
  lastError: string | undefined

  constructor(options: MaintenanceOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#tick().finally(() => {
        if (!this.#closed) this.start()
      })
    }, checkpointEveryMs)
    // Housekeeping alone keeps no process alive.
    this.#timer.unref()
  }

  /** Everything that is due by what topics declare, now. */
  async run(): Promise<void> {
    await this.#running
    await this.#clean(true)
    await this.#options.state.sweep()
    await this.#options.sweep.run()
    this.checkpoint()
  }

  async #tick(): Promise<void> {
    try {
      this.#leads = await this.#lead()
      if (!this.#leads || this.#closed) return
      this.checkpoint()
      const now = performance.now()
      if (now - this.#cleanedAt >= cleanEveryMs) {
        this.#cleanedAt = now
        await this.#clean(false)
      }
      if (now - this.#sweptAt >= sweepEveryMs) {
        this.#sweptAt = now
        await this.#options.sweep.run()
      }
    } catch (error) {
      // A full disk, a damaged file: whoever commits or reads is told; the next tick tries again.
      if (!this.#closed) this.lastError = messageOf(error)
    }
  }

  /** Copies the WAL back when there is something new in it. */
  checkpoint(): void {
    const { database } = this.#options
    const version = `${database.dataVersion()}/${database.ownVersion}`
    if (version === this.#checkpointed) return
    this.#checkpointed = version
    const pages = database.checkpoint('PASSIVE')
    if (pages > restartPages) database.checkpoint('RESTART')
  }

  async #clean(forced: boolean): Promise<void> {
    const { topics, retention, compactor, sweep, database } = this.#options
    for (const topic of await database.read(() => topics.list())) {
      if (this.#closed) return
      const removed = await retention.run(topic)
      const compacted = topic.info.cleanup === 'compact' && (await compactor.run(topic, forced))
      if (removed || compacted) await sweep.unlinkEmpty(topic)
    }
  }

  /** Takes the lease, or keeps it. */
  async #lead(): Promise<boolean> {
    const { database, clock } = this.#options
    const now = clock.now()
    const row = await database.read(() =>
      database
        .prepare(`SELECT holder, machine, pid, process_start, heartbeat_at FROM leases
          WHERE name = 'maintenance'`)
        .get(),
    )
    if (row !== undefined) {
      const [holder, machine, pid, start, heartbeatAt] = row as [
        string,
        string,
        number,
        string,
        number,
      ]
      const fresh = now - heartbeatAt <= leaseTimeoutMs && mayLive({ machine, pid, start })
      if (holder === this.#holder && now - heartbeatAt < leaseTimeoutMs / 3) return true
      if (holder !== this.#holder && fresh) return false
    }
    await this.#take(now, (row?.[0] as string | undefined) ?? '')
    return true
  }

  async #take(now: number, from: string): Promise<void> {
    const { database } = this.#options
    const { machine, pid, start } = ownProcess()
    const take = database.prepare(
      `INSERT INTO leases (name, holder, machine, pid, process_start, heartbeat_at)
       VALUES ('maintenance', ?1, ?2, ?3, ?4, ?5)
       ON CONFLICT DO UPDATE SET holder = ?1, machine = ?2, pid = ?3, process_start = ?4,
         heartbeat_at = ?5 WHERE holder = ?6`,
    )
    await database.write(() => take.run(this.#holder, machine, pid, start, now, from))
  }

  /** Ends what is under way and gives the lease back. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running
    if (!this.#leads) return
    const { database } = this.#options
    const give = database.prepare("DELETE FROM leases WHERE name = 'maintenance' AND holder = ?")
    try {
      await database.write(() => give.run(this.#holder))
    } catch (error) {
      // On a full disk it is not given back: the next one sees that its holder is gone.
      if (orderOf(error) !== 'try-later') throw error
    }
  }
}
