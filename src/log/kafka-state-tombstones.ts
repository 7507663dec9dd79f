/** How long deletes stay in a compacted topic: what reads on after longer may have missed some. */
import { ConfigResourceTypes, describeConfigsV4 } from '@platformatic/kafka'
import { withErrors } from './kafka-answer.ts'
import type { KafkaClient } from './kafka-client.ts'

const setting = 'delete.retention.ms'
const defaultMs = 24 * 60 * 60_000

/** Kafka's own default where the cluster does not tell this user. */
export function tombstonesKeptMs(client: KafkaClient, topic: string): Promise<number> {
  return client.patiently(`settings of topic ${topic}`, async () => {
    const node = await client.controller()
    const resource = {
      ...{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic },
      configurationKeys: [setting],
    }
    const { results } = await withErrors(
      client.call(node, 'admin', describeConfigsV4.api, [resource], false, false),
    )
    const value = results[0]?.configs.find(({ name }) => name === setting)?.value
    return value === undefined || value === null ? defaultMs : Number(value)
  })
}
