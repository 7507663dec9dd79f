/**
 * A short schedule of faults on three brokers, and what ends a run for good. `npm run test:faults`
 * runs twenty long ones. FAULT_SEED=<number> runs the schedule of that number.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type KafkaCluster, withKafka } from '../../src/log/kafka-testing.ts'
import { faults } from './faults.ts'
import { runCalm, runSchedule } from './schedule.ts'
import { World } from './world.ts'

const seed = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 1_000_000))
const faultMs = 45_000
const orders = 1500
const endMs = 60_000

withKafka(
  'faults',
  (cluster) => {
    it('change nothing of what is written', async (test) => {
      const tell = (words: string) => test.diagnostic(words)
      test.diagnostic(`FAULT_SEED=${seed} runs this again`)
      const calm = await runCalm(cluster(), orders)
      const inflicted = await runSchedule({
        ...{ cluster: cluster(), seed, calm, faults, faultMs, tell },
      })
      assert.ok(inflicted.length > 0, 'faults were inflicted')
    })

    it('a topic that is deleted under a running pipeline ends the run, which names it', async () => {
      for (const short of ['matched', 'orders']) {
        const words = await wordsOfEnd(cluster(), (topic) => deleted(cluster(), topic), short)
        assert.match(words, new RegExp(`-${short}\\b[^]*TOPIC_UNKNOWN`))
      }
    })

    it('a topic that takes no more messages of their size ends the run, which says so', async () => {
      const change = (topic: string) => setMostBytes(cluster(), topic, 40)
      const words = await wordsOfEnd(cluster(), change, 'scored')
      assert.match(words, /-scored\b[^]*MESSAGE_TOO_LARGE/)
    })
  },
  { brokers: 1, ownBrokers: true },
)

/** What a run says that ends after something was done to one of its topics. */
async function wordsOfEnd(
  cluster: KafkaCluster,
  change: (topic: string) => Promise<void>,
  short: string,
): Promise<string> {
  const run = `ends-${short}-${Date.now().toString(36)}`
  const world = new World({
    ...{ cluster, run, orders: 100_000, ratePerSecond: 50, processes: 1, workers: 1 },
  })
  try {
    const life = world.start()
    assert.ok(await world.begun(endMs), life.words)
    await change(`${run}-${short}`)
    assert.ok(await life.within(endMs), `it goes on:\n${life.words}`)
    assert.notEqual(life.ending?.code, 0)
    return life.words
  } finally {
    await world.close(false)
  }
}

async function deleted(cluster: KafkaCluster, topic: string): Promise<void> {
  await tool(cluster, 'org.apache.kafka.tools.TopicCommand', ['--delete', '--topic', topic])
}

async function setMostBytes(cluster: KafkaCluster, topic: string, bytes: number): Promise<void> {
  await tool(cluster, 'kafka.admin.ConfigCommand', [
    ...['--entity-type', 'topics', '--entity-name', topic, '--alter'],
    ...['--add-config', `max.message.bytes=${bytes}`],
  ])
}

async function tool(cluster: KafkaCluster, name: string, words: readonly string[]): Promise<void> {
  const where = ['--bootstrap-server', cluster.bootstrapServers]
  const { code, stdout, stderr } = await cluster.tool(name, [...where, ...words])
  assert.equal(code, 0, `${stdout}${stderr}`)
}
