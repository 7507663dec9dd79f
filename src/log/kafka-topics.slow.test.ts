/** Topics on a real broker: what the log's law leaves open, and what only Kafka has. */
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { API } from '@platformatic/kafka'
import { KafkaClient } from './kafka-client.ts'
import { faultError } from './kafka-faults.ts'
import { KafkaOffsets } from './kafka-offsets.ts'
import { KafkaReader } from './kafka-reader.ts'
import { newName, withKafka } from './kafka-testing.ts'
import { OpenTransaction, untilDecided, write } from './kafka-testing-writes.ts'
import { TopicMaker } from './kafka-topic-making.ts'
import { KafkaTopics, type ReadMessages } from './kafka-topics.ts'
import { refusedWith, someTime } from './log.contract.support.ts'

/** Some answers of the cluster get lost: those to the next requests of that kind. */
class ForgetfulClient extends KafkaClient {
  lost = 0
  apiKey = -1

  override async call<Arguments extends unknown[], Answer>(
    node: number,
    lane: string,
    api: API<Arguments, Answer>,
    ...args: Arguments
  ): Promise<Answer> {
    const answer = await super.call(node, lane, api, ...args)
    if (api.key !== this.apiKey || this.lost === 0) return answer
    this.lost--
    throw faultError(13, 'the answer got lost')
  }
}

