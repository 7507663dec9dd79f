/**
 * A process for tests that kill: copies `in` to `out`, exactly once, as one member of group `g`, and
 * tells on stdout what happens to it, one JSON line each. Arguments as JSON: see `WorkerOptions`.
 */
import { BatchBuilder } from '../core/batch-builder.ts'
import { codeOf } from '../core/errors.ts'
import { messagesOf } from '../core/message.ts'
import { openEmbeddedLog } from './embedded.ts'
import type { Checkpoint, Commit, Membership, TopicPartition } from './log.ts'

export interface WorkerOptions {
  readonly directory: string
  readonly name: string
  readonly sessionTimeoutMs: number
  /** Ends by kill -9 when that step is passed for the `crashAfter`th time. */
  readonly crashStep?: string
  readonly crashAfter?: number
  /** Leaves once everything in `in` is copied. */
  readonly untilDone?: boolean
}

const options = JSON.parse(process.argv[2]!) as WorkerOptions
const tell = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`)
const sleep = (waitMs: number) => new Promise((resolve) => setTimeout(resolve, waitMs))

let passed = 0
const log = await openEmbeddedLog({
  directory: options.directory,
  segmentBytes: 4000,
  onStep(step) {
    if (step !== options.crashStep || ++passed < (options.crashAfter ?? 1)) return
    process.kill(process.pid, 'SIGKILL')
  },
})
const topics = [{ name: 'in', partitions: 4 }]
const join = () => log.join('g', { topics, sessionTimeoutMs: options.sessionTimeoutMs })

/** What the process does with its partitions until it owns them no more. */
async function work(member: Membership): Promise<void> {
  const positions = new Map<number, number>()
  let unfinished: Commit | undefined
  for (;;) {
    const { granted, revoking, lost } = await member.heartbeat()
    if (lost.length > 0) {
      tell({ lost: lost.length, stale: await tryStale(unfinished) })
      return
    }
    for (const { partition } of revoking) positions.delete(partition)
    await member.release(revoking)
    await start(granted, positions)
    if (granted.length + revoking.length > 0) tell({ owned: member.owned.length })
    let idle = true
    for (const [partition, offset] of positions) {
      const copied = await copyOf(partition, offset, member)
      if (copied === undefined) continue
      idle = false
      unfinished = copied.commit
      await sleep(5)
      await log.commit(copied.commit)
      positions.set(partition, copied.nextOffset)
    }
    if (idle && options.untilDone && member.owned.length === 4) return
    if (idle) await log.changed(log.revision(), 20)
  }
}

async function start(
  granted: readonly TopicPartition[],
  positions: Map<number, number>,
): Promise<void> {
  const checkpoints: readonly Checkpoint[] = (await log.group('g'))?.checkpoints ?? []
  for (const { partition } of granted) {
    const checkpoint = checkpoints.find((one) => one.partition === partition)
    positions.set(partition, checkpoint?.offset ?? 0)
  }
}

async function copyOf(
  partition: number,
  offset: number,
  member: Membership,
): Promise<{ commit: Commit; nextOffset: number } | undefined> {
  const batch = await log.read('in', partition, offset, { maxBytes: 200 })
  if (batch === undefined) return undefined
  const { nextOffset } = batch
  const builder = new BatchBuilder('out', partition)
  for (const message of messagesOf(batch)) {
    builder.append(message.key, message.value, message.time, message.headers)
  }
  const checkpoints = [{ topic: 'in', partition, offset: nextOffset, metadata: options.name }]
  const changes = [{ store: 's', partition, key: 'copied', value: Buffer.from(String(nextOffset)) }]
  const outputs = [{ topic: 'out', partition, batch: builder.build() }]
  return { commit: { outputs, checkpoints, changes, member }, nextOffset }
}

/** What a process that slept might do first when it wakes. */
async function tryStale(commit: Commit | undefined): Promise<string> {
  if (commit === undefined) return 'nothing'
  try {
    await log.commit(commit)
    return 'taken'
  } catch (error) {
    return codeOf(error) ?? String(error)
  }
}

tell({ joined: options.name })
for (;;) {
  const member = await join()
  try {
    await work(member)
    if (options.untilDone) break
  } catch (error) {
    if (codeOf(error) !== 'MEMBER_FENCED') throw error
    tell({ fenced: true })
  }
}
await log.maintain()
await log.close()
tell({ done: true })
