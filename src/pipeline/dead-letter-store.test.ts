import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BatchBuilder } from '../core/batch-builder.ts'
import { systemClock } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import { type Message, messagesOf } from '../core/message.ts'
import type { Log } from '../log/log.ts'
import { newLog } from '../log/log-testing.ts'
import {
  deadLetterGroups,
  deadLetterPipelines,
  deadLetters,
  dropDeadLetters,
  type KeptDeadLetter,
  replayDeadLetters,
} from './dead-letter-store.ts'
import { appendDeadLetter, deadHeaders, deadLetterTopic, replayTopic } from './dead-letters.ts'

const nowMs = 1_700_000_000_000

interface Failing {
  readonly partition?: number
  readonly id: string
  readonly step?: string
  readonly key?: string | null
  readonly value?: string | null
  readonly error?: string
  readonly maxMessageBytes?: number
}

/** Keeps what a lane would keep of a message that failed. */
async function bury(log: Log, failing: readonly Failing[]): Promise<void> {
  for (const { partition = 0, id, step = 'parse', key = 'k', value = '{}', ...one } of failing) {
    const input = new BatchBuilder('mails', partition)
    input.append(key, value, 1234, [{ key: 'trace', value: Buffer.from('t1') }])
    const failure = { origin: 0, id, step: 1, error: one.error ?? 'TypeError', message: 'no text' }
    const builder = new BatchBuilder(deadLetterTopic('score'), partition)
    const { maxMessageBytes = 1024 * 1024 } = one
    appendDeadLetter(builder, input.build(), failure, { step, nowMs, maxMessageBytes })
    await log.commit({ outputs: [{ topic: builder.topic, partition, batch: builder.build() }] })
  }
}

async function makeLog(partitions = 2): Promise<Log> {
  const log = await newLog()
  await log.createTopic(deadLetterTopic('score'), { partitions, cleanup: 'compact' })
  await log.createTopic(replayTopic('score'), { partitions })
  return log
}

async function all(log: Log, pipeline = 'score'): Promise<KeptDeadLetter[]> {
  const letters: KeptDeadLetter[] = []
  for await (const letter of deadLetters(log, pipeline)) letters.push(letter)
  return letters
}

const idsOf = (letters: readonly KeptDeadLetter[]) => letters.map((letter) => letter.id)

async function replayed(log: Log, partition: number) {
  const messages: Message[] = []
  for (let offset = 0; ; ) {
    const batch = await log.read(replayTopic('score'), partition, offset)
    if (batch === undefined) return messages
    messages.push(...messagesOf(batch))
    offset = batch.nextOffset
  }
}

