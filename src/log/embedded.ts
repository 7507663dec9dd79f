/**
 * The log on one directory: a SQLite file that is the truth, and segment files with the bytes. Any
 * number of threads and processes may hold it open at once, each through a handle of its own. Use it
 * wherever no broker is wanted; docs/architecture.md draws the layout.
 */

import { join, resolve } from 'node:path'
import type { Batch } from '../core/batch.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { fail, messageOf } from '../core/errors.ts'
import { ChangeWatch } from './embedded-changes.ts'
import { CommitQueue } from './embedded-commit.ts'
import { Compactor } from './embedded-compaction.ts'
import { EmbeddedDatabase } from './embedded-database.ts'
import { type Disk, nodeDisk } from './embedded-disk.ts'
import { isMissing, translated } from './embedded-errors.ts'
import { Groups } from './embedded-groups.ts'
import { Maintenance } from './embedded-maintenance.ts'
import { defaultReadBytes, Reader } from './embedded-read.ts'
import { Retention } from './embedded-retention.ts'
import { SegmentReader, SegmentWriter, segmentsSize } from './embedded-segments.ts'
import { EmbeddedOwnedState, StateStore } from './embedded-state.ts'
import { SegmentSweep } from './embedded-sweep.ts'
import { newIdentity, TopicCatalog } from './embedded-topics.ts'
import type {
  Checkpoint,
  Commit,
  CommitResult,
  GroupInfo,
  JoinOptions,
  Log,
  Membership,
  OffsetRange,
  OwnedState,
  ReadOptions,
  StateEntry,
  StateRange,
  StateSize,
  TopicInfo,
  TopicSettings,
} from './log.ts'

/**
 * What a commit goes through, in order; a write of any other kind is `begun`, `indexed` and
 * `committed` too. `rolled`: a new segment file was made. `unlinking`, `unlinked`: an empty one goes.
 */
export type CommitStep =
  | 'queued'
  | 'appended'
  | 'synced'
  | 'begun'
  | 'indexed'
  | 'committed'
  | 'rolled'
  | 'unlinking'
  | 'unlinked'

export interface EmbeddedLogOptions {
  /** MILLRACE_DIR; the log makes and uses `log` in it. */
  readonly directory: string
  readonly clock?: Clock
  readonly disk?: Disk
  /** `power` (default): a commit survives a power cut. `process`: only the end of the process. */
  readonly durability?: 'power' | 'process'
  /** For members that ask for none of their own. Default 10 s. */
  readonly sessionTimeoutMs?: number
  /** True (default): offers to do the housekeeping of the directory. */
  readonly maintain?: boolean
  /** A segment that has reached this size is followed by a new one. Default 64 MiB. */
  readonly segmentBytes?: number
  /** How long a lock that others hold is waited for. Default 10 s. */
  readonly busyMs?: number
  /** Called at each step, so that a test can crash exactly there. */
  readonly onStep?: (step: CommitStep) => void
}

export interface EmbeddedLogMetrics {
  readonly commits: number
  /** Fewer than commits when several went in one. */
  readonly transactions: number
  readonly messages: number
  readonly appendedBytes: number
  /** The longest that a commit of this handle took so far. */
  readonly commitMsMax: number
  /** Commits that wait. */
  readonly queued: number
  /** How often a lock was found held. */
  readonly busyCount: number
  /** Size of the file that SQLite writes ahead: it is copied back all the time. */
  readonly walSizeBytes: number
  /** What housekeeping last failed with, if it ever did. */
  readonly maintenanceError: string | undefined
}

export interface EmbeddedLog extends Log {
  readonly directory: string
  metrics(): EmbeddedLogMetrics
  /** Does at once what housekeeping would do in its own time: retention, compaction, unlinking. */
  maintain(): Promise<void>
}

