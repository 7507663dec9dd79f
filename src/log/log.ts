/**
 * The log keeps messages in order, through crashes. One contract for every implementation: embedded
 * (SQLite and segment files), in memory (the oracle of tests) and Kafka. log.contract.ts is its law.
 *
 * Offsets rise strictly within a partition; gaps are possible and hide no committed message. What
 * one `commit` holds is seen and kept together or not at all.
 */
import type { Batch } from '../core/batch.ts'

export type Cleanup = 'delete' | 'compact'
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export interface TopicSettings {
  readonly partitions: number
  /** `delete` drops what retention says; `compact` keeps the newest message of each key. */
  readonly cleanup: Cleanup
  /** Messages older than this may be dropped; undefined keeps them whatever their age. */
  readonly retentionMs?: number | undefined
  /** A partition larger than this drops its oldest messages; undefined: no bound. */
  readonly retentionBytes?: number | undefined
  /** Key, value and headers of one message together. */
  readonly maxMessageBytes: number
  readonly compression: Compression
}

export const defaultTopicSettings: TopicSettings = {
  partitions: 4,
  cleanup: 'delete',
  maxMessageBytes: 1024 * 1024,
  compression: 'none',
}

export interface TopicInfo extends TopicSettings {
  readonly name: string
  /** New each time the topic is made, so ids of an older topic of that name are never met again. */
  readonly identity: string
  /** The cluster shows this user only the partitions: all else is as it would be by default. */
  readonly areSettingsHidden?: true
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Where a partition starts (the oldest message kept) and ends (the offset the next one gets). */
export interface OffsetRange {
  readonly start: number
  readonly end: number
}

/**
 * Messages to append to one partition; the offsets in the batch mean nothing yet. Whoever commits may
 * use its memory for something else once `commit` has resolved: a log keeps a copy, or its own encoding.
 */
export interface Output extends TopicPartition {
  readonly batch: Batch
}

/** How far a group has come in one partition of an input (or one split of a source). */
export interface Checkpoint extends TopicPartition {
  /** The next offset to read. */
  readonly offset: number
  /** Watermark, ledger counters, plan hash and the like, as JSON: under 3 KB. */
  readonly metadata: string
}

/** One change of keyed state. The store belongs to a step, the partition to whoever owns it. */
export interface StateChange {
  readonly store: string
  readonly partition: number
  readonly key: string
  /** Null deletes. */
  readonly value: Uint8Array | null
}

export interface Commit {
  readonly outputs: readonly Output[]
  readonly checkpoints?: readonly Checkpoint[]
  readonly changes?: readonly StateChange[]
  /**
   * Further changes, of what is known only once the offsets are: an answer that names them. Called
   * inside the transaction, again when it is tried again; it must not throw.
   */
  readonly changesOf?: (result: CommitResult) => readonly StateChange[]
  /** Whoever commits checkpoints is a member of the group and is refused once it owns them no more. */
  readonly member?: Membership
}

export interface CommitResult {
  /** For each output, the offset of its first message. */
  readonly baseOffsets: readonly number[]
}

export interface JoinedTopic {
  readonly name: string
  readonly partitions: number
  /** A topic of messages: where it was deleted meanwhile, nothing is kept under its name. */
  readonly mustExist?: boolean
}

export interface JoinOptions {
  readonly topics: readonly JoinedTopic[]
  /** After this long without a sign of life, a member's partitions go to the others. */
  readonly sessionTimeoutMs?: number
  /** One member owns everything and the others stand by: for what only one hand may write. */
  readonly exclusive?: boolean
  /** All members of a group run the same plan; another hash makes the older members leave. */
  readonly planHash?: string
}

/** What changed for this member since it last looked. */
export interface AssignmentChange {
  /** May be read from their checkpoints at once. */
  readonly granted: readonly TopicPartition[]
  /** Are wanted by another member: finish or drop the work, then `release` them. */
  readonly revoking: readonly TopicPartition[]
  /** Were taken away without asking: this member was silent too long. Drop the work. */
  readonly lost: readonly TopicPartition[]
}

/** One member's place in a group. */
export interface Membership {
  readonly group: string
  readonly memberId: string
  /** Rises whenever the members of the group change. */
  readonly generation: number
  /** Partitions that this member may commit for. */
  readonly owned: readonly TopicPartition[]
  /** Those that would be this member's if the process that has them ended; missing: it is not known. */
  readonly next?: readonly TopicPartition[]
  readonly paused: boolean
  /** True when a member with another plan has joined later: finish, leave, and say so. */
  readonly superseded: boolean
  /**
   * A sign of life that also tells what changed. To be called at least every third of the timeout.
   * A member that was evicted hears of all it had as `lost`; owning nothing, it gets `MEMBER_FENCED`
   * thrown. Either way it has to join again.
   */
  heartbeat(): Promise<AssignmentChange>
  release(partitions: readonly TopicPartition[]): Promise<void>
  /** Gives everything back at once. Safe to call twice. */
  leave(): Promise<void>
}

export interface GroupInfo {
  readonly name: string
  /**
   * Rises whenever partitions are shared out anew. 0 where that is not known: on Kafka a group that
   * nobody is in does not tell.
   */
  readonly generation: number
  readonly paused: boolean
  readonly members: readonly {
    readonly memberId: string
    /** See `JoinOptions.planHash`. */
    readonly planHash?: string | undefined
    readonly owned: readonly TopicPartition[]
    /** The machine and the process it runs in; a member that is another program may not say. */
    readonly host?: string | undefined
    readonly pid?: number | undefined
  }[]
  readonly checkpoints: readonly Checkpoint[]
}

export interface ReadOptions {
  /** Stops after the record batch that reaches this many bytes; one batch is always read whole. */
  readonly maxBytes?: number
}

export interface StateRange {
  /** The first key that may be given; undefined: from the first there is. */
  readonly from?: string | undefined
  /** Keys from here on are not given; undefined: to the last there is. */
  readonly to?: string | undefined
  readonly limit: number
}

export type StateEntry = readonly [key: string, value: Buffer]

/** What a store has in one partition, as far as that can be told without reading it all. */
export interface StateSize {
  readonly partition: number
  readonly keys?: number | undefined
  /** Keys and values; on Kafka what the changelog takes, with what was replaced and not yet removed. */
  readonly sizeBytes?: number | undefined
}

export interface OpenStateOptions {
  /** Who commits its changes. */
  readonly member?: Membership | undefined
  /**
   * Where the state has to be brought here first: how far that is, in offsets of whatever it is
   * brought from. Called again and again, at last with both the same.
   */
  readonly onProgress?: ((restored: number, total: number) => void) | undefined
}

/**
 * Keyed state of one store and partition, as its owner sees it: near, and in the order of keys. Keys
 * are well-formed text (no half of a surrogate pair). One handle at a time has it open to change it.
 *
 * Once a commit of its owner failed other than by being refused, what it shows may be no longer what
 * is committed: it may reject with `STATE_LOST` from then on, and is to be closed and opened anew, by
 * whoever owns the partition then.
 */
export interface OwnedState {
  /** A key without a value is left out. */
  get(keys: readonly string[]): Promise<Map<string, Buffer>>
  /** In the order of the keys' UTF-8 bytes, which for text beyond U+FFFF is not that of `<`. */
  scan(range: StateRange): Promise<readonly StateEntry[]>
  /** Safe to call twice; the other calls then reject with `STATE_LOST`. */
  close(): Promise<void>
}

/** A copy of state that somebody else owns, which is kept near to be taken over. */
export interface FollowedState {
  /** Offsets that it is behind; undefined: it is not known yet. */
  readonly lag: number | undefined
  /** Safe to call twice. */
  close(): Promise<void>
}

export interface Log {
  /** Throws `TOPIC_EXISTS`, `NAME_INVALID`. Resolves once the topic survives a crash. */
  createTopic(name: string, settings?: Partial<TopicSettings>): Promise<TopicInfo>
  /** Its messages, and what groups committed on it, go too. Throws `TOPIC_UNKNOWN`. */
  deleteTopic(name: string): Promise<void>
  topics(): Promise<readonly TopicInfo[]>
  /** Undefined when there is no such topic. */
  topic(name: string): Promise<TopicInfo | undefined>

