/** One process at a time: whoever owns a partition of its own in an exclusive group has the turn. */
import type { Clock } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import type { Log, Membership } from '../log/log.ts'

export interface Turn {
  /** Lets the next one go on. Safe to call twice. */
  end(): Promise<void>
}

const askEveryMs = 20
const signOfLifeMs = 1000

/** Waits for the turn; a process that dies gives it up. `waiting` is told once, when it has to wait. */
export async function takeTurn(
  log: Log,
  name: string,
  clock: Clock,
  waiting: () => void,
): Promise<Turn> {
  const member = await log.join(name, { topics: [{ name, partitions: 1 }], exclusive: true })
  await member.heartbeat()
  if (member.owned.length === 0) waiting()
  while (member.owned.length === 0) {
    await clock.sleep(askEveryMs)
    await member.heartbeat()
  }
  // What is done in a turn may take its time, as training does.
  const timer = setInterval(() => member.heartbeat().catch(() => undefined), signOfLifeMs)
  timer.unref()
  let hasEnded = false
  return {
    async end() {
      if (hasEnded) return
      hasEnded = true
      clearInterval(timer)
      await leaveForGood(log, member)
    },
  }
}

/** Leaves a group that only says whose turn it is, and forgets it where nobody else is in it. */
export async function leaveForGood(log: Log, member: Membership): Promise<void> {
  await member.leave()
  await log.deleteGroup(member.group).catch((error: unknown) => {
    // The next one came already.
    if (codeOf(error) !== 'GROUP_ACTIVE') throw error
  })
}
