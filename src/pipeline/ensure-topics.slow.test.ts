/** Topics of a real cluster beside their declaration; the commands that are told are Kafka's own. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { kafka } from '../config/index.ts'
import { openKafkaLog } from '../log/kafka.ts'
import { newName, withKafka } from '../log/kafka-testing.ts'
import type { Log, TopicSettings } from '../log/log.ts'
import { prefixed } from '../log/prefixed.ts'
import { ensureTopics } from './ensure-topics.ts'
import { pipeline } from './pipeline.ts'
import { type Plan, planOf } from './plan.ts'
import { topic } from './topic.ts'
import { type Cluster, clusterOf } from './topic-commands.ts'

const planned = (input: Partial<TopicSettings>, output: Partial<TopicSettings>) =>
  planOf([pipeline('copy').from(topic('in', input)).to(topic('out', output))['~pipeline']])

withKafka('topics of an application on Kafka', (kafkaCluster) => {
  const prefix = newName('ensure')
  const brokers = () => kafkaCluster().bootstrapServers.split(',')

  /** Settings that a log has seen it takes as they were for a while: so each look is a new one's. */
  async function withLog<Result>(work: (log: Log, cluster: Cluster) => Promise<Result>) {
    const connection = { brokers: brokers(), clientId: 'test' }
    const log = prefixed(await openKafkaLog({ connection }), prefix)
    try {
      return await work(log, clusterOf(kafka({ brokers: brokers(), replicationFactor: 1 }), prefix))
    } finally {
      await log.close()
    }
  }

  /** Runs the commands of a message with Kafka's own tools. */
  async function follow(message: string): Promise<void> {
    const found = [...message.matchAll(/kafka-(topics|configs)\.sh ([^\n(]+)/g)]
    assert.ok(found.length > 0, message)
    for (const [, tool, words] of found) {
      const { code, stdout, stderr } = await kafkaCluster().tool(
        tool === 'configs' ? 'kafka.admin.ConfigCommand' : 'org.apache.kafka.tools.TopicCommand',
        words!.trim().split(' '),
      )
      assert.equal(code, 0, stdout + stderr)
    }
  }

  const check = (plan: Plan): Promise<string[]> =>
    withLog(async (log, cluster) => {
      const warnings: string[] = []
      const warn = (words: string) => warnings.push(words)
      await ensureTopics(log, plan, { cluster, mayCreate: () => false, warn })
      return warnings
    })

  const refused = (plan: Plan): Promise<Error> =>
    check(plan).then(
      (warnings) => assert.fail(`not refused, with ${warnings}`),
      (error: Error) => error,
    )

  it('that are missing are as declared once the commands were followed', async () => {
    const plan = planned(
      { partitions: 3, retentionMs: 3_600_000, compression: 'zstd' },
      { cleanup: 'compact', retentionBytes: 10_000_000, maxMessageBytes: 5000 },
    )
    const { message } = await refused(plan)
    assert.match(message, /^topics in, out do not exist/)
    await follow(message)
    assert.deepEqual(await check(plan), [])
    const info = await withLog((log) => log.topic('in'))
    assert.deepEqual([info?.retentionMs, info?.partitions], [3_600_000, 3])
  })

  it('that differ are told so, and are as declared once the commands were followed', async () => {
    const changed = planned(
      { partitions: 5, retentionMs: 7_200_000, compression: 'gzip' },
      { cleanup: 'compact', retentionBytes: 20_000_000, maxMessageBytes: 9000 },
    )
    const { message } = await refused(changed)
    assert.match(message, /^topic out has maxMessageBytes 5000, the application declares 9000/)
    await follow(message)
    const warnings = await check(changed)
    assert.deepEqual(
      warnings.map((words) => words.split(',')[0]),
      [
        'topic in has partitions 3',
        'topic in has retentionMs 3600000',
        'topic in has compression zstd',
        'topic out has retentionBytes 10000000',
      ],
    )
    for (const words of warnings) await follow(words)
    assert.deepEqual(await check(changed), [])
  })
})
