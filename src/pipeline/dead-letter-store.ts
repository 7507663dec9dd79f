/**
 * Dead letters as a person works on them: list what is there, send it through the pipeline again, or
 * drop it. What counts is the newest message of each key; a tombstone means that it was dealt with.
 */

import type { Batch } from '../core/batch.ts'
import { BatchBuilder } from '../core/batch-builder.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { fail, suggestion } from '../core/errors.ts'
import type { Log, Membership, Output, TopicInfo } from '../log/log.ts'
import { hasOthers, leaveForGood } from '../log/turn.ts'
import {
  type DeadLetter,
  deadHeaders,
  deadLetterTopic,
  readDeadLetter,
  replayTopic,
} from './dead-letters.ts'

/** A dead letter and where it lies in `<pipeline>.dead-letters`. */
export interface KeptDeadLetter extends DeadLetter {
  readonly pipeline: string
  /** The bytes under which it is kept there. */
  readonly key: Buffer | null
  /** Partition and offset in the topic of dead letters, not those of the message that failed. */
  readonly keptIn: { readonly partition: number; readonly offset: number }
}

/** Which dead letters are meant: all of them, or those of one message, of some, or of one step. */
export interface Selection {
  readonly id?: string | undefined
  readonly ids?: ReadonlySet<string> | undefined
  readonly step?: string | undefined
}

/** Dead letters with the same step and the same error. */
export interface DeadLetterGroup {
  readonly pipeline: string
  readonly step: string
  readonly error: string
  readonly count: number
  /** How many of them were cut and cannot be replayed. */
  readonly cut: number
  /** The one that failed last. */
  readonly example: KeptDeadLetter
}

/** What one replay or drop did. */
export interface DeadLetterWork {
  /** Replayed or dropped; with `dryRun` what would have been. */
  readonly done: number
  /** Ids of letters of which only the beginning was kept: a replay leaves them where they are. */
  readonly cut: readonly string[]
  readonly commits: number
}

export interface DeadLetterWorkOptions {
  readonly clock?: Clock
  /** Look only. */
  readonly dryRun?: boolean
  /** Bounds of one commit. Defaults: 500 letters, 4 MiB. */
  readonly chunkLetters?: number
  readonly chunkBytes?: number
}

const suffix = deadLetterTopic('')

/** Names of the pipelines that have a topic of dead letters, in order. */
export async function deadLetterPipelines(log: Log): Promise<string[]> {
  const names = (await log.topics()).map((topic) => topic.name)
  return names
    .filter((name) => name.endsWith(suffix) && name.length > suffix.length)
    .map((name) => name.slice(0, -suffix.length))
    .sort()
}

/**
 * The dead letters of a pipeline that were there when it was called, partition by partition in the
 * order in which they were kept. Keeps a number for each in memory, not its value.
 * Throws `TOPIC_UNKNOWN` when there is no such pipeline.
 */
export async function* deadLetters(
  log: Log,
  pipeline: string,
  selection: Selection = {},
): AsyncGenerator<KeptDeadLetter> {
  const { name, partitions } = await topicOf(log, pipeline)
  for (let partition = 0; partition < partitions; partition++) {
    const { end } = await log.offsets(name, partition)
    const newest = new Map<string, number>()
    for await (const batch of batchesUpTo(log, name, partition, end)) note(batch, end, newest)
    if (newest.size === 0) continue
    for await (const batch of batchesUpTo(log, name, partition, end)) {
      for (let index = 0; index < batch.count; index++) {
        if (newest.get(keyText(batch, index)) !== batch.offsets[index]) continue
        const letter = keptLetter(pipeline, batch, index)
        if (matches(letter, selection)) yield letter
      }
    }
  }
}

/** Counts by step and error, most first. Throws `TOPIC_UNKNOWN`. */
export async function deadLetterGroups(log: Log, pipeline: string): Promise<DeadLetterGroup[]> {
  const groups = new Map<string, DeadLetterGroup>()
  for await (const letter of deadLetters(log, pipeline)) {
    const { step, error } = letter
    const name = JSON.stringify([step, error])
    const known = groups.get(name)
    const isNewer = known === undefined || letter.failedAtMs >= known.example.failedAtMs
    groups.set(name, {
      ...{ pipeline, step, error },
      count: (known?.count ?? 0) + 1,
      cut: (known?.cut ?? 0) + (letter.cut === undefined ? 0 : 1),
      example: isNewer ? letter : known.example,
    })
  }
  return [...groups.values()].sort((a, b) => b.count - a.count)
}

