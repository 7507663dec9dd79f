import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { describe, it } from 'node:test'
import type { LogSetup, OpenLog } from './log.contract.support.ts'
import {
  beat,
  joinAlone,
  namesOf,
  output,
  pass,
  put,
  refusedWith,
  settle,
  timeoutOf,
  valuesIn,
  withLog,
} from './log.contract.support.ts'
import type { Log, Membership, TopicPartition } from './log.ts'

const four = [{ name: 'in', partitions: 4 }]
const allOfIn = ['in/0', 'in/1', 'in/2', 'in/3']

const at = (topic: string, partition: number, offset: number, metadata = '') => ({
  topic,
  partition,
  offset,
  metadata,
})

/** A commit for one partition, to see whether it is taken. */
function commitFor(log: Log, member: Membership, partition: number, offset = 1): Promise<unknown> {
  const outputs = [output('out', 0, [`${member.memberId} ${partition} ${offset}`])]
  return log.commit({ outputs, checkpoints: [at('in', partition, offset)], member })
}

/** Heartbeats of one member until it was asked to give up that many partitions. */
async function asked(member: Membership, count: number): Promise<TopicPartition[]> {
  const revoking = new Map<string, TopicPartition>()
  for (let round = 0; revoking.size < count; round++) {
    assert.ok(round < 200, 'a new member makes the old one give up its share')
    for (const one of (await member.heartbeat()).revoking) revoking.set(namesOf([one])[0]!, one)
  }
  assert.equal(revoking.size, count)
  return [...revoking.values()]
}

