/** Memberships on a real broker: what the laws of the log do not reach. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import { KafkaClient } from './kafka-client.ts'
import type { KafkaMembership } from './kafka-member.ts'
import { counts, joinAs, shortSessionMs, until, Worker } from './kafka-membership-testing.ts'
import type { WorkerProcessOptions } from './kafka-membership-testing-worker.ts'
import { newName, withKafka } from './kafka-testing.ts'
import { namesOf, refusedWith, settle } from './log.contract.support.ts'

const topics = [{ name: 'in', partitions: 4 }]
const allOfIn = ['in/0', 'in/1', 'in/2', 'in/3']

withKafka('memberships on Kafka', (cluster) => {
  let client: KafkaClient
  const brokers = () => cluster().bootstrapServers.split(',')
  const clients: KafkaClient[] = []
  const newClient = () => {
    const made = new KafkaClient({ brokers: brokers(), clientId: 'member' })
    clients.push(made)
    return made
  }
  before(() => {
    client = newClient()
  })
  after(() => Promise.all(clients.map((one) => one.close())))

  it('share four partitions half each, and hand over only what was released', async () => {
    const group = newName('halves')
    const old = await joinAs(client, group, { topics })
    await settle(old)
    assert.deepEqual(namesOf(old.owned), allOfIn)
    const young = await joinAs(client, group, { topics })
    assert.notEqual(old.memberId, young.memberId)
    let revoking = (await old.heartbeat()).revoking
    while (revoking.length < 2) revoking = (await old.heartbeat()).revoking
    for (let round = 0; round < 3; round++) await young.heartbeat()
    assert.deepEqual(young.owned, [], 'nothing is granted twice')
    await old.release([revoking[0]!])
    assert.equal(old.owns('in', revoking[0]!.partition), false)
    await settle(old, young)
    assert.deepEqual([old.owned.length, young.owned.length], [2, 2])
    assert.equal(old.generation, young.generation)
    await Promise.all([old.leave(), young.leave()])
  })

  it('tell what is granted once, and what is to be released until it is', async () => {
    const group = newName('told')
    const old = await joinAs(client, group, { topics })
    const granted = []
    while (granted.length === 0) granted.push(...(await old.heartbeat()).granted)
    assert.deepEqual(namesOf(granted), allOfIn)
    assert.deepEqual(await old.heartbeat(), { granted: [], revoking: [], lost: [] })
    const young = await joinAs(client, group, { topics })
    while ((await old.heartbeat()).revoking.length === 0) await young.heartbeat()
    assert.equal((await old.heartbeat()).revoking.length, 2)
    await young.leave()
    await settle(old)
    const { granted: again, revoking } = await old.heartbeat()
    assert.deepEqual([again, revoking], [[], []], 'what nobody wants any more is kept')
    assert.deepEqual(namesOf(old.owned), allOfIn)
    await old.leave()
  })

  it('are evicted when silent, fenced when they wake, and silent ones know it themselves', async () => {
    const group = newName('silent')
    const asleep = await joinAs(client, group, { topics, sessionTimeoutMs: shortSessionMs })
    const awake = await joinAs(newClient(), group, { topics })
    await settle(asleep, awake)
    const had = namesOf(asleep.owned)
    await asleep.check()
    const worker = new Worker(awake)
    await until('the other has everything', () => awake.owned.length === 4)
    await refusedWith('MEMBER_FENCED', asleep.check())
    assert.deepEqual(namesOf((await asleep.heartbeat()).lost), had)
    await refusedWith('MEMBER_FENCED', asleep.heartbeat())
    await refusedWith(
      'MEMBER_FENCED',
      asleep.steadily(async () => undefined),
    )
    await asleep.leave()
    await worker.leave()
  })

  it('lose everything without asking when the broker cannot be asked in time', async () => {
    let lagMs = 0
    const clock = { now: () => Date.now() + lagMs, sleep: (waitMs: number) => sleep(waitMs) }
    const options = { topics, sessionTimeoutMs: 5_000 }
    const member = await joinAs(client, newName('late'), options, { clock })
    await settle(member)
    lagMs = 5_001
    assert.deepEqual(namesOf((await member.heartbeat()).lost), allOfIn)
    await refusedWith('MEMBER_FENCED', member.heartbeat())
  })

  it('that are killed leave their partitions to others after the session timeout', async () => {
    const group = newName('killed')
    const member = await joinAs(client, group, { topics })
    await settle(member)
    const options: WorkerProcessOptions = { brokers: brokers(), group, topics }
    const file = join(import.meta.dirname, 'kafka-membership-testing-worker.ts')
    const child = spawn(process.execPath, [file, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
    let owned = 0
    createInterface({ input: child.stdout }).on('line', (line) => {
      owned = (JSON.parse(line) as { owned: number }).owned
    })
    const worker = new Worker(member)
    try {
      await until('the process has its half', () => owned === 2 && member.owned.length === 2)
    } finally {
      child.kill('SIGKILL')
    }
    assert.equal(await ended, 'SIGKILL')
    assert.equal(member.owned.length, 2)
    await until('its half comes back', () => member.owned.length === 4)
    await worker.leave()
    assert.equal(worker.error, undefined)
  })

  it('hold a new generation off while work goes on, and begin none before it is joined', async () => {
    const group = newName('steady')
    const first = await joinAs(client, group, { topics, sessionTimeoutMs: 5_000 })
    await first.steadily(async () => assert.deepEqual(namesOf(first.owned), allOfIn))
    const order: string[] = []
    const working = Promise.withResolvers<void>()
    const work = first.steadily(async () => {
      const before = first.kafkaGeneration
      await working.promise
      assert.equal(first.kafkaGeneration, before)
      order.push('work')
    })
    const second = await joinAs(client, group, { topics, sessionTimeoutMs: 5_000 })
    for (let round = 0; round < 5; round++) await first.heartbeat()
    assert.equal(second.kafkaGeneration, -1, 'the new member waits for the old one')
    const next = first.steadily(async () => order.push('next'))
    await sleep(50)
    assert.deepEqual(order, [])
    working.resolve()
    await Promise.all([work, next])
    assert.deepEqual(order, ['work', 'next'])
    assert.ok(first.kafkaGeneration > 1)
    await Promise.all([first.leave(), second.leave()])
  })

  it('leave at once, also while a join is held back', async () => {
    const group = newName('leaving')
    const first = await joinAs(client, group, { topics, sessionTimeoutMs: 30_000 })
    await settle(first)
    const second = await joinAs(client, group, { topics, sessionTimeoutMs: 30_000 })
    assert.equal(second.kafkaGeneration, -1)
    await Promise.all([second.leave(), second.leave()])
    await refusedWith('MEMBER_FENCED', second.heartbeat())
    const generation = first.generation
    await settle(first)
    assert.deepEqual(namesOf(first.owned), allOfIn)
    await first.leave()
    assert.deepEqual(first.owned, [])
    const third = await joinAs(client, group, { topics })
    await settle(third)
    assert.deepEqual(namesOf(third.owned), allOfIn)
    assert.ok(third.generation > generation, 'the generation rises when all have left, too')
    await third.leave()
  })

  it('of a static name: the same after a kill, fenced by the younger one, gone when it leaves', async () => {
    const group = newName('static')
    const other = await joinAs(client, group, { topics, sessionTimeoutMs: 20_000 })
    const worker = new Worker(other)
    const as = (planHash: string) =>
      joinAs(
        newClient(),
        group,
        { topics, planHash, sessionTimeoutMs: 20_000 },
        { instanceId: 'a' },
      )
    const killed = new Worker(await as('one'))
    await until('they have half each', () => killed.member.owned.length === 2)
    await until('they have half each', () => other.owned.length === 2)
    await killed.fallSilent()
    const { generation } = other
    const had = namesOf(killed.member.owned)
    const again = await as('one')
    assert.deepEqual(namesOf(again.owned), had, 'at once, although the session goes on')
    assert.equal(again.generation, generation, 'nobody else noticed')
    await refusedWith('MEMBER_FENCED', killed.member.check())
    const newer = new Worker(await as('two'))
    await until('its plan is known', () => newer.member.generation > generation)
    assert.equal(newer.member.superseded, false)
    await newer.leave()
    await until('the other has everything', () => other.owned.length === 4)
    await worker.leave()
    assert.deepEqual([worker.error, killed.error, newer.error], [undefined, undefined, undefined])
  })

  it('say in words what the brokers refuse', async () => {
    const group = newName('refused')
    const joining = joinAs(client, group, { topics, sessionTimeoutMs: 24 * 3_600_000 })
    const error = await joining.catch((thrown: unknown) => thrown)
    assert.equal(codeOf(error), 'OPTIONS_INVALID')
    assert.match(String(error), /session timeout of 86400000 ms.*group\.max\.session/)
  })

  for (const seed of [11, 22, 33]) {
    it(`come and go, seed ${seed}: each partition has one owner in the end, never two`, async () => {
      await comeAndGo(seed, newName('many'), newClient)
    })
  }

  it("are shown by Kafka's own tool", async () => {
    const group = newName('shown')
    const members = [
      await joinAs(client, group, { topics }),
      await joinAs(client, group, { topics }),
    ]
    const workers = members.map((member) => new Worker(member))
    await until('they have half each', () => members.every(({ owned }) => owned.length === 2))
    const told = await cluster().tool(
      'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
      [
        ...['--bootstrap-server', cluster().bootstrapServers],
        ...['--describe', '--members', '--verbose', '--group', group],
      ],
    )
    for (const { memberId, owned } of members) {
      const line = told.stdout.split('\n').find((one) => one.includes(memberId))
      const numbers = owned.map(({ partition }) => partition).join(',')
      assert.match(line ?? told.stdout + told.stderr, new RegExp(`in[(:]${numbers}`))
      assert.match(line!, /millrace|\s2\s/)
    }
    await Promise.all(workers.map((worker) => worker.leave()))
  })
})

const many = [
  { name: 'in', partitions: 8 },
  { name: 'also', partitions: 5 },
]

/** Twenty members at most join, leave and fall silent; whoever lives works on. */
async function comeAndGo(seed: number, group: string, newClient: () => KafkaClient) {
  const random = seededRandom(seed)
  const clients = [newClient(), newClient(), newClient()]
  const workers: Worker[] = []
  const all: Worker[] = []
  const joining: Promise<void>[] = []
  const check = () => {
    const twice = [...counts(workers.map(({ member }) => member))].filter(([, count]) => count > 1)
    assert.deepEqual(twice, [], `seed ${seed}: owned by two`)
    const told = counts(workers.map(({ holds }) => ({ owned: [...holds.values()] })))
    assert.ok(
      [...told.values()].every((count) => count === 1),
      `seed ${seed}: worked on by two`,
    )
  }
  const come = async () => {
    const options = { topics: many, sessionTimeoutMs: shortSessionMs }
    const member = await joinAs(clients[Math.floor(random() * 3)]!, group, options)
    const worker = new Worker(member, random)
    workers.push(worker)
    all.push(worker)
  }
  const take = () => workers.splice(Math.floor(random() * workers.length), 1)[0]
  for (let step = 0; step < 60; step++) {
    const dice = random()
    if (workers.length < 20 && dice < 0.5) joining.push(come())
    else if (dice < 0.7) joining.push(take()?.leave() ?? Promise.resolve())
    else if (dice < 0.8) joining.push(take()?.fallSilent() ?? Promise.resolve())
    const waitMs = random() * 100
    for (let passed = 0; passed < waitMs; passed += 5) {
      check()
      await sleep(5)
    }
  }
  await Promise.all(joining)
  if (workers.length === 0) await come()
  const members = () => workers.map(({ member }) => member)
  await until(`seed ${seed}: everything is owned`, () => {
    check()
    return counts(members()).size === 13 && isEven(members())
  })
  await Promise.all(workers.map((worker) => worker.leave()))
  const errors = all.flatMap(({ error }) => (error === undefined ? [] : [error]))
  assert.deepEqual(errors, [])
}

const isEven = (members: readonly KafkaMembership[]) => {
  const sizes = members.map(({ owned }) => new Set(owned.map(({ partition }) => partition)).size)
  return Math.max(...sizes) - Math.min(...sizes) <= 1
}