/**
 * Sends dead letters through their pipeline again. Each goes with one commit from the topic of dead
 * letters (a tombstone under its key) to the pipeline's replay topic (the same partition, id, time
 * and value, its original key), so a crash in between loses none and doubles none. Letters that fail
 * again meanwhile are not taken a second time.
 * Throws `TOPIC_UNKNOWN`, `GROUP_ACTIVE` while another process works on the same dead letters, and
 * what `commit` throws.
 */
export function replayDeadLetters(
  log: Log,
  pipeline: string,
  selection: Selection,
  options: DeadLetterWorkOptions = {},
): Promise<DeadLetterWork> {
  return work(log, pipeline, selection, { ...options, replays: true })
}

/** Forgets dead letters: tombstones under their keys. Throws as `replayDeadLetters` does. */
export function dropDeadLetters(
  log: Log,
  pipeline: string,
  selection: Selection,
  options: DeadLetterWorkOptions = {},
): Promise<DeadLetterWork> {
  return work(log, pipeline, selection, { ...options, replays: false })
}

type Work = DeadLetterWorkOptions & { readonly replays: boolean }

async function work(
  log: Log,
  pipeline: string,
  selection: Selection,
  options: Work,
): Promise<DeadLetterWork> {
  const topic = await topicOf(log, pipeline)
  if (options.replays) await checkReplayTopic(log, pipeline, topic)
  if (options.dryRun) return workOn(log, pipeline, selection, options)
  return alone(log, topic, (member) => workOn(log, pipeline, selection, options, member))
}

async function workOn(
  log: Log,
  pipeline: string,
  selection: Selection,
  options: Work,
  member?: Membership,
): Promise<DeadLetterWork> {
  const { chunkLetters = 500, chunkBytes = 4 * 1024 * 1024, clock = systemClock } = options
  const cut: string[] = []
  let done = 0
  let commits = 0
  let chunk: Chunk | undefined
  const flush = async () => {
    if (chunk === undefined || member === undefined) return
    await member.heartbeat()
    await log.commit({ outputs: chunk.outputs(), member })
    commits++
    chunk = undefined
  }
  for await (const letter of deadLetters(log, pipeline, selection)) {
    if (options.replays && letter.cut !== undefined) {
      cut.push(letter.id)
      continue
    }
    done++
    if (member === undefined) continue
    if (chunk !== undefined && chunk.partition !== letter.keptIn.partition) await flush()
    chunk ??= new Chunk(pipeline, letter.keptIn.partition, options.replays)
    chunk.add(letter, clock.now())
    if (chunk.count >= chunkLetters || chunk.sizeBytes >= chunkBytes) await flush()
  }
  await flush()
  return { done, cut, commits }
}

/** What one commit takes out of the dead letters of one partition, and puts into the replays. */
class Chunk {
  readonly partition: number
  readonly #tombstones: BatchBuilder
  readonly #replays: BatchBuilder | undefined

  constructor(pipeline: string, partition: number, replays: boolean) {
    this.partition = partition
    this.#tombstones = new BatchBuilder(deadLetterTopic(pipeline), partition)
    this.#replays = replays ? new BatchBuilder(replayTopic(pipeline), partition) : undefined
  }

  get count(): number {
    return this.#tombstones.count
  }

  get sizeBytes(): number {
    return this.#tombstones.sizeBytes + (this.#replays?.sizeBytes ?? 0)
  }

  add(letter: KeptDeadLetter, nowMs: number): void {
    this.#tombstones.append(letter.key, null, nowMs)
    const original = letter.headers.find((one) => one.key === deadHeaders.key)?.value ?? null
    // What the message is again it needs not be told, which could make the message too large.
    const told: readonly string[] = [deadHeaders.key, deadHeaders.delete]
    const headers = letter.headers.filter((one) => !told.includes(one.key))
    this.#replays?.append(original, letter.value, letter.timeMs, headers)
  }

