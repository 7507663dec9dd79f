import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../core/clock.ts'
import { systemClock } from '../core/clock.ts'
import type { Log } from '../log/log.ts'
import { createMemoryLog } from '../log/memory.ts'
import { FiguresTeller } from '../monitoring/figures.ts'
import { Meter } from '../monitoring/meter.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { planOf } from '../pipeline/plan.ts'
import { appendAll, runUntilCaughtUp } from '../pipeline/testing.ts'
import { topic } from '../pipeline/topic.ts'
import { Monitor } from './monitor.ts'

interface Mail {
  readonly text: string
}

const mails = topic<Mail>('mails')
const loud = pipeline('loud')
  .from(mails)
  .map('checked', (mail) => {
    if (mail.text === 'bad') throw new Error('bad')
    return mail
  })
  .filter('long', (mail) => mail.text.length > 3)
  .to(topic<Mail>('mails.loud'))

const texts = (...all: string[]) => all.map((text) => ({ value: { text }, partition: 1 }))

/** A clock that stands still unless told. */
function testClock(startMs = 1_000_000): { clock: Clock; pass(ms: number): void } {
  let nowMs = startMs
  return {
    clock: { ...systemClock, now: () => nowMs },
    pass: (ms) => {
      nowMs += ms
    },
  }
}

async function tellerOf(log: Log, clock: Clock): Promise<FiguresTeller> {
  const plans = planOf([loud['~pipeline']]).pipelines.map((one) => ({ ...one }))
  return new FiguresTeller({ log, clock, app: { about: 'a test', plans }, problem: assert.fail })
}

const measured = (meter: Meter, waiting: string[] = []) => ({
  pipelines: { loud: { ...meter.figures(), waiting } },
  figures: { accuracy: 0.75 },
})

function monitorOf(log: Log, clock: Clock): Monitor {
  return new Monitor({ log, clock, version: '1', directory: undefined })
}

async function ready(): Promise<Log> {
  const log = createMemoryLog()
  await runUntilCaughtUp(log, [loud])
  return log
}

