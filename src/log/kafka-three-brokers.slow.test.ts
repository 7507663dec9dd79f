/** The law of the log on three real Kafka brokers: copies are waited for, coordinators stand apart. */
import { kafkaContract } from './kafka-law-testing.ts'
import { withKafka } from './kafka-testing.ts'

/** A first commit makes copies and sets up a producer: on a busy machine that takes a second. */
const sessionTimeoutMs = 4_000
const onThree = { brokers: 3, shortLived: true } as const

withKafka(
  'log on three Kafka brokers',
  (cluster) => kafkaContract('kafka, three brokers', cluster, sessionTimeoutMs),
  onThree,
)
