/** What a pipeline keeps in the metadata of a checkpoint: small JSON that commits with the offset. */
import { fail } from '../core/errors.ts'
import type { SavedTime } from './event-time.ts'
import type { SavedCounters } from './ledger.ts'

export interface CheckpointData {
  /** Format of this object. */
  readonly v: 1
  /** Where the group began to read this partition; the ledger counts from there. */
  readonly from: number
  /** Identity of the topic that the offset belongs to; missing with a source. */
  readonly of?: string
  /** Hash of the plan that wrote it. */
  readonly plan: string
  readonly ledger: SavedCounters
  /** With a source: the position that it goes on from. */
  readonly source?: unknown
  /** With a finite source: it is read to its end. */
  readonly done?: boolean
  /** By step, the positions of sinks; of several checkpoints that with most `sinkCommits` counts. */
  readonly sinks?: { readonly [step: string]: unknown }
  readonly sinkCommits?: number
  /** Event time, in a pipeline with windows. */
  readonly time?: SavedTime
  /** Messages are looked up in the topic: it is read whole, from wherever the others begin. */
  readonly isTable?: boolean
  /** By topic, all messages that were ever written for this partition, dead letters among them. */
  readonly wrote?: Written
  /**
   * Of these, what was written before the ledger began anew, after a reset or with another plan: it
   * still stands in the topics, where the ledger's second check finds it.
   */
  readonly before?: Written
}

/** Messages by topic. */
export type Written = { readonly [topic: string]: number }

/**
 * The metadata with which the ledger begins anew at `from`: with `resetCheckpoint` a source is read
 * from its beginning as well. Sinks go on behind what they hold.
 */
export function newLedger(from: number, old: CheckpointData): CheckpointData {
  const { before: _, wrote, ...kept } = old
  const written = wrote === undefined ? {} : { wrote, before: wrote }
  return { ...kept, v: 1, from, plan: '', ledger: {}, ...written }
}

/** The metadata of a group that is reset to `from`. */
export function resetCheckpoint(from: number, old: CheckpointData | undefined): CheckpointData {
  if (old === undefined) return { v: 1, from, plan: '', ledger: {} }
  const { source: _, done: __, time: ___, of: ____, ...kept } = newLedger(from, old)
  return kept
}

/**
 * False where it was left by a topic of the same name that was deleted. Logs forget it with the topic, but
 * on Kafka a transaction that was under way then may commit it once more.
 */
export function isOfTopic(where: string, metadata: string, identity: string | undefined): boolean {
  return metadata === '' || isDataOf(parseCheckpoint(where, metadata), identity)
}

/** The same of what was read already. */
export const isDataOf = ({ of }: CheckpointData, identity: string | undefined): boolean =>
  of === undefined || identity === undefined || of === identity

/** Throws `CHECKPOINT_UNREADABLE` when the metadata is not what a pipeline wrote. */
export function parseCheckpoint(where: string, metadata: string): CheckpointData {
  try {
    const data = JSON.parse(metadata) as Partial<CheckpointData>
    if (data.v === 1 && typeof data.from === 'number' && typeof data.ledger === 'object') {
      return data as CheckpointData
    }
  } catch {
    // Told below, with what to do.
  }
  throw fail(
    'CHECKPOINT_UNREADABLE',
    `${where}: the checkpoint was not written by this version of a pipeline; reset the group to go on`,
  )
}
