/**
 * The law of the log: one suite that every implementation passes. It asserts only what log.ts
 * promises: offsets may have gaps, partitions may be handed over in several steps.
 */
import { describe } from 'node:test'
import { type Clock, systemClock } from '../core/clock.ts'
import { commitLaws } from './log.contract.commit.ts'
import { groupLaws } from './log.contract.groups.ts'
import { keepingLaws } from './log.contract.keeping.ts'
import { messageLaws } from './log.contract.messages.ts'
import { topicLaws } from './log.contract.topics.ts'
import type { Log } from './log.ts'

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
  /** A timeout that members may have: 10 s where time can be made to pass, else 1 s. */
  readonly sessionTimeoutMs?: number
  close(): Promise<void>
}

export type OpenLog = () => Promise<LogSetup>

export function logContract(name: string, open: OpenLog): void {
  describe(`contract: log/${name}`, () => {
    topicLaws(open)
    messageLaws(open)
    commitLaws(open)
    groupLaws(open)
    keepingLaws(open)
  })
}

/** A clock that runs as the system's does and can be put forward, for `elapse`. */
export function shiftedClock(): { clock: Clock; elapse(waitMs: number): Promise<void> } {
  let shiftMs = 0
  return {
    clock: { now: () => Date.now() + shiftMs, sleep: systemClock.sleep },
    async elapse(waitMs) {
      shiftMs += waitMs
    },
  }
}
