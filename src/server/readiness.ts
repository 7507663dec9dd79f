/** Whether all is well, and if not why: what `/health/ready` and the page say. */
import type { Health, PipelineState } from './state.ts'

export const stuckAfterMs = 30_000
const leastFreeBytes = 512 * 1024 * 1024
const mostDeadShare = 0.1
/** Fewer dead letters than this in a minute are nobody's bad deploy. */
const fewDeadLetters = 10

export interface ReadinessFacts {
  readonly nowMs: number
  /** Of pipelines that a living process runs. */
  readonly pipelines: readonly {
    readonly state: PipelineState
    /** Since when it has lag and commits nothing; undefined: it has none, or it goes on. */
    readonly stuckSinceMs: number | undefined
    readonly takenInMinute: number
    readonly deadInMinute: number
  }[]
  /** Undefined where it cannot be told. */
  readonly freeBytes: number | undefined
  /** Why the log cannot be read. */
  readonly problem: string | undefined
}

export function readiness(facts: ReadinessFacts): Health {
  const reasons: string[] = []
  if (facts.problem !== undefined) reasons.push(`the log cannot be read: ${facts.problem}`)
  for (const { state, stuckSinceMs, takenInMinute, deadInMinute } of facts.pipelines) {
    const stuckMs = stuckSinceMs === undefined ? 0 : facts.nowMs - stuckSinceMs
    if (stuckMs >= stuckAfterMs && !state.isPaused) {
      const waiting = state.waiting.length > 0 ? ` (waiting: ${state.waiting.join('; ')})` : ''
      reasons.push(
        `pipeline ${state.name}: no progress for ${Math.round(stuckMs / 1000)} s while ${state.lagMessages} messages wait${waiting}`,
      )
    }
    for (const imbalance of state.imbalances) {
      reasons.push(`pipeline ${state.name}: the ledger is not balanced: ${imbalance}`)
    }
    if (deadInMinute >= fewDeadLetters && deadInMinute > mostDeadShare * takenInMinute) {
      reasons.push(
        `pipeline ${state.name}: ${deadInMinute} of the last minute's ${takenInMinute} messages became dead letters`,
      )
    }
  }
  if (facts.freeBytes !== undefined && facts.freeBytes < leastFreeBytes) {
    const megabytes = Math.round(facts.freeBytes / 1024 / 1024)
    reasons.push(`the disk is nearly full: ${megabytes} MiB are free`)
  }
  return { isReady: reasons.length === 0, reasons }
}