/** Throws `DIRECTORY_UNUSABLE`, `DIRECTORY_FORMAT`, `DISK_FULL`, `LOG_BUSY`. */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const directory = resolve(options.directory)
  const disk = options.disk ?? nodeDisk
  const durability = options.durability ?? 'power'
  const folder = join(directory, 'log')
  try {
    disk.makeDirectory(join(folder, 'segments'))
  } catch (error) {
    // Where even a parent cannot be made, the place is the mistake.
    if (isMissing(error)) {
      const seen = `cannot be made (${messageOf(error)})`
      throw fail('DIRECTORY_UNUSABLE', `${directory}: ${seen}; choose another with MILLRACE_DIR`)
    }
    throw translated(error, directory)
  }
  const path = join(folder, 'millrace.db')
  const busyMs = options.busyMs ?? 10_000
  const onStep = options.onStep ?? (() => {})
  const database = await EmbeddedDatabase.open({ path, directory, durability, busyMs, onStep })
  return new Handle(database, { ...options, directory, disk, durability, onStep })
}

type HandleOptions = EmbeddedLogOptions &
  Required<Pick<EmbeddedLogOptions, 'disk' | 'durability' | 'onStep'>>

class Handle implements EmbeddedLog {
  readonly directory: string
  readonly countsByReading = false
  readonly #database: EmbeddedDatabase
  readonly #disk: Disk
  readonly #folder: string
  readonly #topics: TopicCatalog
  readonly #segmentWriter: SegmentWriter
  readonly #compactionWriter: SegmentWriter
  readonly #segmentReader: SegmentReader
  readonly #reader: Reader
  readonly #commits: CommitQueue
  readonly #changes: ChangeWatch
  readonly #groups: Groups
  readonly #state: StateStore
  readonly #maintenance: Maintenance
  #closing: Promise<void> | undefined

