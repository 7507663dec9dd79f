/**
 * What tests on a real Kafka are written with: one cluster for all suites of a test process, and the
 * rule for machines that have none: a loud word that nothing was tried, a failure where CI=true.
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import {
  type KafkaCluster,
  type KafkaOptions,
  startKafka,
  whyNoKafka,
} from '../../scripts/services/kafka.ts'

export type { Broker, KafkaCluster, ToolResult } from '../../scripts/services/kafka.ts'

export interface KafkaTestOptions
  extends Pick<KafkaOptions, 'brokers' | 'settings' | 'shortLived'> {
  /** The suite kills brokers or reads their files, which a cluster that was named does not allow. */
  readonly ownBrokers?: boolean
}

const running = new Map<string, Promise<KafkaCluster>>()
let names = 0

/**
 * The cluster of this process for these options, started when first asked for. It ends with the
 * process, so nobody needs to stop it.
 */
export function kafkaForTests(options: KafkaTestOptions = {}): Promise<KafkaCluster> {
  const { brokers = 1, settings = {}, shortLived = false } = options
  const name = JSON.stringify([brokers, settings, shortLived])
  const known = running.get(name)
  if (known !== undefined) return known
  const starting = startKafka({ brokers, settings, shortLived })
  running.set(name, starting)
  return starting
}

/** A suite on Kafka. `define` declares its tests; the cluster is there once they run. */
export function withKafka(
  name: string,
  define: (cluster: () => KafkaCluster) => void,
  options: KafkaTestOptions = {},
): void {
  unlessMissing(name, whyNot(options), () => {
    let cluster: KafkaCluster | undefined
    before(async () => {
      cluster = await kafkaForTests(options)
    })
    define(() => {
      assert.ok(cluster !== undefined, 'the cluster is there when tests run, not before')
      return cluster
    })
  })
}

/** A suite, or loud words that it was not tried, and why; they are a failure where CI=true. */
export function unlessMissing(name: string, why: string | undefined, define: () => void): void {
  describe(name, () => {
    if (why === undefined) define()
    else it('is not tried', (test) => reportMissing(name, why, (words) => test.diagnostic(words)))
  })
}

/** A name that no other suite uses, so that suites may share a cluster, also a kept one. */
export function newName(word: string): string {
  names++
  return `${word}-${process.pid.toString(36)}-${Date.now().toString(36)}-${names}`
}

function whyNot({ ownBrokers = false }: KafkaTestOptions): string | undefined {
  if (ownBrokers && process.env.KAFKA_BOOTSTRAP_SERVERS) {
    return 'KAFKA_BOOTSTRAP_SERVERS names a cluster whose brokers are not ours to touch'
  }
  return whyNoKafka()
}

/** Throws where CI=true. */
function reportMissing(name: string, why: string, tell: (words: string) => void): void {
  const words = `SKIPPED: ${why}, so '${name}' was NOT tried on Kafka`
  console.error(words)
  tell(words)
  assert.ok(process.env.CI !== 'true', words)
}
