/** What the laws of the log are written with. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { BatchBuilder } from '../core/batch-builder.ts'
import { codeOf, type ErrorCode, type Refusal } from '../core/errors.ts'
import type { Header } from '../core/headers.ts'
import { messagesOf } from '../core/message.ts'
import type { Commit, Log, Membership, Output, TopicPartition } from './log.ts'
import { nameOf } from './topic-partition.ts'

/** A log that was just made, empty. What is left out cannot be done, and its laws are not asked. */
export interface LogSetup {
  readonly log: Log
  /** Closes `log` and opens what it left behind. */
  reopen?(): Promise<Log>
  /** Another handle on the same store, as another process would have. `close` closes it too. */
  second?(): Promise<Log>
  /** Does now what retention and compaction do in their own time, the newest messages included. */
  maintain?(): Promise<void>
  /** Lets time pass for the log; without it the suite waits. */
  elapse?(waitMs: number): Promise<void>
  /** The log's own clock. */
  now?(): number
  /**
   * Why a commit may be seen in one partition a moment before it is seen in another; undefined: it
   * never is.
   */
  readonly whyNotAtOnce?: string
  /** A timeout that members may have: 10 s where time can be made to pass, else 1 s. */
  readonly sessionTimeoutMs?: number
  close(): Promise<void>
}

export type OpenLog = () => Promise<LogSetup>

export interface Sent {
  readonly key?: string | null
  readonly value: string | null
  readonly time?: number
  readonly headers?: readonly Header[]
}

export interface Seen {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly time: number
  readonly headers: readonly (readonly [string, string | null])[]
  readonly id: string
}

export const someTime = 1_700_000_000_000

/** Opens, works, and closes whatever happens. */
export async function withLog(
  open: OpenLog,
  work: (log: Log, setup: LogSetup) => Promise<void>,
): Promise<void> {
  const setup = await open()
  try {
    await work(setup.log, setup)
  } finally {
    await setup.close()
  }
}

export function output(
  topic: string,
  partition: number,
  messages: readonly (Sent | string)[],
): Output {
  const builder = new BatchBuilder(topic, partition)
  for (const message of messages) {
    const {
      key = null,
      value,
      time = someTime,
      headers = [],
    } = typeof message === 'string' ? { value: message } : message
    builder.append(key, value, time, headers)
  }
  return { topic, partition, batch: builder.build() }
}

/** Commits messages to one partition; returns the offset of the first. */
export async function put(
  log: Log,
  topic: string,
  partition: number,
  messages: readonly (Sent | string)[],
  rest: Partial<Commit> = {},
): Promise<number> {
  const { baseOffsets } = await log.commit({
    ...rest,
    outputs: [output(topic, partition, messages)],
  })
  return baseOffsets[0]!
}

/** Everything from an offset to the end, however many reads it takes. */
export async function readAll(
  log: Log,
  topic: string,
  partition: number,
  from = 0,
  maxBytes?: number,
  patience = 50,
): Promise<Seen[]> {
  const seen: Seen[] = []
  let position = from
  for (;;) {
    const options = maxBytes === undefined ? {} : { maxBytes }
    const batch = await log.read(topic, partition, position, options)
    if (batch === undefined) break
    assert.ok(batch.nextOffset > position, 'a read moves on')
    assert.deepEqual([batch.topic, batch.partition], [topic, partition])
    for (const message of messagesOf(batch)) {
      const last = seen.at(-1)?.offset ?? -1
      assert.ok(message.offset > last, 'offsets rise')
      assert.ok(message.offset >= from && message.offset < batch.nextOffset)
      seen.push({
        offset: message.offset,
        key: message.key?.toString() ?? null,
        value: message.value?.toString() ?? null,
        time: message.time,
        headers: message.headers.map(({ key, value }) => [key, value?.toString() ?? null]),
        id: message.id,
      })
    }
    position = batch.nextOffset
  }
  const { end } = await log.offsets(topic, partition)
  // Somebody has committed meanwhile.
  if (end > position && patience > 0) {
    const rest = await readAll(log, topic, partition, position, maxBytes, patience - 1)
    return [...seen, ...rest]
  }
  assert.ok(position >= Math.min(end, from), 'reading ends at the end')
  assert.ok(from > end || position === end, 'the last position is the end, so that lag reaches 0')
  return seen
}

/** Resolves once a handle shows what another one committed up to an offset: soon, not at once. */
export async function shown(
  log: Log,
  topic: string,
  partition: number,
  end: number,
): Promise<void> {
  for (let round = 0; (await log.offsets(topic, partition)).end < end; round++) {
    assert.ok(round < 500, 'what one handle committed is soon seen by another')
    await sleep(2)
  }
}

export async function valuesIn(
  log: Log,
  topic: string,
  partition = 0,
  from = 0,
): Promise<(string | null)[]> {
  return (await readAll(log, topic, partition, from)).map(({ value }) => value)
}

/** The promise is rejected with that declared code; returns the messages it names. */
export async function refusedWith(
  code: ErrorCode,
  promise: Promise<unknown>,
): Promise<readonly Refusal[]> {
  try {
    await promise
  } catch (error) {
    assert.equal(codeOf(error), code, String(error))
    return (error as { refused?: readonly Refusal[] }).refused ?? []
  }
  assert.fail(`nothing was thrown, not ${code}`)
}

export { nameOf }

export const namesOf = (partitions: readonly TopicPartition[]) => partitions.map(nameOf).sort()

/** A member that does as told: it releases what is wanted of it. */
export async function beat(member: Membership): Promise<void> {
  const { revoking } = await member.heartbeat()
  if (revoking.length > 0) await member.release(revoking)
}

/** Heartbeats of all members until nothing moves any more. */
export async function settle(...members: Membership[]): Promise<void> {
  let calm = 0
  let last = ''
  for (let round = 0; calm < 3; round++) {
    assert.ok(round < 500, 'the members of a group come to rest')
    for (const member of members) await beat(member)
    const now = JSON.stringify(members.map(({ owned }) => namesOf(owned)))
    calm = now === last ? calm + 1 : 0
    if (round > 10) await sleep(20)
    last = now
  }
}

/** Joins a group, alone: owns every partition of the topics when it resolves. */
export async function joinAlone(
  log: Log,
  group: string,
  topics: readonly { name: string; partitions: number }[],
): Promise<Membership> {
  const member = await log.join(group, { topics })
  const all = topics.reduce((sum, { partitions }) => sum + partitions, 0)
  for (let round = 0; round < 50 && member.owned.length < all; round++) await settle(member)
  assert.equal(member.owned.length, all, 'who is alone in a group owns all of it')
  return member
}

export async function pass(setup: LogSetup, waitMs: number): Promise<void> {
  await (setup.elapse?.(waitMs) ?? sleep(waitMs))
}

export const timeoutOf = (setup: LogSetup): number =>
  setup.sessionTimeoutMs ?? (setup.elapse === undefined ? 1_000 : 10_000)
