/** Topics by pattern on a real cluster, made, grown and deleted by Kafka's own tool under two members. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { seededRandom } from '../core/random.ts'
import { openKafkaLog } from '../log/kafka.ts'
import { newName, withKafka } from '../log/kafka-testing.ts'
import type { Log } from '../log/log.ts'
import { prefixed } from '../log/prefixed.ts'
import { audit } from './audit.ts'
import { ensureTopics } from './ensure-topics.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { Runner } from './runner.ts'
import { appendAll, readAll } from './testing.ts'
import { topic } from './topic.ts'
import { topicsMatching } from './topics-matching.ts'

type Order = { readonly n: number }

const all = pipeline('all')
  .from(topicsMatching<Order>(/^orders-/, { refreshMs: 200 }))
  .map('with-topic', ({ n }, { topic, partition }) => ({ n, from: `${topic}/${partition}` }))
  .to(topic<{ n: number; from: string }>('collected', { partitions: 3 }))

withKafka('topics by pattern on Kafka', (cluster) => {
  const prefix = newName('pattern')

  async function topics(...words: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await cluster().tool('org.apache.kafka.tools.TopicCommand', [
      ...['--bootstrap-server', cluster().bootstrapServers],
      ...words.map((word) => word.replace(/^orders-/, `${prefix}.$&`)),
    ])
    assert.equal(code, 0, stdout + stderr)
  }

  async function open(): Promise<Log> {
    const connection = { brokers: cluster().bootstrapServers.split(','), clientId: 'pattern' }
    return prefixed(await openKafkaLog({ connection, prefix: `${prefix}.` }), prefix)
  }

  const collected = async (log: Log) =>
    (await readAll(log, 'collected')).map(({ id, value }) => {
      const { n, from } = JSON.parse(String(value)) as { n: number; from: string }
      return { id, text: `${from} ${n}` }
    })

  async function until(log: Log, count: number): Promise<void> {
    while ((await collected(log)).length < count) await systemClock.sleep(50)
  }

  async function put(log: Log, name: string, partition: number, ...numbers: readonly number[]) {
    // As it is by now: Kafka's tool has changed it.
    assert.ok(((await log.topic(name))?.partitions ?? 0) > partition, name)
    await appendAll(
      log,
      name,
      numbers.map((n) => ({ value: { n }, partition })),
    )
  }

  /** What happens to the topics, and how many messages have come out of it each time. */
  async function happenings(log: Log): Promise<void> {
    await topics('--create', '--topic', 'orders-eu', '--partitions', '2')
    await put(log, 'orders-eu', 0, 1, 2)
    await put(log, 'orders-eu', 1, 3)
    await until(log, 3)
    await topics('--create', '--topic', 'orders-us', '--partitions', '1')
    await put(log, 'orders-us', 0, 4)
    await until(log, 4)
    await topics('--alter', '--topic', 'orders-us', '--partitions', '4')
    await put(log, 'orders-us', 3, 5)
    await until(log, 5)
    await topics('--delete', '--topic', 'orders-eu')
    await put(log, 'orders-us', 1, 6)
    await until(log, 6)
    await topics('--create', '--topic', 'orders-eu', '--partitions', '1')
    await put(log, 'orders-eu', 0, 7)
    await until(log, 7)
  }

  it('are read by all members, each message once, whatever becomes of the topics', async () => {
    const logs = [await open(), await open(), await open()]
    const [log, ...others] = logs as [Log, ...Log[]]
    const stopping = new AbortController()
    try {
      await ensureTopics(log, planOf([all['~pipeline']]))
      const runs = others.map((one) =>
        new Runner({
          ...{ definition: all['~pipeline'], log: one, directory: '.', clock: systemClock },
          ...{ random: seededRandom(1), ratePerSecond: undefined, untilEnd: false },
        }).run(stopping.signal),
      )
      const ended = runs.map((run) => run.then(() => assert.fail('a member ended')))
      await Promise.race([happenings(log), ...ended]).finally(() => stopping.abort())
      await Promise.all(runs)
      const found = await collected(log)
      assert.deepEqual(found.map(({ text }) => text).sort(), [
        ...['orders-eu/0 1', 'orders-eu/0 2', 'orders-eu/0 7', 'orders-eu/1 3'],
        ...['orders-us/0 4', 'orders-us/1 6', 'orders-us/3 5'],
      ])
      assert.equal(new Set(found.map(({ id }) => id)).size, 7, 'with ids of their own')
      assert.deepEqual((await audit(log, all['~pipeline'])).imbalances, [])
      const names = (await log.group('all'))!.checkpoints.map((one) => one.topic)
      assert.ok(names.includes('orders-us'))
    } finally {
      for (const one of logs) await one.close()
    }
  })
})
