/**
 * What one member asks of its group's coordinator. The broker holds joins back until every member
 * has come, so they have a connection of their own; signs of life go on another.
 */
import { randomUUID } from 'node:crypto'
import { heartbeatV4, joinGroupV9, leaveGroupV5, syncGroupV5 } from '@platformatic/kafka'
import { type ErrorCode, fail } from '../core/errors.ts'
import type { KafkaClient } from './kafka-client.ts'
import { faultOf } from './kafka-faults.ts'
import { protocolName, protocolType } from './kafka-group-protocol.ts'

export type Joined = joinGroupV9.JoinGroupResponse

export interface MemberRequestsOptions {
  readonly client: KafkaClient
  readonly group: string
  readonly instanceId: string | undefined
  readonly sessionTimeoutMs: number
}

/**
 * What a fault means for a member: the group goes on with it and it has to join the next generation;
 * it is in the group no more; the way to the coordinator failed, or somebody else is it now; what it
 * asks is refused for good.
 */
export type Meaning = 'rejoin' | 'out' | 'again' | 'refused'

/**
 * How long a generation waits for a member that lives and does not come. It comes as soon as its
 * transaction has ended, so twice the transaction's timeout is enough; and it is under the time after
 * which a request is given up, so that a join that is held back is answered.
 */
const rebalanceTimeoutMs = 25_000
const beatLane = 'group beats'
/** Where the client asks which broker coordinates a group. */
const coordinatorLane = 'any'

export class MemberRequests {
  readonly #options: MemberRequestsOptions
  readonly #joinLane = `group ${randomUUID()}`
  /** Where a join is under way. */
  #joinNode: number | undefined

  constructor(options: MemberRequestsOptions) {
    this.#options = options
  }

  /** The id that the coordinator gives a new member; it then has the session timeout to join with it. */
  async memberId(subscription: Buffer): Promise<string> {
    const { client, group } = this.#options
    const work = async () => {
      try {
        return (await this.join('', subscription)).memberId
      } catch (error) {
        if (faultOf(error).id !== 'MEMBER_ID_REQUIRED') throw error
        return (error as { response: Joined }).response.memberId
      }
    }
    return client.patiently(`group ${group}: join`, work)
  }

  /** Held back until the other members have come. */
  async join(memberId: string, subscription: Buffer): Promise<Joined> {
    const { client, group, instanceId, sessionTimeoutMs } = this.#options
    const node = await client.coordinator('group', group)
    this.#joinNode = node
    try {
      return await client.call(
        ...([node, this.#joinLane, joinGroupV9.api, group, sessionTimeoutMs] as const),
        Math.max(rebalanceTimeoutMs, sessionTimeoutMs),
        ...([memberId, instanceId ?? null, protocolType] as const),
        [{ name: protocolName, metadata: subscription }],
      )
    } finally {
      this.#joinNode = undefined
    }
  }

  /** Held back until the leader has shared out; only the leader hands assignments in. */
  async sync(
    memberId: string,
    generation: number,
    assignments: { memberId: string; assignment: Buffer }[],
  ): Promise<Buffer> {
    const { client, group, instanceId } = this.#options
    const node = await client.coordinator('group', group)
    this.#joinNode = node
    try {
      const answer = await client.call(
        ...([node, this.#joinLane, syncGroupV5.api, group, generation, memberId] as const),
        ...([instanceId ?? null, protocolType, protocolName, assignments] as const),
      )
      return answer.assignment
    } finally {
      this.#joinNode = undefined
    }
  }

  /** Without an answer for a fifth of the timeout the connections that it goes by are given up. */
  async heartbeat(memberId: string, generation: number): Promise<void> {
    const { client, group, instanceId, sessionTimeoutMs } = this.#options
    const giveUp = () => {
      for (const lane of [beatLane, coordinatorLane]) void client.closeLane(lane)
    }
    // Again and again: what is asked is asked of one broker after the other.
    const timer = setInterval(giveUp, sessionTimeoutMs / 5)
    try {
      const node = await client.coordinator('group', group)
      // A broker that coordinates the group no more may never answer.
      if (this.#joinNode !== undefined && this.#joinNode !== node) void this.close()
      await client.call(
        ...([node, beatLane, heartbeatV4.api] as const),
        ...([group, generation, memberId, instanceId ?? null] as const),
      )
    } finally {
      clearInterval(timer)
    }
  }

  async leave(memberId: string): Promise<void> {
    const { client, group, instanceId } = this.#options
    const node = await client.coordinator('group', group)
    const member = { memberId, groupInstanceId: instanceId ?? null, reason: null }
    await client.call(node, beatLane, leaveGroupV5.api, group, [member])
  }

  /** After a fault that may pass: what is asked next goes to whoever coordinates the group then. */
  forgetCoordinator(): void {
    const { client, group } = this.#options
    client.forgetCoordinator('group', group)
  }

  /** Ends the connection for joins, with what is under way on it. */
  async close(): Promise<void> {
    await this.#options.client.closeLane(this.#joinLane)
  }

  /** A refusal in words. */
  refusal(error: unknown): unknown {
    const { group, sessionTimeoutMs } = this.#options
    const { id } = faultOf(error)
    const [code, words] = refusals[id] ?? []
    if (code === undefined) return error
    const asked = id === 'INVALID_SESSION_TIMEOUT' ? ` of ${sessionTimeoutMs} ms` : ''
    return fail(code, `group ${group}: ${words?.replace('%', asked)}`, { cause: error })
  }
}

export function meaningOf(error: unknown): Meaning {
  const { id, canRetry } = faultOf(error)
  if (id === 'UNKNOWN_MEMBER_ID' || id === 'FENCED_INSTANCE_ID') return 'out'
  if (id === 'REBALANCE_IN_PROGRESS' || id === 'ILLEGAL_GENERATION') return 'rejoin'
  return canRetry || id === 'BROKER_NOT_AVAILABLE' ? 'again' : 'refused'
}

const refusals: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  INVALID_SESSION_TIMEOUT: [
    'OPTIONS_INVALID',
    'the brokers refuse a session timeout%: they take group.min.session.timeout.ms (6 s unless set) to group.max.session.timeout.ms (30 min); choose one between, or change their settings',
  ],
  INCONSISTENT_GROUP_PROTOCOL: [
    'OPTIONS_INVALID',
    'another program has members in this group and shares out partitions in its own way; stop it, or choose another name',
  ],
  GROUP_MAX_SIZE_REACHED: [
    'OPTIONS_INVALID',
    "the group has as many members as the brokers' group.max.size allows; start fewer workers, or raise it",
  ],
  GROUP_AUTHORIZATION_FAILED: [
    'LOG_FORBIDDEN',
    'the brokers do not allow this user to join the group; grant it READ on the group',
  ],
}
