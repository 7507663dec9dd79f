/** A member of a group on Kafka, as commits see it: see kafka-membership.ts. */
import type { Clock } from '../core/clock.ts'
import type { KafkaClient } from './kafka-client.ts'
import type { JoinOptions, Membership } from './log.ts'

export interface KafkaMembershipOptions {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly group: string
  readonly join: JoinOptions
  /** Makes a static member: the same name is the same member, and the older process is fenced. */
  readonly instanceId?: string | undefined
  paused(): boolean
}

export interface KafkaMembership extends Membership {
  /** Of the generation that this member is in; to be used within `steadily`. */
  readonly kafkaGeneration: number
  /**
   * Runs `work` while this member is in a generation and joins no other one: a new one is held off
   * until it ends. Throws `MEMBER_FENCED` where the member is in the group no more.
   */
  steadily<Result>(work: () => Promise<Result>): Promise<Result>
  owns(topic: string, partition: number): boolean
  /** It left the group or was put out of it, for good. */
  readonly isGone: boolean
  /** Asks the group whether it still counts this member. Throws `MEMBER_FENCED`. */
  check(): Promise<void>
}
