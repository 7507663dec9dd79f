/** What schedules run on: brokers, and the ways to them that can be made bad. */
import { type KafkaCluster, startKafka, whyNoKafka } from '../../scripts/services/kafka.ts'
import { type Network, openNetwork } from './proxy.ts'

export interface Ground {
  readonly cluster: KafkaCluster
  readonly network: Network
}

/** Processes take turns with these. */
const views = 2

/** Why the suite cannot run here; undefined: it can. */
export function whyNoGround(): string | undefined {
  if (process.env.KAFKA_BOOTSTRAP_SERVERS) {
    return 'KAFKA_BOOTSTRAP_SERVERS names a cluster whose brokers are not ours to touch'
  }
  return whyNoKafka()
}

export async function openGround(brokers: 1 | 3): Promise<Ground> {
  const network = await openNetwork({ views, brokers })
  try {
    const cluster = await startKafka({ brokers, views: network.ports, shortLived: true })
    network.leadTo(cluster.brokers)
    return { cluster, network }
  } catch (error) {
    network.close()
    throw error
  }
}

export async function closeGround({ cluster, network }: Ground): Promise<void> {
  network.close()
  await cluster.stop()
}