describe('the monitor', () => {
  it('tells the ledger, lag, topics and dead letters from the log alone', async () => {
    const log = await ready()
    const { clock } = testClock()
    await (await tellerOf(log, clock)).tell(measured(new Meter()))
    await appendAll(log, 'mails', texts('short', 'abc', 'bad', 'bad'))
    await runUntilCaughtUp(log, [loud])
    await appendAll(log, 'mails', texts('one more'))
    const monitor = monitorOf(log, clock)
    await monitor.look()
    const { pipelines, topics, about, figures, health, processes } = monitor.state
    const [one] = pipelines
    assert.deepEqual([about, figures, health.reasons], ['a test', { accuracy: 0.75 }, []])
    assert.equal(processes[0]!.pid, process.pid)
    assert.equal(pipelines.length, 1)
    assert.deepEqual(
      one!.steps.map((step) => [step.name, step.in, step.passed, step.filtered, step.deadLettered]),
      [
        ['read', 4, 4, 0, 0],
        ['checked', 4, 2, 0, 2],
        ['long', 2, 1, 1, 0],
        ['to-mails.loud', 1, 1, 0, 0],
      ],
    )
    assert.deepEqual([one!.lagMessages, one!.deadLetters, one!.isBalanced], [1, 2, true])
    const known = topics.map((one) => [one.name, one.messages, one.isInternal])
    assert.deepEqual(known, [
      ['loud.dead-letters', 2, true],
      ['loud.replay', 0, true],
      ['mails', 5, false],
      ['mails.loud', 1, false],
      ['millrace.figures', 1, true],
    ])
  })

  it('counts what a compacted topic holds, not its offsets', async () => {
    const log = createMemoryLog()
    const { clock, pass } = testClock()
    await log.createTopic('table', { partitions: 1, cleanup: 'compact' })
    const put = (...keys: string[]) =>
      appendAll(
        log,
        'table',
        keys.map((key) => ({ key, value: 1 })),
      )
    const monitor = monitorOf(log, clock)
    const told = async () => {
      await monitor.look()
      return monitor.state.topics[0]?.messages
    }
    await put('a', 'b', 'a', 'a')
    assert.equal(await told(), 4)
    await log.maintain()
    await put('c')
    pass(1000)
    assert.equal(await told(), 5, 'what compaction took is not known yet')
    pass(100_000)
    assert.equal(await told(), 3)
    assert.deepEqual(
      await log.offsets('table', 0),
      { start: 0, end: 5 },
      'offsets tell another story',
    )
    await log.deleteTopic('table')
    await log.createTopic('table', { partitions: 1, cleanup: 'compact' })
    assert.equal(await told(), 0)
  })

  it('tells rates over ten seconds, and points of each second', async () => {
    const log = await ready()
    const { clock, pass } = testClock()
    const teller = await tellerOf(log, clock)
    let meterMs = 0
    const meter = new Meter(() => meterMs)
    const monitor = monitorOf(log, clock)
    await teller.tell(measured(meter))
    await monitor.look()
    for (let second = 0; second < 3; second++) {
      pass(1000)
      await appendAll(log, 'mails', texts('aaaa', 'bbbb', 'cccc', 'dddd'))
      await runUntilCaughtUp(log, [loud])
      const startMs = meterMs
      meterMs += 20
      meter.committed(startMs, 4)
      meter.answered('spam', [{ label: 'ham' }])
      await teller.tell(measured(meter, ['a sink is away']))
      await monitor.look()
    }
    const [one] = monitor.state.pipelines
    assert.equal(one!.messagesPerSecond, 4)
    assert.ok(one!.latencyMs!.p99 > 15 && one!.latencyMs!.p99 <= 20)
    assert.deepEqual(one!.waiting, ['a sink is away'])
    assert.equal(monitor.state.topics.find(({ name }) => name === 'mails')!.appendedPerSecond, 4)
    const points = monitor.points()
    assert.deepEqual(
      points.map((point) => point.messagesPerSecond.loud),
      [0, 4, 4, 4],
    )
    assert.deepEqual(points.at(-1)!.predictions, { 'loud/spam': { ham: 1 } })
    assert.deepEqual(monitor.points(points[2]!.atMs), points.slice(3))
    pass(11_000)
    await monitor.look()
    const [later] = monitor.state.pipelines
    assert.deepEqual([later!.latencyMs, later!.messagesPerSecond], [null, 0])
    assert.deepEqual(monitor.state.processes, [], 'who is silent is gone')
  })

  it('shows what was before it started, from the tail of what processes told', async () => {
    const log = await ready()
    const { clock, pass } = testClock()
    const teller = await tellerOf(log, clock)
    const meter = new Meter(() => 7)
    await teller.tell(measured(meter))
    for (let second = 0; second < 5; second++) {
      pass(1000)
      meter.committed(0, 10)
      meter.answered('spam', [{ label: 'ham' }, { label: 'spam' }])
      await teller.tell(measured(meter))
    }
    pass(1500)
    const monitor = monitorOf(log, clock)
    await monitor.look()
    const points = monitor.points()
    assert.deepEqual(
      points.map((point) => point.messagesPerSecond.loud),
      [0, 10, 10, 10, 10, 10, 0],
    )
    assert.deepEqual(points[3]!.predictions, { 'loud/spam': { ham: 1, spam: 1 } })
    assert.ok(points[3]!.p50Ms.loud! > 6 && points[3]!.p50Ms.loud! <= 7)
  })

  it('is not ready when nothing moves while messages wait', async () => {
    const log = await ready()
    const { clock, pass } = testClock()
    const teller = await tellerOf(log, clock)
    const monitor = monitorOf(log, clock)
    await appendAll(log, 'mails', texts('waits', 'waits'))
    for (let second = 0; second <= 31; second++) {
      await teller.tell(measured(new Meter(), ['the disk is full']))
      await monitor.look()
      pass(1000)
    }
    assert.deepEqual(monitor.state.health, {
      isReady: false,
      reasons: [
        'pipeline loud: no progress for 31 s while 2 messages wait (waiting: the disk is full)',
      ],
    })
    await runUntilCaughtUp(log, [loud])
    await teller.tell(measured(new Meter()))
    await monitor.look()
    assert.equal(monitor.state.health.isReady, true)
  })

  it('finds messages that the ledger does not know of', async () => {
    const log = await ready()
    const { clock } = testClock()
    await appendAll(log, 'mails', texts('short', 'abcd'))
    await runUntilCaughtUp(log, [loud])
    const group = (await log.group('loud'))!
    const forged = group.checkpoints.map((one) => ({
      ...one,
      metadata: one.metadata.replace('"to-mails.loud":[2,2,0,2]', '"to-mails.loud":[2,1,0,1]'),
    }))
    assert.notDeepEqual(forged, group.checkpoints)
    await log.resetGroup('loud', forged)
    await (await tellerOf(log, clock)).tell(measured(new Meter()))
    const monitor = monitorOf(log, clock)
    await monitor.look()
    const [one] = monitor.state.pipelines
    assert.equal(one!.isBalanced, false)
    assert.match(
      one!.imbalances.join('; '),
      /step to-mails.loud: 1 of 2 messages have no disposition/,
    )
    assert.match(one!.imbalances.join('; '), /output mails.loud: 2 messages there, 1 written/)
    assert.equal(monitor.state.health.isReady, false)
  })

  it('says why when the log cannot be read, and keeps what it knew', async () => {
    const log = await ready()
    const { clock } = testClock()
    let isBroken = false
    const broken = new Proxy(log, {
      get(target, name) {
        if (isBroken && name === 'topics') return () => Promise.reject(new Error('disk is gone'))
        const value = Reflect.get(target, name) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const monitor = monitorOf(broken, clock)
    await monitor.look()
    isBroken = true
    await monitor.look()
    assert.deepEqual(monitor.state.health.reasons, ['the log cannot be read: disk is gone'])
    assert.equal(monitor.state.pipelines.length, 1)
  })
})
