import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import { newLog } from '../log/log-testing.ts'
import { createMemoryLog } from '../log/memory.ts'
import { CaughtUp } from './caught-up.ts'
import { ensureTopics } from './ensure-topics.ts'
import { model } from './model-use.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { Runner } from './runner.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const one = { partitions: 1 }
const given = topic<{ n: number }>('given', one)

describe('what is not the fault of a message', () => {
  it('buries nothing when a run is drained while a model asks to wait', async () => {
    const log = await newLog()
    await log.createTopic('given', one)
    const away = model('away', {
      predict: (): string[] => {
        throw fail('LOG_BUSY', 'the model server is away', { waitMs: 20 })
      },
    })
    const ask = pipeline('ask')
      .from(given)
      .predict('answer', away, { input: (v) => v.n })
      .to(topic<{ n: number; answer: string }>('answers', one))
    await ensureTopics(log, planOf([ask['~pipeline']]))
    await appendAll(
      log,
      'given',
      Array.from({ length: 20 }, (_, n) => ({ value: { n } })),
    )
    const runner = new Runner({
      ...{ definition: ask['~pipeline'], log, directory: '.', clock: systemClock },
      ...{ random: seededRandom(1), ratePerSecond: undefined, untilEnd: false },
    })
    const stopping = new AbortController()
    const running = runner.run(stopping.signal)
    while (runner.progress.waiting === undefined) await systemClock.sleep(5)
    assert.match(runner.progress.waiting, /the model server is away/)
    stopping.abort()
    await running
    assert.equal((await readAll(log, 'ask.dead-letters')).length, 0)
    assert.equal((await log.group('ask'))!.checkpoints.length, 0)
  })
})

describe('what is the fault of a message', () => {
  it('is a dead letter, also where the error thrown is one of Millrace, or the time is no date', async () => {
    const log = await newLog()
    await log.createTopic('given', one)
    const out = topic<{ n: number }>('out', { ...one, time: (v) => v.n })
    const strict = pipeline('strict')
      .from(given)
      .map('checked', (value) => {
        if (value.n === 1) throw fail('OPTIONS_INVALID', 'not this one')
        return value
      })
      .flatMap('a-step-with-a-long-name-that-goes-into-every-id', (value) => [value])
      .to(out)
    const rows = [{ n: 1 }, { n: 1.7e18 }, { n: 5 }, { n: Number.NaN }]
    await appendAll(
      log,
      'given',
      rows.map((value) => ({ value })),
    )
    const { audits } = await runUntilCaughtUp(log, [strict])
    assert.deepEqual(await readValues(log, 'out'), [{ n: 5 }])
    assert.deepEqual(audits.get('strict')!.imbalances, [])
    assert.equal((await readAll(log, 'strict.dead-letters')).length, 3)
  })

  it('counts once towards the share, in however many rows it fails', async () => {
    const log = await newLog()
    await log.createTopic('given', one)
    const wide = pipeline('wide')
      .from(given)
      .flatMap('rows', ({ n }) => Array.from({ length: n === 0 ? 900 : 1 }, () => ({ n })))
      .map('zero-fails', (value) => {
        if (value.n === 0) throw new Error('zero')
        return value
      })
      .to(topic<{ n: number }>('rows', one))
    await appendAll(
      log,
      'given',
      Array.from({ length: 50 }, (_, n) => ({ value: { n } })),
    )
    const { audits } = await runUntilCaughtUp(log, [wide])
    assert.equal(audits.get('wide')!.steps.get('zero-fails')!.deadLettered, 900)
    assert.deepEqual(audits.get('wide')!.imbalances, [])
  })
})