export function groupLaws(open: OpenLog): void {
  const withGroup = (work: (log: Log, setup: LogSetup) => Promise<void>) => () =>
    withLog(open, async (log, setup) => {
      await log.createTopic('in', { partitions: 4 })
      await log.createTopic('out', { partitions: 1 })
      await work(log, setup)
    })

  describe('groups', () => {
    it(
      'tell where their members run',
      withGroup(async (log) => {
        await joinAlone(log, 'g', four)
        const { members, generation } = (await log.group('g'))!
        assert.deepEqual(
          members.map(({ host, pid }) => [host, pid]),
          [[hostname(), process.pid]],
        )
        assert.ok(generation > 0)
      }),
    )

    it(
      'give one member everything, two members half each, the same numbers of all topics',
      withGroup(async (log) => {
        await log.createTopic('also', { partitions: 2 })
        const topics = [...four, { name: 'also', partitions: 2 }]
        const first = await joinAlone(log, 'g', topics)
        assert.deepEqual(namesOf(first.owned), ['also/0', 'also/1', ...allOfIn])
        const { generation } = first
        const second = await log.join('g', { topics })
        await settle(first, second)
        assert.ok(first.generation > generation && second.generation === first.generation)
        assert.notEqual(first.memberId, second.memberId)
        assert.deepEqual(namesOf([...first.owned, ...second.owned]), [
          'also/0',
          'also/1',
          ...allOfIn,
        ])
        for (const { owned } of [first, second]) {
          const numbers = owned.filter(({ topic }) => topic === 'in').map((one) => one.partition)
          assert.equal(numbers.length, 2)
          const also = owned.filter(({ topic }) => topic === 'also')
          assert.ok(also.every(({ partition }) => numbers.includes(partition)))
        }
        const info = await log.group('g')
        assert.deepEqual(
          new Map(info?.members.map(({ memberId, owned }) => [memberId, namesOf(owned)])),
          new Map([first, second].map(({ memberId, owned }) => [memberId, namesOf(owned)])),
        )
      }),
    )

    it(
      'hand over only what was released; until then the old owner commits',
      withGroup(async (log) => {
        const old = await joinAlone(log, 'g', four)
        const young = await log.join('g', { topics: four })
        const revoking = await asked(old, 2)
        for (let round = 0; round < 3; round++) await young.heartbeat()
        assert.deepEqual(young.owned, [], 'nothing is granted twice')
        const [given, kept] = revoking.map(({ partition }) => partition)
        await refusedWith('MEMBER_FENCED', commitFor(log, young, given!))
        await commitFor(log, old, given!, 1)
        await old.release([revoking[0]!])
        await refusedWith('MEMBER_FENCED', commitFor(log, old, given!, 2))
        await settle(young)
        assert.deepEqual(namesOf(young.owned), namesOf([revoking[0]!]))
        await commitFor(log, old, kept!, 3)
        await commitFor(log, young, given!, 4)
        await old.release([revoking[1]!])
        await settle(old, young)
        assert.deepEqual([old.owned.length, young.owned.length], [2, 2])
        assert.deepEqual(await valuesIn(log, 'out'), [
          `${old.memberId} ${given} 1`,
          `${old.memberId} ${kept} 3`,
          `${young.memberId} ${given} 4`,
        ])
      }),
    )

    it(
      'take back at once what a member leaves behind, and refuse its commits from then on',
      withGroup(async (log) => {
        const first = await joinAlone(log, 'g', four)
        const second = await log.join('g', { topics: four })
        await settle(first, second)
        const generation = second.generation
        await commitFor(log, first, first.owned[0]!.partition, 5)
        const left = first.owned[0]!.partition
        await first.leave()
        await first.leave()
        assert.deepEqual(first.owned, [])
        await refusedWith('MEMBER_FENCED', commitFor(log, first, left, 6))
        const empty = log.commit({ outputs: [output('out', 0, ['stale'])], member: first })
        await refusedWith('MEMBER_FENCED', empty)
        await settle(second)
        assert.deepEqual(namesOf(second.owned), allOfIn)
        assert.ok(second.generation > generation, 'the generation rises with every change')
        assert.deepEqual((await log.group('g'))?.checkpoints, [at('in', left, 5)])
        assert.equal((await valuesIn(log, 'out')).length, 1)
      }),
    )

    it(
      'take everything from a member that is silent too long, and refuse it when it wakes',
      withGroup(async (log, setup) => {
        const sessionTimeoutMs = timeoutOf(setup)
        const options = { topics: four, sessionTimeoutMs }
        const asleep = await log.join('g', options)
        await settle(asleep)
        const other = (await setup.second?.()) ?? log
        const awake = await other.join('g', options)
        await settle(asleep, awake)
        const [lost] = asleep.owned
        const before = namesOf(asleep.owned)
        await commitFor(log, asleep, lost!.partition, 1)
        for (let part = 0; part < 4; part++) {
          await pass(setup, sessionTimeoutMs * 0.4)
          await beat(awake)
        }
        await settle(awake)
        assert.deepEqual(namesOf(awake.owned), allOfIn)
        const change = { store: 's', partition: 0, key: 'k', value: Buffer.from('v') }
        const stale = log.commit({
          outputs: [output('out', 0, ['from a sleeper'])],
          checkpoints: [at('in', lost!.partition, 9)],
          changes: [change],
          member: asleep,
        })
        await refusedWith('MEMBER_FENCED', stale)
        const timer = log.commit({ outputs: [output('out', 0, ['timer'])], member: asleep })
        await refusedWith('MEMBER_FENCED', timer)
        assert.equal((await valuesIn(log, 'out')).length, 1)
        assert.equal((await log.state('s', 0, ['k'])).size, 0)
        assert.deepEqual((await log.group('g'))?.checkpoints, [at('in', lost!.partition, 1)])
        assert.deepEqual(namesOf((await asleep.heartbeat()).lost), before)
        assert.deepEqual(asleep.owned, [])
        await refusedWith('MEMBER_FENCED', asleep.heartbeat())
        await asleep.leave()
        const again = await log.join('g', options)
        await settle(again, awake)
        assert.deepEqual([again.owned.length, awake.owned.length], [2, 2])
      }),
    )

    it(
      'that are exclusive leave all to one member; another stands by until it goes',
      withGroup(async (log) => {
        const options = { topics: four, exclusive: true }
        const first = await log.join('g', options)
        await settle(first)
        const second = await log.join('g', options)
        await settle(first, second)
        assert.deepEqual([namesOf(first.owned), second.owned], [allOfIn, []])
        await first.leave()
        await settle(second)
        assert.deepEqual(namesOf(second.owned), allOfIn)
      }),
    )

    it(
      'that are paused keep their partitions; members hear of it',
      withGroup(async (log) => {
        const member = await joinAlone(log, 'g', four)
        assert.equal(member.paused, false)
        await log.pauseGroup('g', true)
        await settle(member)
        assert.deepEqual([member.paused, (await log.group('g'))?.paused], [true, true])
        assert.deepEqual(namesOf(member.owned), allOfIn)
        const late = await log.join('g', { topics: four })
        await settle(member, late)
        assert.equal(late.paused, true)
        await log.pauseGroup('g', false)
        await settle(member, late)
        assert.deepEqual([member.paused, late.paused], [false, false])
      }),
    )

    it(
      'tell a member that one with another plan has joined',
      withGroup(async (log) => {
        const old = await log.join('g', { topics: four, planHash: 'one' })
        const same = await log.join('g', { topics: four, planHash: 'one' })
        await settle(old, same)
        assert.deepEqual([old.superseded, same.superseded], [false, false])
        const young = await log.join('g', { topics: four, planHash: 'two' })
        await settle(old, same, young)
        const told = [old.superseded, same.superseded, young.superseded]
        assert.deepEqual(told, [true, true, false])
        await old.leave()
        await same.leave()
        await settle(young)
        assert.deepEqual(namesOf(young.owned), allOfIn)
      }),
    )

    it(
      'are set anew and deleted only while nobody is in them',
      withGroup(async (log) => {
        assert.equal(await log.group('g'), undefined)
        const member = await joinAlone(log, 'g', four)
        const checkpoints = [at('in', 0, 3, 'zero'), at('in', 1, 4, 'one')]
        await log.commit({ outputs: [], checkpoints, member })
        await log.commit({ outputs: [], checkpoints: [at('in', 0, 5, 'newer')], member })
        await refusedWith('GROUP_ACTIVE', log.resetGroup('g', [at('in', 0, 0)]))
        await refusedWith('GROUP_ACTIVE', log.deleteGroup('g'))
        await member.leave()
        const idle = await log.group('g')
        assert.deepEqual(idle?.members, [])
        const saved = [...(idle?.checkpoints ?? [])].sort((a, b) => a.partition - b.partition)
        assert.deepEqual(saved, [at('in', 0, 5, 'newer'), checkpoints[1]])
        await log.resetGroup('g', [at('in', 0, -1), at('in', 1, 0, 'reset')])
        assert.deepEqual((await log.group('g'))?.checkpoints, [at('in', 1, 0, 'reset')])
        await log.deleteGroup('g')
        assert.equal(await log.group('g'), undefined)
      }),
    )

    it(
      'are apart: members, checkpoints, and the messages that each committed',
      withGroup(async (log) => {
        const one = await joinAlone(log, 'one', four)
        const two = await joinAlone(log, 'two', four)
        await commitFor(log, one, 0, 1)
        await commitFor(log, one, 0, 2)
        await commitFor(log, two, 0, 7)
        await put(log, 'out', 0, ['nobody'])
        const range = await log.offsets('out', 0)
        const counts = ['one', 'two', 'three'].map((by) => log.count('out', 0, range, { by }))
        assert.deepEqual(await Promise.all(counts), [2, 1, 0])
        assert.equal(await log.count('out', 0, range), 4)
        const groups = (await log.groups()).map(({ name, checkpoints }) => [name, checkpoints])
        assert.deepEqual(
          new Map(groups as [string, unknown][]),
          new Map([
            ['one', [at('in', 0, 2)]],
            ['two', [at('in', 0, 7)]],
          ]),
        )
      }),
    )
  })
}
