/** Memberships while brokers die, stand still and come back. */
import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaClient } from './kafka-client.ts'
import { counts, joinAs, until, Worker } from './kafka-membership-testing.ts'
import { newName, withKafka } from './kafka-testing.ts'

const topics = [{ name: 'in', partitions: 4 }]
const sessionTimeoutMs = 20_000

const faults = { brokers: 3, ownBrokers: true } as const

withKafka(
  'memberships on brokers that fail',
  (cluster) => {
    const clients: KafkaClient[] = []
    const newWorker = async (group: string) => {
      const brokers = cluster().bootstrapServers.split(',')
      const client = new KafkaClient({ brokers, clientId: 'member' })
      clients.push(client)
      return new Worker(await joinAs(client, group, { topics, sessionTimeoutMs }))
    }
    after(() => Promise.all(clients.map((one) => one.close())))

    const coordinatorOf = async (group: string) => {
      const client = new KafkaClient({
        brokers: cluster().bootstrapServers.split(','),
        clientId: 'test',
      })
      const node = await client.patiently('coordinator', () => client.coordinator('group', group))
      await client.close()
      return cluster().brokers.find(({ id }) => id === node)!
    }

    /** Two members share; one more comes while the coordinator is gone. */
    const through = async (
      word: string,
      fault: (group: string) => Promise<() => Promise<void>>,
    ) => {
      const group = newName(word)
      const workers = [await newWorker(group), await newWorker(group)]
      const members = () => workers.map(({ member }) => member)
      const isShared = () => counts(members()).size === 4 && workers.every(hasSome)
      const check = () => {
        const twice = [...counts(members())].filter(([, count]) => count > 1)
        assert.deepEqual(twice, [], 'owned by two')
      }
      await until('they share', isShared)
      const before = members().map(({ owned }) => owned)
      const repair = await fault(group)
      workers.push(await newWorker(group))
      await until(
        'the third has its share',
        () => {
          check()
          return isShared()
        },
        90_000,
      )
      for (const [index, { member }] of workers.slice(0, 2).entries()) {
        const had = before[index]!.map(({ partition }) => partition)
        assert.ok(
          member.owned.every(({ partition }) => had.includes(partition)),
          'nothing moved about',
        )
      }
      assert.deepEqual(
        workers.map(({ isFenced }) => isFenced),
        [false, false, false],
      )
      await repair()
      await sleep(500)
      check()
      await Promise.all(workers.map((worker) => worker.leave()))
      assert.deepEqual(
        workers.map(({ error }) => error),
        [undefined, undefined, undefined],
      )
    }

    it('keep what they have when the coordinator is killed, and go on with the next', async () => {
      await through('kill', async (group) => {
        const broker = await coordinatorOf(group)
        await broker.kill()
        return () => broker.start()
      })
    })

    it('keep what they have when the coordinator stands still', async () => {
      await through('pause', async (group) => {
        const broker = await coordinatorOf(group)
        await broker.pause()
        return () => broker.resume()
      })
    })
  },
  faults,
)

const hasSome = ({ member }: Worker) => member.owned.length > 0