describe('functions with other parameters than one', () => {
  it('get the message too', async () => {
    const log = await newLog()
    await log.createTopic('given', one)
    const seen = topic<{ offset: number }>('seen', one)
    const look = pipeline('look')
      .from(given)
      .map('rest', (...[, message]) => ({ offset: message.offset }))
      .to(seen)
    await appendAll(log, 'given', [{ value: { n: 1 } }, { value: { n: 2 } }])
    await runUntilCaughtUp(log, [look])
    assert.deepEqual(await readValues(log, 'seen'), [{ offset: 0 }, { offset: 1 }])
  })
})

describe('caught up', () => {
  it('is also where everything expired before it was read', async () => {
    let now = 1_000_000
    const log = createMemoryLog({ clock: { ...systemClock, now: () => now } })
    await log.createTopic('short', { partitions: 1, retentionMs: 10 })
    await appendAll(log, 'short', [{ value: { n: 1 }, time: now }])
    now += 60_000
    await log.maintain()
    assert.deepEqual(await log.offsets('short', 0), { start: 1, end: 1 })
    const copy = pipeline('copy')
      .from(topic<{ n: number }>('short', one))
      .to(topic<{ n: number }>('copied', one))
    const definition = copy['~pipeline']
    await ensureTopics(log, planOf([definition]))
    const member = await log.join('copy', { topics: [{ name: 'short', partitions: 1 }] })
    const caughtUp = new CaughtUp(log, [definition])
    await caughtUp.start()
    assert.equal(await caughtUp.check(), true)
    await member.leave()
  })

  it('is found in a circle of pipelines', async () => {
    const log = await newLog()
    const x = topic<{ n: number }>('x', one)
    const y = topic<{ n: number }>('y', one)
    await log.createTopic('x', one)
    await appendAll(log, 'x', [{ value: { n: 5 } }])
    const down = pipeline('down')
      .from(x)
      .filter('more', ({ n }) => n > 0)
      .to(y)
    const back = pipeline('back')
      .from(y)
      .map('less', ({ n }) => ({ n: n - 1 }))
      .to(x)
    await runUntilCaughtUp(log, [down, back])
    assert.equal((await readAll(log, 'y')).length > 0, true)
  })
})

describe('a topic that is deleted and made again under a running pipeline', () => {
  it('is read from its new start', async () => {
    // In memory: on Kafka a topic that is deleted is gone for a while, and who reads it then fails.
    const log = createMemoryLog()
    await log.createTopic('given', one)
    await appendAll(log, 'given', [{ value: { n: 1 } }, { value: { n: 2 } }])
    const copied = topic<{ n: number }>('copied', one)
    const copy = pipeline('copy').from(given).to(copied)
    await runUntilCaughtUp(log, [copy])
    const runner = new Runner({
      ...{ definition: copy['~pipeline'], log, directory: '.', clock: systemClock },
      ...{ random: seededRandom(1), ratePerSecond: undefined, untilEnd: false },
    })
    const stopping = new AbortController()
    const running = runner.run(stopping.signal)
    await systemClock.sleep(250)
    await log.deleteTopic('given')
    await log.createTopic('given', one)
    await appendAll(
      log,
      'given',
      [3, 4, 5, 6].map((n) => ({ value: { n } })),
    )
    for (let wait = 0; wait < 100 && (await readAll(log, 'copied')).length < 6; wait++) {
      await systemClock.sleep(20)
    }
    stopping.abort()
    await running
    const found = (await readValues(log, 'copied')) as { n: number }[]
    assert.deepEqual(
      found.map(({ n }) => n),
      [1, 2, 3, 4, 5, 6],
    )
  })
})