  constructor(database: EmbeddedDatabase, options: HandleOptions) {
    const { disk, onStep } = options
    const clock = options.clock ?? systemClock
    this.directory = options.directory
    this.#database = database
    this.#disk = disk
    this.#folder = join(options.directory, 'log')
    const directory = join(this.#folder, 'segments')
    const topics = new TopicCatalog(database)
    const segmentBytes = options.segmentBytes ?? 64 * 1024 * 1024
    const durable = options.durability === 'power'
    const shared = { database, disk, directory, clock, segmentBytes, durable, onStep }
    const writer = newIdentity()
    this.#topics = topics
    this.#segmentWriter = new SegmentWriter({ ...shared, writer })
    this.#compactionWriter = new SegmentWriter({ ...shared, writer: `${writer}c` })
    this.#segmentReader = new SegmentReader(shared)
    this.#reader = new Reader(database, topics, this.#segmentReader)
    this.#changes = new ChangeWatch(database)
    const segments = this.#segmentWriter
    const onCommitted = () => this.#changes.wake()
    this.#commits = new CommitQueue({ database, topics, segments, clock, onStep, onCommitted })
    const sessionTimeoutMs = options.sessionTimeoutMs ?? 10_000
    this.#groups = new Groups({ database, clock, sessionTimeoutMs })
    this.#state = new StateStore(database)
    this.#maintenance = this.#housekeeping(shared)
    if (options.maintain ?? true) this.#maintenance.start()
  }

  #housekeeping(shared: {
    readonly directory: string
    readonly clock: Clock
    readonly onStep: (step: CommitStep) => void
  }): Maintenance {
    const database = this.#database
    const topics = this.#topics
    const { clock } = shared
    const segments = this.#compactionWriter
    return new Maintenance({
      database,
      topics,
      clock,
      state: this.#state,
      retention: new Retention(database, clock),
      compactor: new Compactor({ database, reader: this.#reader, segments, clock }),
      sweep: new SegmentSweep({ ...shared, database, topics, disk: this.#disk }),
    })
  }

  createTopic(name: string, settings: Partial<TopicSettings> = {}): Promise<TopicInfo> {
    return this.#topics.create(name, settings)
  }

  async deleteTopic(name: string): Promise<void> {
    const { info } = await this.#topics.remove(name)
    this.#disk.removeDirectory(join(this.#folder, 'segments', info.identity))
  }

  sizes(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#database.read(() => {
      const found = topics.flatMap((name) => this.#topics.find(name) ?? [])
      const folderOf = (info: TopicInfo) => join(this.#folder, 'segments', info.identity)
      return new Map(found.map(({ info }) => [info.name, segmentsSize(this.#disk, folderOf(info))]))
    })
  }

  topics(): Promise<readonly TopicInfo[]> {
    return this.#database.read(() => this.#topics.list().map(({ info }) => info))
  }

  topic(name: string): Promise<TopicInfo | undefined> {
    return this.#database.read(() => this.#topics.find(name)?.info)
  }

  offsets(topic: string, partition: number): Promise<OffsetRange> {
    return this.#database.read(() => this.#topics.offsets(topic, partition))
  }

  async writtenEnd(topic: string, partition: number): Promise<number> {
    return (await this.offsets(topic, partition)).end
  }

  offsetAtTime(topic: string, partition: number, timeMs: number): Promise<number> {
    return this.#database.read(() => this.#reader.offsetAtTime(topic, partition, timeMs))
  }

  read(
    topic: string,
    partition: number,
    offset: number,
    options: ReadOptions = {},
  ): Promise<Batch | undefined> {
    const maxBytes = options.maxBytes ?? defaultReadBytes
    return this.#database.read(() => this.#reader.read(topic, partition, offset, maxBytes))
  }

  revision(): number {
    return this.#changes.revision
  }

  changed(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    return this.#changes.changed(since, waitMs, signal)
  }

  count(
    topic: string,
    partition: number,
    range: OffsetRange,
    options: { readonly by?: string } = {},
  ): Promise<number> {
    return this.#database.snapshot(() => this.#reader.count(topic, partition, range, options.by))
  }

  commit(commit: Commit): Promise<CommitResult> {
    return this.#commits.submit(commit)
  }

  join(group: string, options: JoinOptions): Promise<Membership> {
    return this.#groups.join(group, options)
  }

  groups(): Promise<readonly GroupInfo[]> {
    return this.#groups.list()
  }

  group(name: string): Promise<GroupInfo | undefined> {
    return this.#groups.find(name)
  }

  resetGroup(name: string, checkpoints: readonly Checkpoint[]): Promise<void> {
    return this.#groups.reset(name, checkpoints)
  }

  deleteGroup(name: string): Promise<void> {
    return this.#groups.remove(name)
  }

  pauseGroup(name: string, paused: boolean): Promise<void> {
    return this.#groups.pause(name, paused)
  }

  async openState(store: string, partition: number): Promise<OwnedState> {
    return new EmbeddedOwnedState(this.#state, store, partition)
  }

  state(store: string, partition: number, keys: readonly string[]): Promise<Map<string, Buffer>> {
    return this.#state.get(store, partition, keys)
  }

  scanState(store: string, partition: number, range: StateRange): Promise<StateEntry[]> {
    return this.#state.scan(store, partition, range)
  }

  stores(): Promise<readonly string[]> {
    return this.#state.stores()
  }

  stateSizes(store: string): Promise<readonly StateSize[]> {
    return this.#state.sizes(store)
  }

  deleteState(store: string): Promise<void> {
    return this.#state.remove(store)
  }

  maintain(): Promise<void> {
    return this.#maintenance.run()
  }

  metrics(): EmbeddedLogMetrics {
    return {
      ...this.#commits.metrics,
      queued: this.#commits.depth,
      busyCount: this.#database.busyCount,
      walSizeBytes: this.#disk.size(join(this.#folder, 'millrace.db-wal')),
      maintenanceError: this.#maintenance.lastError,
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    try {
      await this.#commits.idle()
      await this.#maintenance.close()
      await this.#groups.close()
    } finally {
      this.#changes.close()
      this.#segmentWriter.close()
      this.#compactionWriter.close()
      this.#segmentReader.close()
      this.#database.close()
    }
  }
}
