/** The sinks of a lane: opened at the position of the newest commit, waiting where one is busy. */
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import type { Checkpoint, TopicPartition } from '../log/log.ts'
import type { Sink } from '../sinks/sink.ts'
import { type CheckpointData, parseCheckpoint } from './checkpoint.ts'
import type { Definition } from './definition.ts'
import { retry, Stopped } from './retry.ts'

export interface OpenSinks {
  readonly sinks: ReadonlyMap<string, Sink>
  /** Number of the newest commit that held positions. */
  readonly commits: number
  close(): Promise<void>
}

export interface SinkStart {
  readonly places: readonly TopicPartition[]
  readonly checkpoints: readonly Checkpoint[]
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  waiting(line: string): void
}

/** Undefined when it was told to stop while it waited for a busy sink. */
export async function openSinks(
  definition: Definition,
  start: SinkStart,
): Promise<OpenSinks | undefined> {
  const newest = newestPositions(definition, start)
  const sinks = new Map<string, Sink>()
  const close = async () => {
    for (const sink of sinks.values()) await sink.close()
  }
  const { directory, clock, random, signal } = start
  try {
    for (const step of definition.steps) {
      if (step.kind !== 'to' || step.target.kind !== 'sink') continue
      const { sink: use } = step.target
      const what = `pipeline ${definition.name}, sink ${step.name}`
      const waiting = (_: string, reason: string) => start.waiting(`${what}: ${reason}`)
      const context = {
        position: newest?.sinks?.[step.name],
        partition: start.places[0]!.partition,
        ...{ directory, clock, signal },
      }
      const sink = await retry(what, () => use.open(context), { clock, random, signal, waiting })
      sinks.set(step.name, sink)
      // Whoever has the warehouse open answers questions to it; other sinks are left alone.
      const { serveSink } = await import('../warehouse/index.ts')
      await serveSink(sink)
    }
  } catch (error) {
    await close()
    if (error instanceof Stopped) return undefined
    throw error
  }
  return { sinks, commits: newest?.sinkCommits ?? 0, close }
}

function newestPositions(definition: Definition, start: SinkStart): CheckpointData | undefined {
  const own = start.checkpoints.filter((one) =>
    start.places.some((place) => place.topic === one.topic && place.partition === one.partition),
  )
  let newest: CheckpointData | undefined
  for (const { topic, partition, metadata } of own) {
    const data = parseCheckpoint(`pipeline ${definition.name}, ${topic}/${partition}`, metadata)
    if ((data.sinkCommits ?? 0) > (newest?.sinkCommits ?? 0)) newest = data
  }
  return newest
}
