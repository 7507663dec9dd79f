/** Topics on Kafka: made, described, deleted, and where their partitions start and end. */
import { createPartitionsV3, createTopicsV7, deleteTopicsV6, metadataV12 } from '@platformatic/kafka'
import type { Batch } from '../core/batch.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { fail, messageOf } from '../core/errors.ts'
import { checkName, checkTopicSettings } from './checks.ts'
import { withErrors } from './kafka-answer.ts'
import type { KafkaClient, KafkaTopic } from './kafka-client.ts'
import { codeIs, faultError, faultOf } from './kafka-faults.ts'
import { KafkaOffsets } from './kafka-offsets.ts'
import { TopicDescriptions } from './kafka-topic-descriptions.ts'
import { configsOf, splitConfigs, type TopicConfigs } from './kafka-topic-settings.ts'
import {
  defaultTopicSettings,
  type OffsetRange,
  type TopicInfo,
  type TopicSettings,
} from './log.ts'

/** What reads messages: `Log.read`. */
export type ReadMessages = (
  topic: string,
  partition: number,
  offset: number,
) => Promise<Batch | undefined>

export interface KafkaTopicsOptions {
  readonly clock?: Clock
  /** Copies of each partition; without it as many as the brokers' own default says. */
  readonly replicationFactor?: number | undefined
}

interface Making {
  readonly name: string
  readonly partitions: number
  readonly configs: TopicConfigs
}

const lane = 'admin'
/** A broker waits so long at most until the controller has done what is asked. */
const controllerTimeoutMs = 15_000
