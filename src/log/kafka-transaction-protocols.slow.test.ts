/** Both protocols of transactions on a real broker, and a cluster that changes from one to the other. */
import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { openKafkaLog } from './kafka.ts'
import { KafkaClient } from './kafka-client.ts'
import { newName, withKafka } from './kafka-testing.ts'
import { joinAlone, put, valuesIn } from './log.contract.support.ts'

// Of brokers of its own: the protocol is the whole cluster's.
const settings = { 'group.initial.rebalance.delay.ms': '0' }

withKafka(
  'protocols of transactions on Kafka',
  (cluster) => {
    const opened: { close(): Promise<void> }[] = []
    after(() => Promise.all(opened.map((one) => one.close())))
    const connection = () => ({
      brokers: cluster().bootstrapServers.split(','),
      clientId: 'protocols',
    })

    async function agreeOn(version: 0 | 2): Promise<void> {
      const { code, stdout, stderr } = await cluster().tool(
        'org.apache.kafka.tools.FeatureCommand',
        [
          ...['--bootstrap-server', cluster().bootstrapServers],
          ...[
            version === 2 ? 'upgrade' : 'downgrade',
            '--feature',
            `transaction.version=${version}`,
          ],
        ],
      )
      assert.equal(code, 0, stdout + stderr)
      const client = new KafkaClient(connection())
      for (let round = 0; (await client.transactionVersion()) !== version; round++) {
        assert.ok(round < 500, 'brokers soon tell what was agreed on')
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await client.close()
    }

    it('are both right, and the second takes over under a running log', async () => {
      // Back only while nobody writes: Kafka 4.3.1 never ends a transaction of the second after that.
      await agreeOn(0)
      const [topic, group] = [newName('in'), newName('group')]
      const log = await openKafkaLog({ connection: connection(), instance: newName('instance') })
      opened.push(log)
      await log.createTopic(topic, { partitions: 1 })
      const member = await joinAlone(log, group, [{ name: topic, partitions: 1 }])
      const expected: string[] = []
      for (const version of [0, 2] as const) {
        if (version === 2) await agreeOn(version)
        // A producer of before goes on, and one that begins now is told what is agreed on.
        const fresh = await openKafkaLog({ connection: connection(), instance: newName('other') })
        opened.push(fresh)
        for (let number = 0; number < 5; number++) {
          await member.heartbeat()
          const checkpoints = [{ topic, partition: 0, offset: expected.length, metadata: '' }]
          await put(log, topic, 0, [`${version}.${number}`], { checkpoints, member })
          await put(fresh, topic, 0, [`${version}.${number} beside`])
          expected.push(`${version}.${number}`, `${version}.${number} beside`)
        }
        const [checkpoint] = (await log.group(group))!.checkpoints
        assert.equal(checkpoint?.offset, expected.length - 2)
      }
      assert.deepEqual(await valuesIn(opened.at(-1) as typeof log, topic), expected)
    })
  },
  { ownBrokers: true, settings },
)
