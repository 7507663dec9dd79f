/** What all logs' owned states have in common: how a range is meant, and what use after its end is. */
import { fail } from '../core/errors.ts'
import type { StateRange } from './log.ts'

/** As many entries as a scan may give: none for what is no number of entries. */
export const limitOf = ({ limit }: StateRange): number =>
  limit > 0 ? Math.min(Math.floor(limit), Number.MAX_SAFE_INTEGER) : 0

/** Whoever asks a state that is closed, or was lost, hears why. */
export const stateLost = (store: string, partition: number, why: string): Error =>
  fail('STATE_LOST', `state ${store}/${partition}: ${why}; open it anew`)
