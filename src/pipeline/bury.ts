/** Failures, and what a source could not read, become the dead letters of a commit. */
import { BatchBuilder } from '../core/batch-builder.ts'
import { idHeader } from '../core/identity.ts'
import type { TopicInfo } from '../log/log.ts'
import { appendDeadLetter } from './dead-letters.ts'
import type { Failure } from './decode.ts'
import type { LaneInput, Read } from './lane-input.ts'
import { readStep } from './ledger.ts'
import type { Outputs } from './write.ts'

export interface BuryOptions {
  readonly input: LaneInput
  /** Undefined: what failed is no message of the input. */
  readonly read: Read | undefined
  /** The pipeline's topic of dead letters. */
  readonly topic: TopicInfo
  readonly outputs: Outputs
  readonly nowMs: number
}

export function bury(failures: readonly Failure[], options: BuryOptions): void {
  const { input, read, topic, outputs, nowMs } = options
  const unreadable = read?.unreadable ?? []
  if (failures.length === 0 && unreadable.length === 0) return
  const builder = outputs.builder(topic.name, input.partition % topic.partitions)
  const { maxMessageBytes } = topic
  const { isReplay } = input
  for (const failure of failures) {
    const step = failure.letterStep ?? input.counters.names[failure.step]!
    const batch = failure.batch ?? read!.batch
    appendDeadLetter(builder, batch, failure, { step, isReplay, nowMs, maxMessageBytes })
  }
  const raw = new BatchBuilder(input.topic, input.partition)
  for (const { id, raw: bytes } of unreadable) {
    raw.append(null, bytes, nowMs, [{ key: idHeader, value: Buffer.from(id) }])
  }
  const batch = raw.build()
  unreadable.forEach(({ id, reason }, origin) => {
    const failure = { origin, id, step: 0, error: 'Unreadable', message: reason }
    appendDeadLetter(builder, batch, failure, { step: readStep, nowMs, maxMessageBytes })
  })
}
