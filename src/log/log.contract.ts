/**
 * The law of the log: one suite that every implementation passes. It asserts only what log.ts
 * promises: offsets may have gaps, partitions may be handed over in several steps. Memory that is given
 * back is overwritten meanwhile.
 */
import { after, before, describe } from 'node:test'
import { buffers } from '../core/buffer-pool.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { commitLaws } from './log.contract.commit.ts'
import { groupLaws } from './log.contract.groups.ts'
import { keepingLaws } from './log.contract.keeping.ts'
import { messageLaws } from './log.contract.messages.ts'
import { stateLaws } from './log.contract.state.ts'
import type { OpenLog } from './log.contract.support.ts'
import { topicLaws } from './log.contract.topics.ts'

export type { LogSetup, OpenLog } from './log.contract.support.ts'

export function logContract(name: string, open: OpenLog): void {
  describe(`contract: log/${name}`, () => {
    before(() => {
      buffers.poisons = true
    })
    after(() => {
      buffers.poisons = false
    })
    topicLaws(open)
    messageLaws(open)
    commitLaws(open)
    stateLaws(open)
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
