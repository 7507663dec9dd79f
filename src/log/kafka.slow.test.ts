/** The law of the log on one real Kafka broker. */
import { kafkaContract } from './kafka-law-testing.ts'
import { withKafka } from './kafka-testing.ts'

withKafka('log on Kafka', (cluster) => kafkaContract('kafka', cluster))
