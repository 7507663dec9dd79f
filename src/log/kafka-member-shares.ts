/** What the leader of a generation sends to each member. */
import { decodeSubscription, encodeAssignment } from './kafka-group-protocol.ts'
import { planGroup } from './kafka-member-plan.ts'
import type { Joined } from './kafka-member-requests.ts'

/** Nothing where another member leads, or where the broker wants none. */
export function sharesOf(joined: Joined): { memberId: string; assignment: Buffer }[] {
  if (joined.leader !== joined.memberId || joined.skipAssignment) return []
  const members = joined.members.map(({ memberId, metadata }) => ({
    memberId,
    subscription: decodeSubscription(metadata),
  }))
  return [...planGroup(members, joined.generationId)].map(([memberId, assignment]) => ({
    memberId,
    assignment: encodeAssignment(assignment),
  }))
}
