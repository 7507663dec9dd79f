/**
 * What the stock client gets wrong about transactions, each once reproduced with it, held here for the
 * log: a restart with the same transactional id, offsets of many partitions at once, aborted messages.
 */
import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { buffers } from '../core/buffer-pool.ts'
import { openKafkaLog } from './kafka.ts'
import { KafkaClient } from './kafka-client.ts'
import { newName, withKafka } from './kafka-testing.ts'
import { OpenTransaction } from './kafka-testing-writes.ts'
import { joinAlone, output, put, readAll, shown, valuesIn } from './log.contract.support.ts'
import type { Log } from './log.ts'

buffers.poisons = true

withKafka('exactly once on Kafka', (cluster) => {
  const opened: { close(): Promise<void> }[] = []
  const connection = () => ({ brokers: cluster().bootstrapServers.split(','), clientId: 'test' })
  const open = async (instance: string): Promise<Log> => {
    const log = await openKafkaLog({ connection: connection(), instance })
    opened.push(log)
    return log
  }
  const clientOf = () => {
    const client = new KafkaClient(connection())
    opened.push(client)
    return client
  }
  after(() => Promise.all(opened.map((one) => one.close())))

  it('goes on after each restart under the same name', async () => {
    const [instance, topic, group] = [newName('instance'), newName('in'), newName('group')]
    const topics = [{ name: topic, partitions: 1 }]
    for (let start = 0; start < 4; start++) {
      const log = await open(instance)
      if (start === 0) await log.createTopic(topic, { partitions: 1 })
      const member = await joinAlone(log, group, topics)
      for (let number = 0; number < 3; number++) {
        const checkpoints = [{ topic, partition: 0, offset: 3 * start + number, metadata: '' }]
        await put(log, topic, 0, [`${start}.${number}`], { checkpoints, member })
      }
      await member.leave()
      await log.close()
    }
    const log = await open(instance)
    const expected = [0, 1, 2, 3].flatMap((start) =>
      [0, 1, 2].map((number) => `${start}.${number}`),
    )
    assert.deepEqual(await valuesIn(log, topic), expected)
    assert.equal((await log.group(group))?.checkpoints[0]?.offset, 11)
  })

  it('ends at once what a process under the same name left open', async () => {
    const [instance, topic] = [newName('instance'), newName('in')]
    const log = await open(instance)
    await log.createTopic(topic, { partitions: 1 })
    const left = await new OpenTransaction(clientOf(), `millrace.${instance}`).begin()
    await left.write(topic, 0, ['never decided'])
    // Without that a reader would stand before it until its timeout.
    await put(log, topic, 0, ['after'])
    assert.deepEqual(await valuesIn(log, topic), ['after'])
    await assert.rejects(left.end(true), 'and whoever left it open cannot end it any more')
  })

  it('stores the offsets of all partitions of commits that go together', async () => {
    const [topic, group] = [newName('in'), newName('group')]
    const log = await open(newName('instance'))
    await log.createTopic(topic, { partitions: 8 })
    const member = await joinAlone(log, group, [{ name: topic, partitions: 8 }])
    const numbers = Array.from({ length: 8 }, (_, number) => number)
    const commits = numbers.map((partition) =>
      log.commit({
        outputs: [output(topic, partition, [`${partition}`])],
        checkpoints: [{ topic, partition, offset: 100 + partition, metadata: `${partition}` }],
        member,
      }),
    )
    await Promise.all(commits)
    const saved = [...(await log.group(group))!.checkpoints]
    assert.deepEqual(
      saved.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset),
      numbers.map((partition) => 100 + partition),
    )
    for (const partition of numbers) {
      assert.deepEqual(await valuesIn(log, topic, partition), [`${partition}`])
    }
  })

  it('shows nothing of what was aborted, however it lies', async () => {
    const topic = newName('in')
    const log = await open(newName('instance'))
    await log.createTopic(topic, { partitions: 1 })
    const client = clientOf()
    const transaction = async (values: readonly string[], isCommit: boolean, id: string) => {
      const one = await new OpenTransaction(client, id).begin()
      for (const value of values) await one.write(topic, 0, [value])
      await one.end(isCommit)
    }
    const same = newName('transaction')
    const large = Array.from({ length: 24 }, (_, index) => `${index} ${'x'.repeat(100_000)}`)
    await transaction(['kept 1'], true, same)
    await transaction(['aborted 1'], false, same)
    await transaction(['aborted 2'], false, same)
    await transaction(['kept 2'], true, same)
    // More than one fetch brings.
    await transaction(large, false, newName('transaction'))
    const between = await new OpenTransaction(client).begin()
    await between.write(topic, 0, ['begun first'])
    await transaction(['kept 3'], true, same)
    await between.write(topic, 0, ['ended last'])
    await between.end(false)
    await put(log, topic, 0, ['kept 4'])
    const expected = ['kept 1', 'kept 2', 'kept 3', 'kept 4']
    const all = await readAll(log, topic, 0)
    const values = all.map(({ value }) => value)
    assert.deepEqual(values, expected)
    for (const maxBytes of [1, 150_000]) {
      const seen = await readAll(log, topic, 0, 0, maxBytes)
      assert.deepEqual(seen, all)
    }
    assert.equal(await log.count(topic, 0, await log.offsets(topic, 0)), 4)
  })

  it('counts what a group wrote apart from what others did', async () => {
    const [topic, group] = [newName('in'), newName('group')]
    const log = await open(newName('instance'))
    const other = await open(newName('instance'))
    await log.createTopic(topic, { partitions: 1 })
    const member = await joinAlone(log, group, [{ name: topic, partitions: 1 }])
    let last = 0
    for (let number = 0; number < 3; number++) {
      await put(log, topic, 0, ['of the group'], { member })
      last = await put(other, topic, 0, ['of nobody'])
    }
    await shown(log, topic, 0, last + 1)
    const range = await log.offsets(topic, 0)
    assert.equal(await log.count(topic, 0, range), 6)
    assert.equal(await log.count(topic, 0, range, { by: group }), 3)
    assert.equal(await other.count(topic, 0, range, { by: group }), 3)
  })
})
