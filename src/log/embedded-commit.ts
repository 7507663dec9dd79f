/**
 * The one committer of a log handle. Commits that come while another is on its way wait and then go
 * together: their bytes are appended, made durable, and counted by one transaction. They keep their
 * order; one that is refused is left out and its neighbours go on.
 */
import type { Clock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import type { EmbeddedDatabase } from './embedded-database.ts'
import { Index } from './embedded-index.ts'
import { type Chunk, giveBackChunks, type PreparedCommit, prepare } from './embedded-prepare.ts'
import type { OpenSegment, SegmentWriter } from './embedded-segments.ts'
import type { StoredTopic, TopicCatalog } from './embedded-topics.ts'
import type { Commit, CommitResult } from './log.ts'

/** A transaction takes no more than this, so that it stays short. */
const groupCommits = 512
const groupBytes = 32 * 1024 * 1024
/** Callers wait for their commits; one that does not is stopped here. */
const queueCommits = 16_384
/** How often a commit is prepared again because its topic or segment was deleted meanwhile. */
const staleTries = 5

export interface CommitQueueOptions {
  readonly database: EmbeddedDatabase
  readonly topics: TopicCatalog
  readonly segments: SegmentWriter
  readonly clock: Clock
  readonly onStep: (step: 'queued' | 'appended' | 'synced') => void
  /** Called after each transaction. */
  readonly onCommitted: () => void
}

export interface CommitMetrics {
  commits: number
  /** Transactions: fewer than commits when several went together. */
  transactions: number
  messages: number
  appendedBytes: number
  /** The longest that a commit took, from the call to its end. */
  commitMsMax: number
}

interface Pending {
  readonly commit: Commit
  readonly queuedAt: number
  readonly resolve: (result: CommitResult) => void
  readonly reject: (error: unknown) => void
}

interface Work {
  readonly pending: Pending
  prepared: PreparedCommit
}

export class CommitQueue {
  readonly #options: CommitQueueOptions
  readonly #index: Index
  #queue: Pending[] = []
  #running: Promise<void> | undefined
  readonly metrics: CommitMetrics = {
    commits: 0,
    transactions: 0,
    messages: 0,
    appendedBytes: 0,
    commitMsMax: 0,
  }

  constructor(options: CommitQueueOptions) {
    this.#options = options
    this.#index = new Index(options.database, options.clock)
  }

  get depth(): number {
    return this.#queue.length
  }

  submit(commit: Commit): Promise<CommitResult> {
    if (this.#queue.length >= queueCommits) {
      const waiting = `${this.#queue.length} commits are waiting; await them before making more`
      return Promise.reject(fail('LOG_BUSY', `commit: ${waiting}`, { waitMs: 100 }))
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ commit, queuedAt: performance.now(), resolve, reject })
      this.#options.onStep('queued')
      this.#running ??= this.#run()
    })
  }

  /** Resolves once nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #run(): Promise<void> {
    // A turn for those that are called in the same breath.
    await null
    while (this.#queue.length > 0) {
      const work = this.#take()
      try {
        await this.#process(work)
      } catch (error) {
        for (const { pending } of work) pending.reject(error)
      }
      // Whoever heard of its commit now has the next one ready: else two halves would take turns.
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#running = undefined
  }

  /** The next commits that go together, encoded; those that cannot be are refused here. */
  #take(): Work[] {
    const work: Work[] = []
    let sizeBytes = 0
    let taken = 0
    for (const pending of this.#queue) {
      if (taken >= groupCommits || sizeBytes >= groupBytes) break
      taken++
      const prepared = this.#prepare(pending)
      if (prepared === undefined) continue
      work.push({ pending, prepared })
      for (const chunk of chunksOf(prepared)) sizeBytes += chunk.bytes.length
    }
    this.#queue.splice(0, taken)
    return work
  }

  #prepare(pending: Pending): PreparedCommit | undefined {
    try {
      return prepare(pending.commit, this.#options.topics)
    } catch (error) {
      pending.reject(error)
      return undefined
    }
  }

  async #process(work: Work[]): Promise<void> {
    const { database, segments, onStep, onCommitted } = this.#options
    let rest = work
    for (let tries = 0; rest.length > 0; tries++) {
      if (tries > staleTries) throw fail('LOG_BUSY', 'commit: its topic is deleted again and again')
      const used = await this.#append(rest)
      onStep('appended')
      await segments.sync(used)
      onStep('synced')
      const group = rest.map(({ prepared }) => prepared)
      const outcomes = await database.write(() => this.#index.apply(group))
      this.metrics.transactions++
      onCommitted()
      const stale: Work[] = []
      rest.forEach((one, index) => {
        const outcome = outcomes[index]!
        if (outcome.kind === 'done') this.#done(one, outcome.result)
        else if (outcome.kind === 'refused') one.pending.reject(outcome.error)
        else if (this.#again(one)) stale.push(one)
      })
      rest = stale
    }
  }

  #done({ pending, prepared }: Work, result: CommitResult): void {
    const { metrics } = this
    metrics.commits++
    const chunks = chunksOf(prepared)
    for (const chunk of chunks) metrics.messages += chunk.count
    giveBackChunks(chunks)
    metrics.commitMsMax = Math.max(metrics.commitMsMax, performance.now() - pending.queuedAt)
    pending.resolve(result)
  }

  /** Prepares a commit anew: its topic may be gone for good, or be there with another identity. */
  #again(work: Work): boolean {
    for (const { topic, chunks } of work.prepared.outputs) {
      this.#options.topics.forget(topic.info.name)
      for (const { segment } of chunks) {
        if (segment !== undefined) this.#options.segments.drop(segment)
      }
    }
    const prepared = this.#prepare(work.pending)
    if (prepared === undefined) return false
    work.prepared = prepared
    return true
  }

  /**
   * Appends all chunks, those of a partition side by side, so that one read takes them all. Returns
   * the segments that were written.
   */
  async #append(work: readonly Work[]): Promise<Set<OpenSegment>> {
    const byTopic = new Map<number, { topic: StoredTopic; partitions: Map<number, Chunk[]> }>()
    for (const { prepared } of work) {
      for (const { topic, partition, chunks } of prepared.outputs) {
        let entry = byTopic.get(topic.id)
        if (entry === undefined) {
          entry = { topic, partitions: new Map() }
          byTopic.set(topic.id, entry)
        }
        const list = entry.partitions.get(partition)
        if (list === undefined) entry.partitions.set(partition, [...chunks])
        else list.push(...chunks)
      }
    }
    const used = new Set<OpenSegment>()
    for (const { topic, partitions } of byTopic.values()) {
      const chunks = [...partitions.values()].flat()
      if (chunks.length === 0) continue
      const segment = await this.#options.segments.segmentOf(topic)
      // Left without a place, the transaction finds the topic gone, and it is looked up again.
      if (segment === undefined) continue
      this.#appendTo(segment, chunks)
      used.add(segment)
    }
    return used
  }

  #appendTo(segment: OpenSegment, chunks: readonly Chunk[]): void {
    const start = this.#options.segments.append(
      segment,
      chunks.map(({ bytes }) => bytes),
    )
    let position = start
    for (const chunk of chunks) {
      chunk.segment = segment
      chunk.position = position
      position += chunk.bytes.length
    }
    this.metrics.appendedBytes += position - start
  }
}

function chunksOf(prepared: PreparedCommit): Chunk[] {
  return prepared.outputs.flatMap(({ chunks }) => chunks)
}
