/** Groups on a real broker as they are seen from outside, with transactions that are under way. */
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaClient } from './kafka-client.ts'
import { KafkaGroups } from './kafka-groups.ts'
import { joinAs } from './kafka-membership-testing.ts'
import { newName, withKafka } from './kafka-testing.ts'
import { OpenTransaction } from './kafka-testing-writes.ts'
import { KafkaTopics } from './kafka-topics.ts'
import { refusedWith, settle } from './log.contract.support.ts'

withKafka('groups on Kafka', (cluster) => {
  let client: KafkaClient
  let topics: KafkaTopics
  let groups: KafkaGroups
  const paused = new Set<string>()
  /** Every broker allows it. */
  const sessionTimeoutMs = 10_000

  before(() => {
    const brokers = cluster().bootstrapServers.split(',')
    client = new KafkaClient({ brokers, clientId: 'groups-test' })
    topics = new KafkaTopics(client)
    groups = new KafkaGroups(client, { topics, isPaused: (name) => paused.has(name) })
  })

  after(() => client?.close())

  const newTopic = async (partitions: number) =>
    (await topics.createTopic(newName('in'), { partitions })).name
  const at = (topic: string, partition: number, offset: number, metadata = '') => {
    return { topic, partition, offset, metadata }
  }
  const committed = async (group: string, ...checkpoints: ReturnType<typeof at>[]) => {
    const open = await new OpenTransaction(client).begin()
    await open.commitOffsets(group, checkpoints)
    return open
  }

  it('have what was committed as soon as it is, also the first time', async () => {
    const topic = await newTopic(3)
    for (let round = 0; round < 8; round++) {
      const group = newName('first')
      groups.expect(group, { topics: [{ name: topic, partitions: 3 }] })
      const saved = [at(topic, 2, round, 'ä'), at(topic, 0, 7)]
      await (await committed(group, ...saved)).end(true)
      assert.deepEqual(await groups.offsetsOf(group), [saved[1], saved[0]])
      assert.deepEqual((await groups.group(group))?.checkpoints, [saved[1], saved[0]])
    }
  })

  it('are waited for while a transaction of theirs is open', async () => {
    const topic = await newTopic(2)
    for (const isCommit of [true, false]) {
      const group = newName('open')
      await (await committed(group, at(topic, 0, 1), at(topic, 1, 1))).end(true)
      const open = await committed(group, at(topic, 1, 2))
      let isKnown = false
      const asked = groups.offsetsOf(group).finally(() => {
        isKnown = true
      })
      await sleep(300)
      assert.equal(isKnown, false, 'nobody can know yet')
      await open.end(isCommit)
      assert.deepEqual(await asked, [at(topic, 0, 1), at(topic, 1, isCommit ? 2 : 1)])
    }
  })

  it('hold up nobody while they commit without a pause', async () => {
    const topic = await newTopic(2)
    const group = newName('busy')
    groups.expect(group, { topics: [{ name: topic, partitions: 2 }] })
    await (await committed(group, at(topic, 0, 0), at(topic, 1, 0))).end(true)
    let isDone = false
    const committing = [0, 1].map(async (partition) => {
      for (let offset = 1; !isDone; offset++) {
        await (await committed(group, at(topic, partition, offset))).end(true)
      }
    })
    let last = [0, 0]
    for (let round = 0; round < 20; round++) {
      const offsets = (await groups.offsetsOf(group)).map(({ offset }) => offset)
      assert.ok(offsets[0]! >= last[0]! && offsets[1]! >= last[1]!, `${last}, then ${offsets}`)
      last = offsets
    }
    isDone = true
    await Promise.all(committing)
    assert.ok(last[0]! > 0 && last[1]! > 0, 'both moved on meanwhile')
  })

  it('are described with their members, and left alone while there are any', async () => {
    const topic = await newTopic(4)
    const name = newName('members')
    const join = { topics: [{ name: topic, partitions: 4 }], planHash: 'plan', sessionTimeoutMs }
    const members = [await joinAs(client, name, join), await joinAs(client, name, join)]
    await settle(...members)
    paused.add(name)
    const info = await groups.group(name)
    assert.deepEqual([info?.paused, info?.checkpoints], [true, []])
    assert.ok(info!.generation > 0)
    const told = info!.members.map(({ memberId, owned }) => [memberId, owned])
    assert.deepEqual(
      new Map(told as []),
      new Map(members.map(({ memberId, owned }) => [memberId, owned])),
    )
    assert.ok(info!.members.every(({ planHash }) => planHash === 'plan'))
    const listed = (await groups.groups((one) => one === name)).map((one) => one.name)
    assert.deepEqual(listed, [name])
    await refusedWith('GROUP_ACTIVE', groups.resetGroup(name, [at(topic, 0, 1)]))
    await refusedWith('GROUP_ACTIVE', groups.resetGroup(name, [at(topic, 0, -1)]))
    await refusedWith('GROUP_ACTIVE', groups.deleteGroup(name))
    for (const member of members) await member.leave()
  })

  it('are reset and deleted; what is asked for twice is harmless', async () => {
    const topic = await newTopic(2)
    const name = newName('reset')
    const split = newName('split')
    assert.equal(await groups.group(name), undefined)
    await groups.deleteGroup(name)
    await refusedWith(
      'METADATA_TOO_LARGE',
      groups.resetGroup(name, [at(topic, 0, 1, 'm'.repeat(4000))]),
    )
    await refusedWith('NAME_INVALID', groups.resetGroup('a b', [at(topic, 0, 1)]))
    const saved = [at(topic, 0, 5, 'm'.repeat(3000)), at(topic, 1, 6), at(split, 2, 7)]
    await groups.resetGroup(name, saved)
    assert.deepEqual((await groups.group(name))?.checkpoints, saved)
    const left = [at(topic, 1, 8), at(split, 2, -1), at('never-there', 0, -1), at(topic, 0, -1)]
    await groups.resetGroup(name, left)
    await groups.resetGroup(name, left)
    assert.deepEqual(await groups.offsetsOf(name), [left[0]])
    assert.ok((await groups.groups()).some((group) => group.name === name))
    await groups.deleteGroup(name)
    assert.equal(await groups.group(name), undefined)
    assert.deepEqual(await groups.offsetsOf(name), [])
    await groups.resetGroup(name, [at(topic, 0, -1)])
  })

  it('forget a topic that is deleted, not the others', async () => {
    const [gone, kept] = [await newTopic(2), await newTopic(1)]
    const names = [newName('forgetting'), newName('forgetting')]
    for (const name of names) {
      await (await committed(name, at(gone, 1, 3), at(kept, 0, 4))).end(true)
    }
    await topics.deleteTopic(gone)
    await groups.topicForgotten(gone)
    await topics.createTopic(gone, { partitions: 2 })
    for (const name of names) assert.deepEqual(await groups.offsetsOf(name), [at(kept, 0, 4)])
  })
})
