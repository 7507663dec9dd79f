/** "What happened to this one?" over a prediction, a join, a flatMap and dead letters. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BatchBuilder } from '../core/batch-builder.ts'
import { systemClock } from '../core/clock.ts'
import { withIdentity } from '../core/identity.ts'
import type { Log } from '../log/log.ts'
import { createMemoryLog } from '../log/memory.ts'
import { dropDeadLetters, replayDeadLetters } from '../pipeline/dead-letter-store.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { runUntilCaughtUp } from '../pipeline/testing.ts'
import { topic } from '../pipeline/topic.ts'
import { Budget } from './message-search.ts'
import { Monitor } from './monitor.ts'
import { testServer } from './server-testing.ts'
import type { Trace } from './state.ts'
import { trace } from './trace.ts'

interface Mail {
  readonly text: string
}
interface Judged extends Mail {
  readonly truth: { readonly label: string }
}

let isBroken = true
const one = { partitions: 1 }
const mails = topic<Mail>('mails', one)
const labels = topic<{ label: string }>('labels', one)
const scored = topic<Mail>('mails.scored', one)
const judged = topic<Judged>('mails.judged', one)

const score = pipeline('score')
  .from(mails)
  .map('score', (mail) => {
    if (isBroken && mail.text === 'bad') throw new RangeError('cannot')
    return mail
  })
  .to(scored)
const judge = pipeline('judge')
  .from(scored)
  .join('truth', labels)
  .map('check', (mail) => {
    if (isBroken && mail.truth.label === 'odd') throw new TypeError('odd label')
    return mail
  })
  .to(judged)
const words = pipeline('words')
  .from(judged)
  .flatMap('word', ({ text }) => text.split(' '))
  .to(topic<string>('words', one))

interface Given {
  readonly id: string
  readonly key?: string
  readonly value: unknown
}

/** A hundred in a commit. */
async function append(log: Log, name: string, messages: readonly Given[]): Promise<void> {
  for (let at = 0; at < messages.length; at += 100) {
    const builder = new BatchBuilder(name, 0)
    for (const { id, key, value } of messages.slice(at, at + 100)) {
      const headers = withIdentity([], { id, version: 1 })
      builder.append(key ?? null, JSON.stringify(value), at, headers)
    }
    await log.commit({ outputs: [{ topic: name, partition: 0, batch: builder.build() }] })
  }
}

/** Mails and labels with the same keys, worked on; ids are `m0`, `l0` and so on. */
async function ready(mailTexts: readonly string[], labelTexts: readonly string[]): Promise<Log> {
  isBroken = true
  const log = createMemoryLog()
  await runUntilCaughtUp(log, [score, judge, words])
  const given = mailTexts.map((text, n) => ({ id: `m${n}`, key: `k${n}`, value: { text } }))
  await append(log, 'mails', given)
  const truths = labelTexts.map((label, n) => ({ id: `l${n}`, key: `k${n}`, value: { label } }))
  await append(log, 'labels', truths)
  await runUntilCaughtUp(log, [score, judge, words])
  return log
}

async function monitorOf(log: Log): Promise<Monitor> {
  const monitor = new Monitor({ log, clock: systemClock, version: '1', directory: undefined })
  await monitor.look()
  return monitor
}

const stopsOf = ({ stops }: Trace) => stops.map((stop) => `${stop.topic} ${stop.message.id}`).sort()

