/** The law of the log on three real Kafka brokers: copies are waited for, coordinators stand apart. */
import { kafkaContract } from './kafka.contract.ts'
import { withKafka } from './kafka-testing.ts'

const onThree = { brokers: 3, shortLived: true } as const

withKafka(
  'log on three Kafka brokers',
  (cluster) => kafkaContract('kafka, three brokers', cluster),
  onThree,
)