describe('dead letters', () => {
  test('are the newest of each key; tombstones are gone', async () => {
    const log = await makeLog()
    await bury(log, [
      { id: 'a', error: 'Old' },
      { id: 'b', partition: 1 },
      { id: 'a', error: 'New' },
      { id: 'a', step: 'other' },
      { id: 'gone' },
    ])
    await dropDeadLetters(log, 'score', { id: 'gone' })
    const letters = await all(log)
    assert.deepEqual(
      letters.map(({ id, step, error }) => [id, step, error]),
      [
        ['a', 'parse', 'New'],
        ['a', 'other', 'TypeError'],
        ['b', 'parse', 'TypeError'],
      ],
    )
    assert.deepEqual(letters[2]!.keptIn, { partition: 1, offset: 0 })
    assert.equal(letters[2]!.partition, 1)
    assert.equal(letters[2]!.topic, 'mails')
  })

  test('are counted by step and error, with the last one as the example', async () => {
    const log = await makeLog()
    await bury(log, [{ id: 'a' }, { id: 'b' }, { id: 'c', step: 'to', error: 'Invalid' }])
    const groups = await deadLetterGroups(log, 'score')
    assert.deepEqual(
      groups.map(({ step, error, count, example }) => [step, error, count, example.id]),
      [
        ['parse', 'TypeError', 2, 'b'],
        ['to', 'Invalid', 1, 'c'],
      ],
    )
  })

  test('replay in one commit a chunk: tombstone here, original there', async () => {
    const log = await makeLog()
    const ids = ['a', 'b', 'c', 'd', 'e']
    await bury(
      log,
      ids.map((id) => ({ id, key: `key-${id}`, value: `"${id}"`, partition: 1 })),
    )
    const work = await replayDeadLetters(log, 'score', {}, { chunkLetters: 2 })
    assert.deepEqual(work, { done: 5, cut: [], commits: 3 })
    assert.deepEqual(await all(log), [])
    const messages = await replayed(log, 1)
    assert.deepEqual(
      messages.map((message) => [message.key?.toString(), message.value?.toString(), message.time]),
      ids.map((id) => [`key-${id}`, `"${id}"`, 1234]),
    )
    const headers = new Map(messages[0]!.headers.map(({ key, value }) => [key, value?.toString()]))
    assert.equal(headers.get('trace'), 't1')
    assert.equal(headers.get(deadHeaders.step), 'parse')
    assert.equal(headers.get(deadHeaders.topic), 'mails')
    assert.equal(headers.get(deadHeaders.id), 'a')
    assert.equal(headers.has(deadHeaders.key), false)
    assert.deepEqual(await replayed(log, 0), [])
    assert.equal(await log.group(deadLetterTopic('score')), undefined)
  })

  test('replay what is asked for, and nothing twice', async () => {
    const log = await makeLog()
    await bury(log, [{ id: 'a' }, { id: 'b', step: 'to' }, { id: 'c' }])
    assert.equal((await replayDeadLetters(log, 'score', { id: 'c' })).done, 1)
    assert.equal((await replayDeadLetters(log, 'score', { step: 'to' })).done, 1)
    assert.equal((await replayDeadLetters(log, 'score', { id: 'c' })).done, 0)
    assert.deepEqual(idsOf(await all(log)), ['a'])
    assert.equal((await replayDeadLetters(log, 'score', {}, { dryRun: true })).done, 1)
    assert.deepEqual(idsOf(await all(log)), ['a'])
    assert.equal((await replayed(log, 0)).length, 2)
  })

  test('of no key and of a delete are letters like others', async () => {
    const log = await makeLog()
    await bury(log, [{ id: 'deleted', key: null, value: null }])
    assert.deepEqual(idsOf(await all(log)), ['deleted'])
    await replayDeadLetters(log, 'score', {})
    const [message] = await replayed(log, 0)
    assert.equal(message!.key, null)
    assert.equal(message!.value, null)
    assert.deepEqual(await all(log), [])
  })

  test('of a delete is no tombstone, which compaction may take; its replay deletes', async () => {
    const log = await newLog()
    await log.createTopic(deadLetterTopic('score'), { partitions: 1, cleanup: 'compact' })
    await log.createTopic(replayTopic('score'), { partitions: 1 })
    await bury(log, [{ id: 'deleted', value: null }])
    const kept = await log.read(deadLetterTopic('score'), 0, 0)
    assert.notEqual(messagesOf(kept!)[0]!.value, null)
    const [letter] = await all(log)
    assert.deepEqual([letter?.id, letter?.value], ['deleted', null])
    await replayDeadLetters(log, 'score', {})
    const [message] = await replayed(log, 0)
    assert.deepEqual([message!.key?.toString(), message!.value], ['k', null])
    assert.equal(message!.headers.map(({ key }) => key).includes(deadHeaders.delete), false)
  })

  test('that were cut stay where they are, and can be dropped', async () => {
    const log = await makeLog()
    await bury(log, [
      { id: 'big', value: JSON.stringify('x'.repeat(8000)), maxMessageBytes: 4000 },
      { id: 'small' },
    ])
    const work = await replayDeadLetters(log, 'score', {})
    assert.deepEqual([work.done, work.cut], [1, ['big']])
    assert.deepEqual(idsOf(await all(log)), ['big'])
    assert.equal((await deadLetterGroups(log, 'score'))[0]!.cut, 1)
    assert.equal((await dropDeadLetters(log, 'score', { id: 'big' })).done, 1)
    assert.deepEqual(await all(log), [])
  })

  test('are worked on by one process at a time', async () => {
    const log = await makeLog()
    await bury(log, [{ id: 'a' }])
    const name = deadLetterTopic('score')
    const other = await log.join(name, { topics: [{ name, partitions: 2 }], exclusive: true })
    while (other.owned.length < 2) await other.heartbeat()
    let isOver = false
    const asked = replayDeadLetters(log, 'score', {}).finally(() => {
      isOver = true
    })
    const refused = assert.rejects(asked, (error) => codeOf(error) === 'GROUP_ACTIVE')
    for (; !isOver; await systemClock.sleep(20)) await other.heartbeat()
    await refused
    await other.leave()
    assert.equal((await replayDeadLetters(log, 'score', {})).done, 1)
  })

  test('of an unknown pipeline come with a suggestion', async () => {
    const log = await makeLog()
    assert.deepEqual(await deadLetterPipelines(log), ['score'])
    await assert.rejects(all(await newLog()), /known: none yet/)
    await assert.rejects(all(log, 'scoer'), /did you mean 'score'/)
  })

  test('without a replay topic are not replayed', async () => {
    const log = await newLog()
    await log.createTopic(deadLetterTopic('score'), { partitions: 1, cleanup: 'compact' })
    await bury(log, [{ id: 'a' }])
    await assert.rejects(replayDeadLetters(log, 'score', {}), /run the pipeline once/)
    assert.deepEqual(idsOf(await all(log)), ['a'])
  })
})
