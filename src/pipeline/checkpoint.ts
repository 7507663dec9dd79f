/** What a pipeline keeps in the metadata of a checkpoint: small JSON that commits with the offset. */
import { fail } from '../core/errors.ts'
import type { SavedCounters } from './ledger.ts'

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
