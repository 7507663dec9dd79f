import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { type Clock, systemClock } from '../core/clock.ts'
import { seededRandom } from '../core/random.ts'
import type { Log } from '../log/log.ts'
import { newLog } from '../log/log-testing.ts'
import { createMemoryLog } from '../log/memory.ts'
import { audit } from './audit.ts'
import { deadLetters, replayDeadLetters } from './dead-letter-store.ts'
import { ensureTopics } from './ensure-topics.ts'
import { patternFor, plannedInputs } from './inputs.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { planMermaid, planText } from './plan-text.ts'
import { Runner } from './runner.ts'
import { RunnerInputs } from './runner-inputs.ts'
import { placeStarts } from './start.ts'
import { appendAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'
import { topicsMatching } from './topics-matching.ts'

const Order = z.object({ n: z.number(), coin: z.string().default('EUR') })
type Copy = { n: number; from: string; coin?: string }
const copies = topic<Copy>('orders-copies', { partitions: 2 })

/** All orders with the topic that each is of. */
const collect = (refreshMs = 20) =>
  pipeline('all')
    .from(topicsMatching(/^orders-/, { schema: Order, refreshMs }))
    .map('with-topic', ({ n }, message) => {
      if (n < 0) throw new RangeError(`order ${n}`)
      return { n, from: message.topic }
    })
    .to(copies)

const all = collect()
const one = { partitions: 1 }

async function logOf(...names: readonly string[]): Promise<Log> {
  const log = await newLog()
  for (const name of names) await log.createTopic(name, { partitions: 2 })
  return log
}

const put = (log: Log, name: string, ...numbers: readonly number[]) =>
  appendAll(
    log,
    name,
    numbers.map((n) => ({ value: { n }, partition: Math.abs(n) % 2 })),
  )

async function copied(log: Log): Promise<string[]> {
  const values = (await readValues(log, 'orders-copies')) as { n: number; from: string }[]
  return values.map(({ n, from }) => `${from} ${n}`).sort()
}

async function runAll(log: Log): Promise<string[]> {
  const { audits } = await runUntilCaughtUp(log, [all])
  assert.deepEqual(audits.get('all')!.imbalances, [])
  return copied(log)
}

/** Members that run while `work` does its part, and are stopped in order then. */
async function whileRunning(log: Log, pipelines: readonly (typeof all)[], work: Work) {
  await ensureTopics(log, planOf([all['~pipeline']]))
  const stopping = new AbortController()
  const runners = pipelines.map(
    (one) =>
      new Runner({
        ...{ definition: one['~pipeline'], log, directory: '.', clock: systemClock },
        ...{ random: seededRandom(1), ratePerSecond: undefined, untilEnd: false },
      }),
  )
  const runs = runners.map((runner) => runner.run(stopping.signal))
  try {
    await Promise.race([work(runners), ...runs.map((run) => run.then(() => assert.fail('ended')))])
  } finally {
    stopping.abort()
    await Promise.all(runs)
  }
}

type Work = (runners: readonly Runner[]) => Promise<void>

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await systemClock.sleep(5)
}

const untilCopied = (log: Log, count: number) =>
  until(async () => (await copied(log)).length >= count)

