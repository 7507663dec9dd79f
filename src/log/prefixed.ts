/**
 * A log whose names all begin with a prefix where they are kept, so that environments and applications
 * share a cluster: topics, groups, stores of state and what is derived from them. Whoever uses it sees
 * the names without.
 */
import { Batch } from '../core/batch.ts'
import { checkName } from './checks.ts'
import type {
  AssignmentChange,
  Checkpoint,
  Commit,
  CommitResult,
  GroupInfo,
  JoinOptions,
  Log,
  Membership,
  OffsetRange,
  OpenStateOptions,
  OwnedState,
  ReadOptions,
  StateChange,
  StateEntry,
  StateRange,
  StateSize,
  TopicInfo,
  TopicPartition,
  TopicSettings,
} from './log.ts'

/** `prefix.name`, for topics and groups alike. */
class Names {
  readonly #begin: string

  constructor(prefix: string) {
    this.#begin = `${prefix}.`
  }

  kept = (name: string): string => this.#begin + name
  isOurs = (name: string): boolean => name.startsWith(this.#begin)
  shown = (name: string): string => name.slice(this.#begin.length)
  keptOf = <T extends { readonly topic: string }>(one: T): T => ({
    ...one,
    topic: this.kept(one.topic),
  })
  shownOf = <T extends { readonly topic: string }>(one: T): T => ({
    ...one,
    topic: this.shown(one.topic),
  })
}

export function prefixed(log: Log, prefix: string): Log {
  return new PrefixedLog(log, new Names(prefix))
}

class PrefixedLog implements Log {
  readonly #log: Log
  readonly #names: Names

  constructor(log: Log, names: Names) {
    this.#log = log
    this.#names = names
  }

  get countsByReading(): boolean {
    return this.#log.countsByReading
  }

  async createTopic(name: string, settings?: Partial<TopicSettings>): Promise<TopicInfo> {
    // With the prefix a name may be one that without it is none.
    checkName('topic', name)
    return this.#info(await this.#log.createTopic(this.#names.kept(name), settings))
  }

  deleteTopic(name: string): Promise<void> {
    return this.#log.deleteTopic(this.#names.kept(name))
  }

  async topics(): Promise<readonly TopicInfo[]> {
    const all = await this.#log.topics()
    return all.filter(({ name }) => this.#names.isOurs(name)).map((one) => this.#info(one))
  }

  async topic(name: string): Promise<TopicInfo | undefined> {
    const found = await this.#log.topic(this.#names.kept(name))
    return found && this.#info(found)
  }

  async sizes(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const sizes = await this.#log.sizes(topics.map(this.#names.kept))
    return new Map([...sizes].map(([name, sizeBytes]) => [this.#names.shown(name), sizeBytes]))
  }

  offsets(topic: string, partition: number): Promise<OffsetRange> {
    return this.#log.offsets(this.#names.kept(topic), partition)
  }

  writtenEnd(topic: string, partition: number): Promise<number> {
    return this.#log.writtenEnd(this.#names.kept(topic), partition)
  }

  offsetAtTime(topic: string, partition: number, timeMs: number): Promise<number> {
    return this.#log.offsetAtTime(this.#names.kept(topic), partition, timeMs)
  }

  async read(
    topic: string,
    partition: number,
    offset: number,
    options?: ReadOptions,
  ): Promise<Batch | undefined> {
    const batch = await this.#log.read(this.#names.kept(topic), partition, offset, options)
    return batch && new Batch({ ...batch, topic })
  }

  revision(): number {
    return this.#log.revision()
  }

  changed(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    return this.#log.changed(since, waitMs, signal)
  }

  count(
    topic: string,
    partition: number,
    range: OffsetRange,
    { by }: { readonly by?: string } = {},
  ): Promise<number> {
    const options = by === undefined ? {} : { by: this.#names.kept(by) }
    return this.#log.count(this.#names.kept(topic), partition, range, options)
  }

  commit({ outputs, checkpoints, changes, changesOf, member }: Commit): Promise<CommitResult> {
    const stored = (change: StateChange) => ({ ...change, store: this.#names.kept(change.store) })
    return this.#log.commit({
      outputs: outputs.map(this.#names.keptOf),
      ...(checkpoints && { checkpoints: checkpoints.map(this.#names.keptOf) }),
      ...(changes && { changes: changes.map(stored) }),
      ...(changesOf && { changesOf: (result) => changesOf(result).map(stored) }),
      ...(member && { member: (member as PrefixedMember).inner }),
    })
  }

  async join(group: string, options: JoinOptions): Promise<Membership> {
    checkName('group', group)
    const topics = options.topics.map((one) => ({ ...one, name: this.#names.kept(one.name) }))
    const inner = await this.#log.join(this.#names.kept(group), { ...options, topics })
    return new PrefixedMember(group, inner, this.#names)
  }

  async groups(): Promise<readonly GroupInfo[]> {
    const all = await this.#log.groups()
    return all.filter(({ name }) => this.#names.isOurs(name)).map((one) => this.#groupInfo(one))
  }

  async group(name: string): Promise<GroupInfo | undefined> {
    const found = await this.#log.group(this.#names.kept(name))
    return found && this.#groupInfo(found)
  }

  resetGroup(name: string, checkpoints: readonly Checkpoint[]): Promise<void> {
    return this.#log.resetGroup(this.#names.kept(name), checkpoints.map(this.#names.keptOf))
  }

  deleteGroup(name: string): Promise<void> {
    return this.#log.deleteGroup(this.#names.kept(name))
  }

  pauseGroup(name: string, paused: boolean): Promise<void> {
    return this.#log.pauseGroup(this.#names.kept(name), paused)
  }

  openState(store: string, partition: number, options: OpenStateOptions = {}): Promise<OwnedState> {
    const member = options.member && (options.member as PrefixedMember).inner
    return this.#log.openState(this.#names.kept(store), partition, { ...options, member })
  }

  get followState(): Log['followState'] {
    const follow = this.#log.followState?.bind(this.#log)
    return follow && ((store, partition) => follow(this.#names.kept(store), partition))
  }

  state(store: string, partition: number, keys: readonly string[]): Promise<Map<string, Buffer>> {
    return this.#log.state(this.#names.kept(store), partition, keys)
  }

  scanState(store: string, partition: number, range: StateRange): Promise<readonly StateEntry[]> {
    return this.#log.scanState(this.#names.kept(store), partition, range)
  }

  async stores(): Promise<readonly string[]> {
    return (await this.#log.stores()).filter(this.#names.isOurs).map(this.#names.shown)
  }

  stateSizes(store: string): Promise<readonly StateSize[]> {
    return this.#log.stateSizes(this.#names.kept(store))
  }

  deleteState(store: string): Promise<void> {
    return this.#log.deleteState(this.#names.kept(store))
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  #info(info: TopicInfo): TopicInfo {
    return { ...info, name: this.#names.shown(info.name) }
  }

  #groupInfo(info: GroupInfo): GroupInfo {
    return {
      ...info,
      name: this.#names.shown(info.name),
      members: info.members.map((one) => ({ ...one, owned: one.owned.map(this.#names.shownOf) })),
      checkpoints: info.checkpoints.map(this.#names.shownOf),
    }
  }
}

class PrefixedMember implements Membership {
  readonly group: string
  readonly inner: Membership
  readonly #names: Names
  #innerNext: Membership['next']
  #next: Membership['next']

  constructor(group: string, inner: Membership, names: Names) {
    this.group = group
    this.inner = inner
    this.#names = names
  }

  get memberId(): string {
    return this.inner.memberId
  }

  get generation(): number {
    return this.inner.generation
  }

  get owned(): readonly TopicPartition[] {
    return this.inner.owned.map(this.#names.shownOf)
  }

  get next(): readonly TopicPartition[] | undefined {
    // The same for as long as it is the same inside.
    if (this.#innerNext !== this.inner.next) {
      this.#innerNext = this.inner.next
      this.#next = this.#innerNext?.map(this.#names.shownOf)
    }
    return this.#next
  }

  get paused(): boolean {
    return this.inner.paused
  }

  get superseded(): boolean {
    return this.inner.superseded
  }

  async heartbeat(): Promise<AssignmentChange> {
    const { granted, revoking, lost } = await this.inner.heartbeat()
    const shown = (some: readonly TopicPartition[]) => some.map(this.#names.shownOf)
    return { granted: shown(granted), revoking: shown(revoking), lost: shown(lost) }
  }

  release(partitions: readonly TopicPartition[]): Promise<void> {
    return this.inner.release(partitions.map(this.#names.keptOf))
  }

  leave(): Promise<void> {
    return this.inner.leave()
  }
}