withKafka('topics on Kafka', (cluster) => {
  const clients: KafkaClient[] = []
  let client: KafkaClient
  let topics: KafkaTopics
  let other: KafkaTopics
  let read: ReadMessages
  let reader: KafkaReader

  const connection = () => {
    return { brokers: cluster().bootstrapServers.split(','), clientId: 'topics-test' }
  }
  const open = () => {
    const made = new KafkaClient(connection())
    clients.push(made)
    return made
  }

  before(() => {
    client = open()
    topics = new KafkaTopics(client)
    other = new KafkaTopics(open())
    reader = new KafkaReader(client, async (topic, partition) => {
      return (await topics.offsets(topic, partition)).start
    })
    read = (topic, partition, offset) => reader.read(topic, partition, offset)
  })

  after(async () => {
    await reader?.close()
    for (const one of clients) await one.close()
  })

  it('take messages in each partition as soon as they are made', async () => {
    for (let round = 0; round < 10; round++) {
      const { name } = await topics.createTopic(newName('at-once'), { partitions: 3 })
      for (let partition = 0; partition < 3; partition++)
        await write(client, name, partition, ['m'])
      assert.equal((await other.topic(name))?.partitions, 3)
      await topics.deleteTopic(name)
      assert.equal(await other.topic(name), undefined)
    }
  })

  it('take a message of the size that they were made for, and none that is larger', async () => {
    const { name } = await topics.createTopic(newName('sized'), {
      ...{ partitions: 1, maxMessageBytes: 2_000_000 },
    })
    await write(client, name, 0, ['x'.repeat(2_000_000)])
    await assert.rejects(write(client, name, 0, ['x'.repeat(2_005_000)]), /MESSAGE_TOO_LARGE/)
  })

  it('take messages of any time', async () => {
    const { name } = await topics.createTopic(newName('times'), { partitions: 1 })
    const times = [Date.now() + 1e11, 0, 8.64e15]
    for (const time of times) await write(client, name, 0, [{ value: 'm', time }])
  })

  it('are refused with the reason that the broker gives', async () => {
    const name = newName('refused')
    await topics.createTopic(`${name}.one`)
    await refusedWith('NAME_INVALID', topics.createTopic(`${name}_one`))
  })

  it('wait for brokers where there are fewer than copies, and say so once', async () => {
    const said: string[] = []
    const onWaiting = (words: string) => said.push(words)
    const name = newName('copies')
    const waiting = { replicationFactor: 99, brokersPatienceMs: 300, onWaiting }
    await assert.rejects(new KafkaTopics(client, waiting).createTopic(name), {
      code: 'BROKERS_TOO_FEW',
      order: 'try-later',
      message:
        /too few brokers for 99 copies .*; start the brokers that are away, or set a smaller/,
    })
    assert.equal(said.length, 1, said.join('\n'))
    assert.match(said[0]!, new RegExp(`^create topic ${name}: .*waiting for them$`))
    await new KafkaTopics(client, { replicationFactor: 1 }).createTopic(name)
  })

  it('are made without what is only wished for where the cluster refuses that', async () => {
    const maker = new TopicMaker(client, new KafkaOffsets(client))
    const name = newName('wished')
    const needed = [{ name: 'retention.ms', value: '77000' }]
    const wished = [{ name: 'no.such.setting', value: '1' }]
    assert.equal(await maker.make({ name, partitions: 1, configs: { needed, wished } }), true)
    assert.equal((await topics.topic(name))?.retentionMs, 77_000)
    const asked = { name: `${name}-2`, partitions: 1, configs: { needed: wished, wished: [] } }
    await refusedWith('OPTIONS_INVALID', maker.make(asked))
  })

  it('are made, grown and deleted once where the first answer is lost', async () => {
    const forgetful = new ForgetfulClient(connection())
    clients.push(forgetful)
    const unsure = new KafkaTopics(forgetful)
    const name = newName('lost')
    Object.assign(forgetful, { apiKey: 19, lost: 2 })
    const made = await unsure.createTopic(name, { partitions: 2 })
    assert.deepEqual(await topics.topic(name), made)
    await refusedWith('TOPIC_EXISTS', unsure.createTopic(name))
    Object.assign(forgetful, { apiKey: 37, lost: 1 })
    const { name: _, identity: __, ...settings } = made
    await unsure.ensureTopic(name, { ...settings, partitions: 4 })
    assert.equal((await topics.topic(name))?.partitions, 4)
    Object.assign(forgetful, { apiKey: 20, lost: 1 })
    await unsure.deleteTopic(name)
    assert.equal(forgetful.lost, 0, 'answers were lost')
    await refusedWith('TOPIC_UNKNOWN', unsure.deleteTopic(name))
  })

  it('are made by one of many who try at once', async () => {
    const name = newName('raced')
    const tries = [topics, other, topics, other].map((one) =>
      one.createTopic(name).then(
        () => 'made',
        (error) => error.code,
      ),
    )
    const ended = (await Promise.all(tries)).sort()
    assert.deepEqual(ended, ['TOPIC_EXISTS', 'TOPIC_EXISTS', 'TOPIC_EXISTS', 'made'])
  })

  it('hold checkpoints of splits, made by all at once, and are not shown', async () => {
    const split = newName('mails.files')
    const { name: real } = await topics.createTopic(newName('real'), { partitions: 1 })
    const sizes = [1, 4, 2, 3, 0]
    await Promise.all(
      sizes.map((partitions, index) => {
        return (index % 2 === 0 ? topics : other).ensureSplitTopics([
          { name: split, partitions },
          { name: real, partitions: 3 },
        ])
      }),
    )
    assert.equal((await open().topic(split))?.leaders.length, 4)
    assert.equal((await other.topic(real))?.partitions, 1, 'a topic of messages is left as it is')
    assert.equal(await topics.topic(split), undefined)
    assert.equal(await topics.known(split), undefined)
    const names = (await topics.topics()).map(({ name }) => name)
    assert.ok(names.includes(real) && !names.includes(split))
    await refusedWith('TOPIC_EXISTS', topics.createTopic(split))
    await assert.rejects(write(client, split, 0, ['no message']), /MESSAGE_TOO_LARGE/)
  })

  it('end before what is undecided, and are written to behind it', async () => {
    const { name } = await topics.createTopic(newName('ends'), { partitions: 2 })
    await write(client, name, 0, ['a', 'b'])
    const open = await new OpenTransaction(client).begin()
    await open.write(name, 0, ['c'])
    await write(client, name, 0, ['d'])
    assert.deepEqual(await topics.offsets(name, 0), { start: 0, end: 2 })
    assert.equal(await topics.writtenEnd(name, 0), 4)
    const ranges = await Promise.all([0, 1, 0, 1].map((one) => topics.offsets(name, one)))
    assert.deepEqual(
      ranges.map(({ end }) => end),
      [2, 0, 2, 0],
      'asked for many at once, each gets its own',
    )
    await open.end(true)
    await untilDecided(topics, name, 5)
    assert.equal(await topics.writtenEnd(name, 0), 5)
  })

  it('are searched by time past aborted messages and markers, never beyond the end', async () => {
    const { name } = await topics.createTopic(newName('by-time'), { partitions: 1 })
    const at = (time: number) => [{ value: `${time}`, time: someTime + time }]
    const first = await write(client, name, 0, [{ value: 'old', time: 5 }])
    const aborted = await new OpenTransaction(client).begin()
    await aborted.write(name, 0, at(500))
    await aborted.end(false)
    const committed = await new OpenTransaction(client).begin()
    const second = await committed.write(name, 0, at(300))
    await committed.end(true)
    const third = await write(client, name, 0, at(600))
    const open = await new OpenTransaction(client).begin()
    const undecided = await open.write(name, 0, at(900))
    await untilDecided(topics, name, undecided)
    const find = (timeMs: number) => topics.offsetAtTime(name, 0, timeMs, read)
    const cases: [number, number][] = [
      ...([-1, -2, Number.NEGATIVE_INFINITY, 0, 4.5, 5].map((time) => [time, first]) as []),
      ...([5.5, 6, someTime + 300].map((time) => [time, second]) as []),
      ...([301, 500, 600].map((time) => [someTime + time, third]) as []),
      ...([601, 900, 1e15].map((time) => [someTime + time, undecided]) as []),
      ...([Number.POSITIVE_INFINITY, Number.NaN].map((time) => [time, undecided]) as []),
    ]
    for (const [time, offset] of cases) assert.equal(await find(time), offset, `at ${time}`)
    await open.end(false)
  })
})
