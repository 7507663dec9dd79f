/** How far a group came: its partitions with lag, and its ledger, from what its checkpoints say. */
import { codeOf } from '../core/errors.ts'
import type { Checkpoint, GroupInfo, Log } from '../log/log.ts'
import { ageSeconds, timeAt } from '../monitoring/message-ages.ts'
import { type CheckpointData, parseCheckpoint } from '../pipeline/checkpoint.ts'
import { addSaved, type StepCounts } from '../pipeline/ledger.ts'
import { partitionsOf } from './context.ts'

export interface GroupPartition {
  readonly topic: string
  readonly partition: number
  /** The member that works on it. */
  readonly member: string | undefined
  /** Where that member runs, as far as it says. */
  readonly host: string | undefined
  readonly pid: number | undefined
  /** The next offset to read; undefined: it has not begun. Of a source: how many it has read. */
  readonly committed: number | undefined
  /** Undefined for a source, which is no topic of the log. */
  readonly end: number | undefined
  readonly lag: number | undefined
  /** Since the time of the first message that waits; 0 when caught up. */
  readonly lagSeconds: number | undefined
  /** Messages that retention took before they were read. */
  readonly expired: number
  /** True for a finite source that was read to its end. */
  readonly done: boolean
  readonly checkpoint: Checkpoint | undefined
  /** Undefined: none, or not written by a pipeline. */
  readonly data: CheckpointData | undefined
}

export interface GroupState {
  readonly name: string
  readonly state: 'running' | 'idle' | 'paused'
  /** Rises whenever partitions are shared out anew; 0: not known, nobody is in the group. */
  readonly generation: number
  readonly members: GroupInfo['members']
  readonly partitions: readonly GroupPartition[]
  /** Of all partitions together. */
  readonly lag: number
  /** Of the partition that is furthest behind. */
  readonly lagSeconds: number
  readonly ledger: ReadonlyMap<string, StepCounts>
  /** Partitions whose checkpoint this version cannot read. */
  readonly unreadable: readonly string[]
}

/** Looks at every partition of every topic that the group has read or owns. */
export async function groupState(
  log: Log,
  group: GroupInfo,
  nowMs = Date.now(),
): Promise<GroupState> {
  const owned = group.members.flatMap((member) => member.owned)
  const topics = [...new Set([...group.checkpoints, ...owned].map((place) => place.topic))].sort()
  const partitions: GroupPartition[] = []
  const unreadable: string[] = []
  for (const topic of topics) {
    for (const partition of await numbersOf(log, group, topic)) {
      const found = await partitionState(log, group, topic, partition, unreadable)
      partitions.push({ ...found, lagSeconds: await lagSecondsOf(log, found, nowMs) })
    }
  }
  const ledger = new Map<string, StepCounts>()
  for (const { data } of partitions) if (data !== undefined) addSaved(ledger, data.ledger)
  const isRunning = group.members.length > 0
  return {
    name: group.name,
    state: group.paused ? 'paused' : isRunning ? 'running' : 'idle',
    generation: group.generation,
    members: group.members,
    partitions,
    lag: partitions.reduce((sum, one) => sum + (one.lag ?? 0), 0),
    lagSeconds: Math.max(0, ...partitions.map((one) => one.lagSeconds ?? 0)),
    ledger,
    unreadable,
  }
}

async function lagSecondsOf(
  log: Log,
  { topic, partition, committed, lag, end, expired }: Omit<GroupPartition, 'lagSeconds'>,
  nowMs: number,
): Promise<number | undefined> {
  if (lag === undefined || end === undefined) return undefined
  if (lag === 0) return 0
  const position = (committed ?? 0) + expired
  return ageSeconds(nowMs, await timeAt(log, { topic, partition, position }))
}

async function numbersOf(log: Log, group: GroupInfo, topic: string): Promise<number[]> {
  const info = await log.topic(topic)
  if (info !== undefined) return partitionsOf(info)
  const places = [...group.checkpoints, ...group.members.flatMap((member) => member.owned)]
  const numbers = places.filter((place) => place.topic === topic).map((place) => place.partition)
  return [...new Set(numbers)].sort((a, b) => a - b)
}

async function partitionState(
  log: Log,
  group: GroupInfo,
  topic: string,
  partition: number,
  unreadable: string[],
): Promise<Omit<GroupPartition, 'lagSeconds'>> {
  const isHere = (place: { topic: string; partition: number }) =>
    place.topic === topic && place.partition === partition
  const checkpoint = group.checkpoints.find(isHere)
  const data = dataOf(group, checkpoint, unreadable)
  const range = (await log.topic(topic)) && (await log.offsets(topic, partition))
  const committed = checkpoint?.offset
  const owner = group.members.find((member) => member.owned.some(isHere))
  const next = Math.max(committed ?? 0, range?.start ?? 0)
  return {
    topic,
    partition,
    ...{ member: owner?.memberId, host: owner?.host, pid: owner?.pid },
    committed,
    end: range?.end,
    lag: range === undefined ? undefined : Math.max(0, range.end - next),
    expired: range === undefined || committed === undefined ? 0 : next - committed,
    done: data?.done === true,
    checkpoint,
    data,
  }
}

function dataOf(
  group: GroupInfo,
  checkpoint: Checkpoint | undefined,
  unreadable: string[],
): CheckpointData | undefined {
  if (checkpoint === undefined) return undefined
  const where = `${checkpoint.topic}/${checkpoint.partition}`
  try {
    return parseCheckpoint(`group ${group.name}, ${where}`, checkpoint.metadata)
  } catch (error) {
    if (codeOf(error) !== 'CHECKPOINT_UNREADABLE') throw error
    unreadable.push(where)
    return undefined
  }
}
