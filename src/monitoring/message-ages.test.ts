import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BatchBuilder } from '../core/batch-builder.ts'
import type { Log } from '../log/log.ts'
import { createMemoryLog } from '../log/memory.ts'
import { ageSeconds, MessageAges, timeAt } from './message-ages.ts'

const startMs = 1_000_000

/** A log that counts how often it is read, with messages a second apart. */
async function countingLog(count: number) {
  const log = createMemoryLog()
  await log.createTopic('in', { partitions: 2 })
  const builder = new BatchBuilder('in', 0)
  for (let n = 0; n < count; n++) builder.append(null, `${n}`, startMs + n * 1000)
  await log.commit({ outputs: [{ topic: 'in', partition: 0, batch: builder.build() }] })
  const counting = {
    reads: 0,
    read(...[topic, partition, offset, options]: Parameters<Log['read']>) {
      counting.reads++
      assert.equal(options?.maxBytes, 1, 'no more than the one message')
      return log.read(topic, partition, offset, options)
    },
  }
  return counting
}

const at = (position: number, end = 10) => ({ topic: 'in', partition: 0, position, end })

describe('the age of what was not worked on yet', () => {
  it('is that of the message at the position; 0 when caught up, and for one of the future', async () => {
    const ages = new MessageAges(await countingLog(10))
    assert.deepEqual(await ages.of('g', [at(3)], startMs + 60_000), [57])
    assert.deepEqual(await new MessageAges(await countingLog(10)).of('g', [at(10)], startMs), [0])
    assert.equal(ageSeconds(startMs, startMs + 5), 0)
    assert.equal(ageSeconds(startMs, undefined), 0)
  })

  it('is looked at every few seconds where a position moves on, else hardly ever', async () => {
    const log = await countingLog(10)
    const ages = new MessageAges(log)
    const nowMs = startMs + 100_000
    for (let second = 0; second < 5; second++) {
      const [age] = await ages.of('g', [at(second)], nowMs + second * 1000)
      assert.equal(age, 100 + second, 'not too low meanwhile')
    }
    assert.equal(log.reads, 1)
    assert.deepEqual(await ages.of('g', [at(5)], nowMs + 5000), [100])
    assert.equal(log.reads, 2)
    for (let second = 6; second < 60; second++) await ages.of('g', [at(5)], nowMs + second * 1000)
    assert.equal(log.reads, 2)
  })

  it('is forgotten once it has caught up: what comes then is new', async () => {
    const log = await countingLog(10)
    const ages = new MessageAges(log)
    const nowMs = startMs + 1_000_000
    await ages.of('g', [at(0)], nowMs)
    assert.deepEqual(await ages.of('g', [at(9, 9)], nowMs + 1000), [0])
    assert.deepEqual(await ages.of('g', [at(9)], nowMs + 2000), [0], 'not that of the old one')
    assert.equal(log.reads, 1)
    assert.deepEqual(await ages.of('g', [at(9)], nowMs + 5000), [996])
    assert.equal(log.reads, 2)
  })

  it('is kept apart by reader, and survives a log that cannot be read', async () => {
    const log = await countingLog(10)
    const ages = new MessageAges(log)
    assert.deepEqual(await ages.of('one', [at(0)], startMs + 9000), [9])
    assert.deepEqual(await ages.of('two', [at(5)], startMs + 9000), [4])
    log.read = () => Promise.reject(new Error('away'))
    assert.deepEqual(await ages.of('one', [at(1)], startMs + 20_000), [20])
    assert.deepEqual(await ages.of('one', [], startMs + 20_000), [])
    assert.deepEqual(await ages.of('one', [at(1)], startMs + 20_000), [0], 'forgotten')
  })

  it('steps over gaps, not for ever', async () => {
    const log = await countingLog(3)
    const empty = async (offset: number) => {
      const batch = await log.read('in', 0, 2, { maxBytes: 1 })
      return { ...batch!, count: 0, nextOffset: offset + 1 }
    }
    const read = (async (_topic, _partition, offset) =>
      offset < 2 ? empty(offset) : log.read('in', 0, offset, { maxBytes: 1 })) as Log['read']
    assert.equal(await timeAt({ read }, at(0)), startMs + 2000)
    const never = (async (_topic, _partition, offset) => empty(offset)) as Log['read']
    assert.equal(await timeAt({ read: never }, at(0)), undefined)
    assert.equal(await timeAt(log, at(3)), undefined, 'nothing there')
  })
})
