/**
 * One process at a time: whoever owns the partition of an exclusive group has the turn. Use it for
 * what is read, decided and written as one, by any number of processes on one log.
 */
import type { Clock } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import type { Log, Membership } from './log.ts'

export interface Turn {
  /** Commits made as this member, with a checkpoint of the turn's partition, are refused once the turn is lost. */
  readonly member: Membership
  /** Lets the next one go on. Safe to call twice. */
  end(): Promise<void>
}

const askEveryMs = 20
const signOfLifeMs = 1000

/**
 * Waits for the turn of that name; a process that dies gives it up. `waiting` is told once, when it
 * has to wait. The turn's partition is number 0 of a topic of the same name, which need not exist.
 */
export async function takeTurn(
  log: Log,
  name: string,
  clock: Clock,
  waiting: () => void,
): Promise<Turn> {
  const member = await owner(log, name, clock, waiting)
  // What is done in a turn may take its time, as training does.
  const timer = setInterval(() => member.heartbeat().catch(() => undefined), signOfLifeMs)
  timer.unref()
  let hasEnded = false
  return {
    member,
    async end() {
      if (hasEnded) return
      hasEnded = true
      clearInterval(timer)
      await leaveForGood(log, member)
    },
  }
}

/** A member that owns the partition. One that slept and was taken out while it waited joins again. */
async function owner(
  log: Log,
  name: string,
  clock: Clock,
  waiting: () => void,
): Promise<Membership> {
  let hasWaited = false
  for (;;) {
    const member = await log.join(name, { topics: [{ name, partitions: 1 }], exclusive: true })
    try {
      await member.heartbeat()
      while (member.owned.length === 0) {
        if (!hasWaited && (await hasOthers(log, member))) {
          waiting()
          hasWaited = true
        }
        await clock.sleep(askEveryMs)
        await member.heartbeat()
      }
      return member
    } catch (error) {
      if (codeOf(error) === 'MEMBER_FENCED') continue
      // Nothing is left behind that others would wait for; what went wrong is what is told.
      await member.leave().catch(() => undefined)
      throw error
    }
  }
}

/** Whether another member has what this one waits for; on Kafka who is alone waits a little too. */
export async function hasOthers(log: Log, member: Membership): Promise<boolean> {
  const members = (await log.group(member.group))?.members ?? []
  return members.some(({ memberId, owned }) => memberId !== member.memberId && owned.length > 0)
}

/** Leaves a group that only says whose turn it is, and forgets it where nobody else is in it. */
export async function leaveForGood(log: Log, member: Membership): Promise<void> {
  await member.leave()
  await log.deleteGroup(member.group).catch((error: unknown) => {
    // The next one came already.
    if (codeOf(error) !== 'GROUP_ACTIVE') throw error
  })
}