  /**
   * Bytes that topics take where they are kept, one copy of them, by name; what is no longer needed
   * and not yet removed is included. A topic is left out where there is none, or where this user may
   * not know it.
   */
  sizes(topics: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** Throws `TOPIC_UNKNOWN`. */
  offsets(topic: string, partition: number): Promise<OffsetRange>
  /**
   * Behind all that is written, on Kafka also by transactions that are still open: whoever has read up
   * to here knows all that was committed before the call. Throws `TOPIC_UNKNOWN`.
   */
  writtenEnd(topic: string, partition: number): Promise<number>
  /** The first offset whose message's time is at or after `timeMs`; the end when there is none. */
  offsetAtTime(topic: string, partition: number, timeMs: number): Promise<number>
  /**
   * Messages from `offset` on, committed ones only. Undefined when there is nothing to read and no
   * gap to move past. A batch may be empty: then only its `nextOffset` counts. An offset before the
   * start of the partition reads from the start; the caller compares.
   * Throws `TOPIC_UNKNOWN`, `BATCH_DAMAGED`.
   */
  read(
    topic: string,
    partition: number,
    offset: number,
    options?: ReadOptions,
  ): Promise<Batch | undefined>
  /**
   * A number that has risen once something was committed to a partition that this handle read to its
   * end; asked before looking, given to `changed`.
   */
  revision(): number
  /** Resolves once the revision is above `since`, or after `waitMs`, or when the signal aborts. */
  changed(since: number, waitMs: number, signal?: AbortSignal): Promise<void>
  /** True: `count` reads what it counts, so it is to be asked of short stretches or seldom. */
  readonly countsByReading: boolean
  /**
   * Messages that are really there between two offsets, counted in what is stored, not in what was
   * remembered: the ledger's second check. `by` counts only what that group committed.
   */
  count(
    topic: string,
    partition: number,
    range: OffsetRange,
    options?: { readonly by?: string },
  ): Promise<number>

  /**
   * Outputs, checkpoints and changes, together or not at all; resolves once they survive a power
   * cut. Throws `MEMBER_FENCED` (nothing was done), `MESSAGE_TOO_LARGE` and `MESSAGE_INVALID` (the
   * order `refused`: they name the messages), `DISK_FULL`, `LOG_BUSY`, `TOPIC_UNKNOWN`, `METADATA_TOO_LARGE`.
   */
  commit(commit: Commit): Promise<CommitResult>

  join(group: string, options: JoinOptions): Promise<Membership>
  groups(): Promise<readonly GroupInfo[]>
  /** Undefined when nobody joined or committed under that name. */
  group(name: string): Promise<GroupInfo | undefined>
  /** Checkpoints are set as given (`offset` -1 deletes one). Throws `GROUP_ACTIVE` while it has members. */
  resetGroup(name: string, checkpoints: readonly Checkpoint[]): Promise<void>
  /** Forgets the group with its checkpoints. Throws `GROUP_ACTIVE` while it has members. */
  deleteGroup(name: string): Promise<void>
  /** A paused group's members keep their partitions and do nothing. */
  pauseGroup(name: string, paused: boolean): Promise<void>

  /**
   * Keyed state for whoever owns the partition, with all that was committed before the call, and what
   * is committed through this log from then on, as soon as the commit has resolved. To be opened after
   * the checkpoints of the partition were fetched: then it has at least what belongs to them.
   * Throws `CHANGELOG_DAMAGED`, `LOG_BUSY`, `DISK_FULL`.
   */
  openState(store: string, partition: number, options?: OpenStateOptions): Promise<OwnedState>
  /**
   * Follows the state of a partition that another process owns, until it is closed, or opened here as
   * its owner: then only the tail is to be read. Missing where state lies where all can reach it.
   */
  followState?(store: string, partition: number): FollowedState
  /**
   * For whoever does not own the partition: values of keyed state, committed ones only; a key without
   * a value is left out.
   */
  state(store: string, partition: number, keys: readonly string[]): Promise<Map<string, Buffer>>
  /**
   * The same for keys in a range, in the order of their UTF-8 bytes; see `OwnedState.scan`. One call
   * sees one moment. On Kafka all of the partition is read for it.
   */
  scanState(store: string, partition: number, range: StateRange): Promise<readonly StateEntry[]>
  /** Names of the stores that something was written to, in order. */
  stores(): Promise<readonly string[]>
  /** The partitions where a store has something, in order; on Kafka also some where it had. */
  stateSizes(store: string): Promise<readonly StateSize[]>
  /** Forgets a store whole. Nobody has it open. */
  deleteState(store: string): Promise<void>

  /** Safe to call twice. Whatever is still being committed ends first. */
  close(): Promise<void>
}