describe('a trace', () => {
  it('goes forward over a join and a flatMap, from either side', async () => {
    const log = await ready(['win big', 'see you'], ['spam', 'ham'])
    const monitor = await monitorOf(log)
    const found = await trace(log, monitor, 'm0')
    const made = ['mails.judged m0+l0', 'words m0+l0/word/0', 'words m0+l0/word/1']
    assert.deepEqual(stopsOf(found), [
      'mails m0',
      'mails.judged m0+l0',
      'mails.scored m0',
      ...made.slice(1),
    ])
    assert.equal(found.searched.isComplete, true)
    assert.deepEqual(stopsOf(await trace(log, monitor, 'l0')), ['labels l0', ...made])
  })

  it('goes back to both sides of a pair, as the API is asked', async () => {
    const log = await ready(['win big', 'see you'], ['spam', 'ham'])
    const { json, monitor } = testServer({ log })
    await monitor.look()
    const found = await json<Trace>(`/api/trace?id=${encodeURIComponent('m1+l1')}`)
    const before = ['labels l1', 'mails m1', 'mails.judged m1+l1', 'mails.scored m1']
    const after = ['words m1+l1/word/0', 'words m1+l1/word/1']
    assert.deepEqual(stopsOf(found), [...before, ...after])
    const last = await json<Trace>(`/api/trace?id=${encodeURIComponent('m1+l1/word/1')}`)
    assert.deepEqual(stopsOf(last), [...before, 'words m1+l1/word/1'])
  })

  it('finds dead letters of a message and of the pair that was made of it, while they wait', async () => {
    const log = await ready(['bad', 'fine', 'bad'], ['spam', 'odd', 'spam'])
    const lettersOf = async (id: string) =>
      (await trace(log, await monitorOf(log), id)).deadLetters.map(
        ({ pipeline: name, id: own, step, tries }) => `${name} ${step} ${own} ${tries}`,
      )
    assert.deepEqual(await lettersOf('m0'), ['score score m0 1'])
    assert.deepEqual(await lettersOf('m1'), ['judge check m1+l1 1'])
    assert.deepEqual(await lettersOf('l1'), ['judge check m1+l1 1'])
    assert.deepEqual(await lettersOf('l0'), [], 'its pair never came')
    await replayDeadLetters(log, 'score', { id: 'm0' })
    assert.deepEqual(await lettersOf('m0'), [], 'it is on its way')
    await runUntilCaughtUp(log, [score, judge, words])
    assert.deepEqual(await lettersOf('m0'), ['score score m0 2'], 'and failed again')
    await dropDeadLetters(log, 'score', { id: 'm2' })
    assert.deepEqual(await lettersOf('m2'), [])
    assert.deepEqual(await lettersOf('m0'), ['score score m0 2'])
  })

  it('reads no more than its budget, of dead letters too, and says that this was not all', async () => {
    const bad = Array.from({ length: 2999 }, (_, n) => (n % 3 === 0 ? 'bad' : 'good'))
    const log = await ready(['first', ...bad, 'bad'], ['spam'])
    const monitor = await monitorOf(log)
    const { bytes } = await sizeOf(log)
    const few = () => new Budget({ forMs: 60_000, bytes: bytes / 10 })
    const oldest = await trace(log, monitor, 'm1', few())
    assert.equal(oldest.searched.isComplete, false)
    assert.ok(oldest.searched.bytes < bytes / 5, `${oldest.searched.bytes} of ${bytes}`)
    assert.deepEqual(oldest.deadLetters, [])
    const newest = await trace(log, monitor, 'm3000', few())
    assert.equal(newest.deadLetters.length, 1, 'the newest is found with little')
    const all = await trace(log, monitor, 'm1')
    assert.deepEqual([all.deadLetters.length, all.searched.isComplete], [1, true])
  })

  it('gives every topic its part: a long one does not take it from the others', async () => {
    const log = await ready(['x'], ['spam'])
    const filler = 'y'.repeat(1000)
    const many = Array.from({ length: 2000 }, (_, n) => ({ id: `a${n}`, value: filler }))
    await log.createTopic('a-long-one', { partitions: 1 })
    await append(log, 'a-long-one', many)
    const shorter = many.slice(0, 100).map(({ id, ...rest }) => ({ ...rest, id: `m${id}` }))
    await append(log, 'mails.scored', shorter)
    const budget = new Budget({ forMs: 60_000, bytes: 1_000_000 })
    const found = await trace(log, await monitorOf(log), 'm0', budget)
    assert.equal(found.searched.isComplete, false)
    assert.ok(stopsOf(found).includes('mails.scored m0'))
  })
})

/** What all topics that a trace looks into hold. */
async function sizeOf(log: Log): Promise<{ bytes: number }> {
  let bytes = 0
  for (const { name, partitions } of await log.topics()) {
    for (let partition = 0; partition < partitions; partition++) {
      for (let offset = 0; ; ) {
        const batch = await log.read(name, partition, offset)
        if (batch === undefined) break
        bytes += batch.bytes.length
        offset = batch.nextOffset
      }
    }
  }
  return { bytes }
}