  outputs(): Output[] {
    const builders = this.#replays === undefined ? [] : [this.#replays]
    return [this.#tombstones, ...builders].map((builder) => ({
      topic: builder.topic,
      partition: this.partition,
      batch: builder.build(),
    }))
  }
}

const firstGenerationMs = 10_000

/**
 * Lets one process at a time work on a pipeline's dead letters: two would replay the same ones
 * twice. Whoever owns the topic in a group of the topic's name may; its commits are fenced.
 */
async function alone<Result>(
  log: Log,
  { name, partitions }: TopicInfo,
  work: (member: Membership) => Promise<Result>,
): Promise<Result> {
  const member = await log.join(name, { topics: [{ name, partitions }], exclusive: true })
  try {
    await member.heartbeat()
    // On Kafka a member waits a little for its first generation, also where nobody else is.
    const untilMs = systemClock.now() + firstGenerationMs
    while (member.owned.length < partitions && systemClock.now() < untilMs) {
      if (await hasOthers(log, member)) break
      await systemClock.sleep(20)
      await member.heartbeat()
    }
    if (member.owned.length < partitions) {
      throw fail(
        'GROUP_ACTIVE',
        `${name}: another process replays or drops these dead letters; wait until it has ended`,
      )
    }
    return await work(member)
  } finally {
    await leaveForGood(log, member)
  }
}

async function topicOf(log: Log, pipeline: string): Promise<TopicInfo> {
  const topic = await log.topic(deadLetterTopic(pipeline))
  if (topic !== undefined) return topic
  const known = await deadLetterPipelines(log)
  const hint = suggestion(pipeline, known) || `known: ${known.join(', ') || 'none yet'}`
  throw fail('TOPIC_UNKNOWN', `dead letters: no pipeline '${pipeline}' has run here; ${hint}`)
}

/** Throws `TOPIC_UNKNOWN` or `TOPIC_DIFFERS` where a replay would have no place to go to. */
async function checkReplayTopic(log: Log, pipeline: string, dead: TopicInfo): Promise<void> {
  const replay = await log.topic(replayTopic(pipeline))
  if (replay === undefined) {
    const reason = 'does not exist: run the pipeline once, which makes it'
    throw fail('TOPIC_UNKNOWN', `dead letters of ${pipeline}: ${replayTopic(pipeline)} ${reason}`)
  }
  if (replay.partitions < dead.partitions) {
    const counts = `${replay.partitions} partitions, ${dead.name} has ${dead.partitions}`
    throw fail('TOPIC_DIFFERS', `${replay.name} has ${counts}; delete it and run the pipeline once`)
  }
}

async function* batchesUpTo(
  log: Log,
  topic: string,
  partition: number,
  end: number,
): AsyncGenerator<Batch> {
  let { start: offset } = await log.offsets(topic, partition)
  while (offset < end) {
    const batch = await log.read(topic, partition, offset)
    if (batch === undefined) return
    yield batch
    offset = batch.nextOffset
  }
}

/** Notes the newest offset of each key, and forgets keys with a tombstone. */
function note(batch: Batch, end: number, newest: Map<string, number>): void {
  for (let index = 0; index < batch.count && batch.offsets[index]! < end; index++) {
    const key = keyText(batch, index)
    if (batch.valueStarts[index]! < 0) newest.delete(key)
    else newest.set(key, batch.offsets[index]!)
  }
}

function keyText(batch: Batch, index: number): string {
  const start = batch.keyStarts[index]!
  return start < 0 ? '' : batch.bytes.toString('latin1', start, batch.keyEnds[index]!)
}

function keptLetter(pipeline: string, batch: Batch, index: number): KeptDeadLetter {
  const start = batch.keyStarts[index]!
  const key = start < 0 ? null : Buffer.from(batch.bytes.subarray(start, batch.keyEnds[index]!))
  const keptIn = { partition: batch.partition, offset: batch.offsets[index]! }
  return { ...readDeadLetter(batch, index), pipeline, key, keptIn }
}

function matches(letter: DeadLetter, { id, ids, step }: Selection): boolean {
  if (ids !== undefined && !ids.has(letter.id)) return false
  return (id === undefined || letter.id === id) && (step === undefined || letter.step === step)
}
