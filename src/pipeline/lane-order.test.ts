import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../core/clock.ts'
import type { Log } from '../log/log.ts'
import { createMemoryLog } from '../log/memory.ts'
import { topicInput } from './lane-input.ts'
import { LaneOrder } from './lane-order.ts'
import { partedInput } from './parted-input.ts'
import { pipeline } from './pipeline.ts'
import { appendAll } from './testing.ts'
import { topic } from './topic.ts'

const { settings } = pipeline('p').from(topic('t')).to(topic('out'))['~pipeline']

async function orderOf(log: Log, topics: readonly string[], maxWaitMs = 0) {
  const open = async (name: string) => {
    const start = { pipeline: 'p', planHash: 'h', topic: name, partition: 0, entry: 0, settings }
    const place = { ...start, stepNames: [], checkpoint: undefined, schema: undefined }
    const how = { isReplay: false, onGap: 'stop', maxBytes: 1024 * 1024 } as const
    return partedInput(await topicInput({ ...place, ...how, log }), {
      settings,
      clock: systemClock,
    })
  }
  const inputs = await Promise.all(topics.map(open))
  const order = new LaneOrder({ log, inputs, maxWaitMs, retry: (_, work) => work() })
  /** What is taken next, as the topic's name and the times. */
  const next = async () => {
    const taken = await order.take()
    if (taken === undefined) return undefined
    const { batch } = taken.read
    taken.input.time!.observe(batch, systemClock.now())
    return `${batch.topic} ${batch.times.subarray(0, batch.count).join(' ')}`.trim()
  }
  return { inputs, next }
}

async function logOf(topics: { readonly [name: string]: readonly number[] }): Promise<Log> {
  const log = createMemoryLog()
  for (const [name, times] of Object.entries(topics)) {
    await log.createTopic(name, { partitions: 1 })
    await appendAll(
      log,
      name,
      times.map((time) => ({ time, value: time })),
    )
  }
  return log
}

describe('the order of a lane', () => {
  it('takes from each input what comes before the others; of the same time the first goes first', async () => {
    const log = await logOf({ one: [1, 5, 5, 9], two: [2, 5, 6] })
    const { inputs, next } = await orderOf(log, ['one', 'two'])
    assert.equal(await next(), 'one 1')
    assert.deepEqual([inputs[0]!.offset(), inputs[1]!.offset()], [1, 0])
    assert.equal(await next(), 'two 2')
    assert.equal(await next(), 'one 5 5')
    assert.equal(await next(), 'two 5 6')
    assert.equal(await next(), 'one 9')
    assert.deepEqual([inputs[0]!.offset(), inputs[1]!.offset()], [4, 3])
    assert.equal(await next(), undefined)
    await appendAll(log, 'two', [{ time: 7, value: 7 }])
    assert.equal(await next(), 'two 7')
  })

  it('keeps what is out of order behind what was before it, and believes no clock that is wrong', async () => {
    const farMs = Date.now() + 10 * settings.maxSkewMs
    const log = await logOf({ one: [4, 1, 2, 8], two: [3, farMs, 5, 6] })
    const { next } = await orderOf(log, ['one', 'two'])
    assert.equal(await next(), `two 3 ${farMs}`)
    assert.equal(await next(), 'one 4 1 2')
    assert.equal(await next(), 'two 5 6')
    assert.equal(await next(), 'one 8')
  })

  it('waits for an input that has more, although it does not come', async () => {
    const log = await logOf({ one: [1, 2], two: [0] })
    let isHeld = true
    const read = log.read.bind(log)
    log.read = (name, ...rest) =>
      isHeld && name === 'two' ? Promise.resolve(undefined) : read(name, ...rest)
    const { next } = await orderOf(log, ['one', 'two'])
    assert.equal(await next(), undefined)
    isHeld = false
    assert.equal(await next(), 'two 0')
    assert.equal(await next(), 'one 1 2')
  })

  it('waits for one that has nothing more only where that is asked for', async () => {
    const at = { one: [1, 2], two: [] }
    assert.equal(await (await orderOf(await logOf(at), ['one', 'two'])).next(), 'one 1 2')
    const log = await logOf(at)
    const { next } = await orderOf(log, ['one', 'two'], 3_600_000)
    assert.equal(await next(), undefined)
    await appendAll(log, 'two', [{ time: 1, value: 1 }])
    assert.equal(await next(), 'one 1')
    assert.equal(await next(), 'two 1')
    assert.equal(await next(), undefined)
    const short = await orderOf(await logOf(at), ['one', 'two'], 5)
    let seen = await short.next()
    while (seen === undefined) seen = await short.next()
    assert.equal(seen, 'one 1 2')
  })

  it('goes as far as those have come who send through a topic of the pipeline', async () => {
    const log = await logOf({ 'p.k.repartition': [], two: [1, 2, 3, 4, 5] })
    const { inputs, next } = await orderOf(log, ['two', 'p.k.repartition'])
    const time = inputs[1]!.time!
    assert.equal(await next(), undefined)
    time.sentMs = 3
    assert.equal(await next(), 'two 1 2 3')
    assert.equal(await next(), undefined)
    await appendAll(log, 'p.k.repartition', [{ time: 4, value: 4 }])
    assert.equal(await next(), 'two 4')
    assert.equal(await next(), 'p.k.repartition 4')
    time.sentMs = Number.POSITIVE_INFINITY
    assert.equal(await next(), 'two 5')
  })
})