describe('topics by pattern', () => {
  it('are those that match: not what the pipeline writes, nor what Millrace or Kafka makes', () => {
    const own = [
      'orders-copies',
      'orders-x.dead-letters',
      'orders-x.replay',
      'orders-x.s.changelog',
    ]
    const all = pipeline('all')
      .from(topicsMatching<Copy>(/orders-/g))
      .to(copies)['~pipeline']
    const matches = (name: string) => patternFor(all, name) !== undefined
    for (const name of [...own, '__orders-1', 'millrace.orders-1', 'order-s']) {
      assert.equal(matches(name), false, name)
    }
    for (const name of ['orders-eu', 'my-orders-eu', 'orders-eu', 'orders-__']) {
      assert.ok(matches(name), `${name}, also when asked again`)
    }
  })

  it('are one input of the plan, whichever there are', async () => {
    const ingest = pipeline('ingest').from(topic('raw')).to(topic('orders-eu', one))
    const others = [all['~pipeline'], ingest['~pipeline']]
    const plan = planOf(others)
    assert.deepEqual(
      plan.pipelines.map(({ name }) => name),
      ['ingest', 'all'],
      'who writes what matches comes first',
    )
    assert.match(planText(plan), /from {2}topics \/\^orders-\/: exactly once/)
    assert.match(planText(plan), /orders-eu +1 partitions, .* written by ingest, read by all/)
    assert.match(planMermaid(plan), /\[\("\/\^orders-\/"\)\]/)
    const told = JSON.parse(JSON.stringify(plan.pipelines[1])) as (typeof plan.pipelines)[1]
    const names = ['orders-eu', 'orders-copies', 'orders-us', 'raw', 'all.replay']
    assert.deepEqual(plannedInputs(told!, names), ['orders-eu', 'orders-us'])
  })

  it('are read each with its own name, and again when more have come', async () => {
    const log = await logOf('orders-eu', 'orders-us', 'other')
    await put(log, 'orders-eu', 1, 2)
    await put(log, 'orders-us', 3)
    await put(log, 'other', 4)
    assert.deepEqual(await runAll(log), ['orders-eu 1', 'orders-eu 2', 'orders-us 3'])
    const { checkpoints } = (await log.group('all'))!
    const plans = () => new Set(checkpoints.map((one) => JSON.parse(one.metadata).plan))
    await log.createTopic('orders-za', one)
    await put(log, 'orders-za', 6)
    await put(log, 'orders-eu', 7)
    assert.deepEqual((await runAll(log)).slice(-2), ['orders-us 3', 'orders-za 6'])
    assert.deepEqual([...plans()], [planOf([all['~pipeline']]).pipelines[0]!.hash])
  })

  it('may be none yet: that is said, and the first one is taken up', async () => {
    const log = await logOf('other')
    assert.deepEqual(await runAll(log), [], 'caught up with nothing')
    await whileRunning(log, [all], async ([runner]) => {
      await until(() => runner!.progress.waiting === 'no topic matches /^orders-/ yet')
      await log.createTopic('orders-eu', one)
      await put(log, 'orders-eu', 2)
      await untilCopied(log, 1)
      await until(() => runner!.progress.waiting === undefined)
    })
    assert.deepEqual(await runAll(log), ['orders-eu 2'])
  })

  it('may come, go, and be made again with more partitions while the pipeline runs', async () => {
    const log = await logOf('orders-eu', 'orders-us')
    await put(log, 'orders-eu', 1)
    await put(log, 'orders-us', 2)
    await whileRunning(log, [all], async () => {
      await untilCopied(log, 2)
      await log.createTopic('orders-za', one)
      await put(log, 'orders-za', 4)
      await untilCopied(log, 3)
      await log.deleteTopic('orders-us')
      await put(log, 'orders-eu', 5)
      await untilCopied(log, 4)
      await log.createTopic('orders-us', { partitions: 3 })
      await appendAll(log, 'orders-us', [{ value: { n: 6 }, partition: 2 }])
      await untilCopied(log, 5)
    })
    assert.deepEqual(await runAll(log), [
      ...['orders-eu 1', 'orders-eu 5', 'orders-us 2', 'orders-us 6', 'orders-za 4'],
    ])
  })

  it('are known to a member that looks seldom once another one has joined with them', async () => {
    const log = await logOf('orders-eu')
    await whileRunning(log, [all, collect(3_600_000)], async (runners) => {
      await until(() => runners.every(({ progress }) => progress.isSettled))
      await log.createTopic('orders-us', { partitions: 4 })
      for (const partition of [0, 1, 2, 3]) {
        await appendAll(log, 'orders-us', [{ value: { n: partition }, partition }])
      }
      await untilCopied(log, 4)
    })
    assert.equal((await runAll(log)).length, 4)
    assert.deepEqual((await audit(log, all['~pipeline'])).imbalances, [])
  })

  it('have dead letters that come back as what they were, also when their topic is gone', async () => {
    const log = await logOf('orders-eu', 'orders-us')
    await put(log, 'orders-eu', -1, 1, 2, 3)
    await put(log, 'orders-us', -2, 5, 6, 7)
    await runAll(log)
    const seen = async () => {
      const places: string[] = []
      for await (const letter of deadLetters(log, 'all')) {
        places.push(`${letter.topic}/${letter.partition} ${letter.step} ${letter.tries}`)
      }
      return places.sort()
    }
    assert.deepEqual(await seen(), ['orders-eu/1 with-topic 1', 'orders-us/0 with-topic 1'])
    await log.deleteTopic('orders-us')
    await replayDeadLetters(log, 'all', {})
    await runAll(log)
    assert.deepEqual(await seen(), ['orders-eu/1 with-topic 2', 'orders-us/0 with-topic 2'])
    const mended = pipeline('all')
      .from(topicsMatching(/^orders-/, { schema: Order }))
      .map('with-topic', ({ n, coin }, message) => ({ n, coin, from: message.topic }))
      .to(copies)
    await replayDeadLetters(log, 'all', {})
    await runUntilCaughtUp(log, [mended])
    const values = (await readValues(log, 'orders-copies')) as Copy[]
    assert.equal(values.filter(({ coin }) => coin === 'EUR').length, 2, 'by the schema of all')
    assert.deepEqual(await seen(), [])
    assert.deepEqual(
      (await copied(log)).filter((text) => text.includes('-1') || text.includes('-2')),
      [...['orders-eu -1', 'orders-us -2']],
    )
  })

  it('begin where a pipeline begins, those that come later at their first message', async () => {
    const log = await logOf('orders-eu')
    await ensureTopics(log, planOf([all['~pipeline']]))
    await put(log, 'orders-eu', 1)
    const asked = [{ topic: 'orders-eu', position: { kind: 'end' } }] as const
    await placeStarts(log, [all['~pipeline']], { asked, nowMs: 0, say: () => undefined })
    await put(log, 'orders-eu', 2)
    await log.createTopic('orders-us', one)
    await put(log, 'orders-us', 4)
    assert.deepEqual(await runAll(log), ['orders-eu 2', 'orders-us 4'])
  })

  it('are looked at again every 30 seconds, and at nothing else', async () => {
    let nowMs = 0
    const clock: Clock = { ...systemClock, now: () => nowMs }
    const log = createMemoryLog()
    let looks = 0
    const list = log.topics.bind(log)
    log.topics = () => {
      looks++
      return list()
    }
    const definition = pipeline('p')
      .from(topicsMatching<Copy>(/^orders-/))
      .to(copies)['~pipeline']
    const inputs = new RunnerInputs({ definition, log, clock })
    await inputs.load()
    await log.createTopic('orders-eu', one)
    for (nowMs = 0; nowMs < 30_000; nowMs += 100) {
      assert.equal(await inputs.haveChanged(), false, `after ${nowMs}`)
    }
    assert.equal(looks, 1)
    assert.equal(await inputs.haveChanged(), true)
    await inputs.load()
    assert.equal(await inputs.haveChanged(), false)
    const named = pipeline('q').from(topic<Copy>('orders-eu')).to(copies)['~pipeline']
    const others = new RunnerInputs({ definition: named, log, clock })
    await others.load()
    const before = looks
    nowMs += 1e9
    assert.equal(await others.haveChanged(), false)
    assert.equal(looks, before, 'who names its topics asks for no others')
  })

  it('have to be given as a pattern, and are not joined', () => {
    const wrong: [() => unknown, string, RegExp][] = [
      [
        () => topicsMatching('orders-*' as never),
        'OPTIONS_INVALID',
        /"orders-\*" is no pattern; give/,
      ],
      [() => topicsMatching(/x/, { refresh: 1 } as object), 'OPTIONS_INVALID', /mean 'refreshMs'/],
      [() => topicsMatching(/x/, { refreshMs: 0 }), 'OPTIONS_INVALID', /refreshMs is 0/],
      [
        () =>
          planOf([
            pipeline('p').from(topicsMatching<Copy>(/x/)).join('b', topic('b')).to(topic('c'))[
              '~pipeline'
            ],
          ]),
        'PIPELINE_INVALID',
        /a join needs topics by their names/,
      ],
    ]
    for (const [make, code, message] of wrong) assert.throws(make, { code, message })
  })
})
