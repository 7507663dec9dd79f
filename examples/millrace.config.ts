/**
 * With `--env kafka` the examples run on the Kafka that the variables KAFKA_* name, and make their
 * topics there, so that each runs by one command.
 */
import { defineConfig, kafkaByVariables } from 'millrace/config'

export default defineConfig({
  environments: {
    kafka: { log: kafkaByVariables({ createTopics: true }) },
  },
})
