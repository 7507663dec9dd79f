/** What a pipeline keeps in the metadata of a checkpoint: small JSON that commits with the offset. */
import { fail } from '../core/errors.ts'
import { column, type SavedCounters } from './ledger.ts'

export interface CheckpointData {
  /** Format of this object. */
  readonly v: 1
  /** Where the group began to read this partition; the ledger counts from there. */
  readonly from: number
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
  /**
   * After a reset: what was written for this partition before it, messages passed and dead letters
   * by step. It still stands in the outputs, where the ledger's second check finds it.
   */
  readonly before?: { readonly [step: string]: readonly [passed: number, deadLettered: number] }
}

/**
 * The metadata with which a group that is reset starts anew at `from`: an empty ledger, and a source
 * read from its beginning. Sinks go on behind what they hold.
 */
export function resetCheckpoint(from: number, old: CheckpointData | undefined): CheckpointData {
  const before: { [step: string]: [number, number] } = {}
  for (const [step, counts] of Object.entries(old?.before ?? {})) before[step] = [...counts]
  for (const [step, counts] of Object.entries(old?.ledger ?? {})) {
    const [passed, dead] = before[step] ?? [0, 0]
    const more = [counts[column.passed] ?? 0, counts[column.deadLettered] ?? 0] as const
    if (passed + dead + more[0] + more[1] > 0) before[step] = [passed + more[0], dead + more[1]]
  }
  return {
    ...{ v: 1, from, plan: '', ledger: {} },
    ...(Object.keys(before).length === 0 ? {} : { before }),
    ...(old?.sinks === undefined ? {} : { sinks: old.sinks }),
    ...(old?.sinkCommits === undefined ? {} : { sinkCommits: old.sinkCommits }),
  }
}

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
