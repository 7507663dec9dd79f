/** Bounded retries with backoff and jitter, in one place for all parts. */
import type { Clock } from '../core/clock.ts'
import { fail, messageOf, orderOf } from '../core/errors.ts'
import type { Random } from '../core/random.ts'

export interface RetryContext {
  readonly clock: Clock
  readonly random: Random
  /** Aborted when the lane has to stop: the work is dropped uncommitted. */
  readonly signal: AbortSignal
  /** Told before each wait, for the status line. */
  readonly waiting: (what: string, reason: string, waitMs: number) => void
}

/** Thrown when a lane has to stop while it waits; nothing of its batch was committed. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

export const isStopped = (error: unknown): boolean =>
  (error as { name?: unknown } | null)?.name === 'Stopped'

/** Work that may be cut short: then it has ended well. */
export async function unlessStopped(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isStopped(error)) throw error
  })
}

const firstWaitMs = 50
const longestWaitMs = 10_000
export const giveUpAfterMs = 15 * 60_000

/** Runs `work` until it does not ask to try later. Throws `TRIES_EXHAUSTED`, `Stopped`, or what it throws. */
export async function retry<Result>(
  what: string,
  work: () => Result | Promise<Result>,
  context: RetryContext,
): Promise<Result> {
  const startedAt = context.clock.now()
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (orderOf(error) !== 'try-later') throw error
      if (context.clock.now() - startedAt > giveUpAfterMs) throw exhausted(what, tries, error)
      const backoffMs = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(tries - 1, 10))
      const askedMs = (error as { waitMs?: number }).waitMs ?? 0
      const waitMs = Math.max(askedMs, backoffMs) * (0.75 + context.random() / 2)
      context.waiting(what, messageOf(error), waitMs)
      await context.clock.sleep(waitMs, context.signal)
      if (context.signal.aborted) throw new Stopped()
    }
  }
}

function exhausted(what: string, tries: number, cause: unknown): Error {
  const minutes = giveUpAfterMs / 60_000
  return fail(
    'TRIES_EXHAUSTED',
    `${what}: gave up after ${tries} tries in ${minutes} minutes; the last one said: ${messageOf(cause)}`,
    { cause },
  )
}
