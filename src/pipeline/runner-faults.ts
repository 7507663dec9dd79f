/** Why a member leaves its group, or joins it anew. */
import { codeOf, fail } from '../core/errors.ts'
import type { Log } from '../log/log.ts'

/**
 * True when a member with another plan came while this one slept: having joined first, this one
 * is the older, although it joins again as the youngest.
 */
export async function isOutdated(log: Log, pipeline: string, planHash: string): Promise<boolean> {
  const group = await log.group(pipeline)
  const plans = (group?.members ?? []).map((member) => member.planHash)
  return plans.some((plan) => plan !== undefined && plan !== planHash)
}

export function superseded(pipeline: string): Error {
  return fail(
    'PIPELINE_SUPERSEDED',
    `pipeline ${pipeline}: a process with another plan joined the group; this one finished its work and left`,
  )
}

/** Also where a commit failed, and its state here may be no longer what is committed. */
export const isToJoinAgain = (error: unknown): boolean =>
  codeOf(error) === 'MEMBER_FENCED' || codeOf(error) === 'STATE_LOST'