describe('a new version whose first join finds the log busy', () => {
  it('is not taken for the older one', async () => {
    const log = await newLog()
    const copy = pipeline('copy').from(given).to(topic<{ n: number }>('copied', one))
    const definition = copy['~pipeline']
    await ensureTopics(log, planOf([definition]))
    const topics = [{ name: 'given', partitions: 1 }]
    const older = await log.join('copy', { topics, planHash: 'an older plan' })
    const join = log.join.bind(log)
    let tries = 0
    log.join = async (...options) => {
      if (++tries === 1) throw fail('LOG_BUSY', 'held by another process')
      return join(...options)
    }
    const runner = new Runner({
      ...{ definition, log, directory: '.', clock: systemClock },
      ...{ random: seededRandom(1), ratePerSecond: undefined, untilEnd: false },
    })
    const stopping = new AbortController()
    const running = runner.run(stopping.signal)
    while (!runner.progress.isSettled && tries < 3) await systemClock.sleep(10)
    for (let beats = 0; beats < 500 && !older.superseded; beats++) {
      await older.heartbeat()
      await systemClock.sleep(10)
    }
    assert.equal(older.superseded, true)
    stopping.abort()
    await running
    assert.equal(tries, 2)
  })
})

describe('a log that is away while a pipeline starts', () => {
  it('is waited for, whichever question it does not answer', async () => {
    const log = await newLog()
    await log.createTopic('given', one)
    await appendAll(log, 'given', [{ value: { n: 1 } }, { value: { n: 2 } }])
    const copy = pipeline('copy').from(given).to(topic<{ n: number }>('copied', one))
    const definition = copy['~pipeline']
    await ensureTopics(log, planOf([definition]))
    const away = new Map(
      [...(['topics', 'join', 'group', 'offsets'] as const)].map((one) => [one, 2]),
    )
    const flaky = new Proxy(log, {
      get(target, name) {
        const member = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          const left = away.get(name as 'topics') ?? 0
          if (left === 0) return member.apply(target, args)
          away.set(name as 'topics', left - 1)
          throw fail('LOG_UNREACHABLE', `${String(name)}: no broker answers`, { waitMs: 1 })
        }
      },
    })
    const runner = new Runner({
      ...{ definition, log: flaky, directory: '.', clock: systemClock },
      ...{ random: seededRandom(1), ratePerSecond: undefined, untilEnd: false },
    })
    const stopping = new AbortController()
    const running = runner.run(stopping.signal)
    while ((await readAll(log, 'copied')).length < 2) await systemClock.sleep(10)
    stopping.abort()
    await running
    assert.equal((await readAll(log, 'copied')).length, 2)
    assert.deepEqual([...away.values()], [0, 0, 0, 0], 'each was asked while it was away')
  })
})

describe('a checkpoint that a deleted topic of the same name left', () => {
  const pass = pipeline('pass').from(given).to(topic<{ n: number }>('passed', one))
  const rows = [1, 2, 3].map((n) => ({ value: { n } }))
  const cases = [
    { of: 'another', where: 'does not count: the new one is read from its beginning', seen: 3 },
    { of: undefined, where: 'is none where it is of this one', seen: 1 },
  ]
  for (const { of, where, seen } of cases) {
    it(where, async () => {
      const log = await newLog()
      const { identity } = await log.createTopic('given', one)
      await appendAll(log, 'given', rows)
      const metadata = JSON.stringify({ v: 1, from: 2, plan: '', ledger: {}, of: of ?? identity })
      await log.resetGroup('pass', [{ topic: 'given', partition: 0, offset: 2, metadata }])
      const { audits } = await runUntilCaughtUp(log, [pass])
      assert.equal((await readValues(log, 'passed')).length, seen)
      assert.deepEqual(audits.get('pass')!.imbalances, [])
    })
  }

  it('is not where a run has caught up', async () => {
    const log = await newLog()
    await log.createTopic('given', one)
    await appendAll(log, 'given', rows)
    const metadata = JSON.stringify({ v: 1, from: 0, plan: '', ledger: {}, of: 'another' })
    await log.resetGroup('pass', [{ topic: 'given', partition: 0, offset: 9, metadata }])
    const caughtUp = new CaughtUp(log, [pass['~pipeline']])
    await caughtUp.start()
    assert.equal(await caughtUp.check(), false)
  })
})
