/** The memory of batches is used again once they are committed, and never before. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { buffers } from '../core/buffer-pool.ts'
import { systemClock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import type { Commit, Log } from '../log/log.ts'
import { createMemoryLog } from '../log/memory.ts'
import { encodeRecordBatch } from '../log/record-batch.ts'
import { pipeline } from './pipeline.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const partitions = 3
const messages = 1500
const values = Array.from({ length: messages }, (_, n) => ({
  n,
  words: 'some words '.repeat(n % 9),
}))

/** What the outputs hold now. */
const held = ({ outputs }: Commit) =>
  outputs.map(({ topic: name, partition, batch }) => {
    const bytes = encodeRecordBatch(batch, { compression: 'none' }).toString('base64')
    return `${name}/${partition} ${bytes}`
  })

/**
 * A log that reads little at once and takes its time with commits; some it refuses at first.
 * Whatever it was given has to be the same until it answers, and when it comes again.
 */
function slowLog(log: Log, memory: Set<ArrayBufferLike>) {
  const random = seededRandom(7)
  const given = new Map<Commit, string[]>()
  const told = { commits: 0, refused: 0, batches: 0 }
  let asks = 0
  const commit = async (asked: Commit) => {
    const wanted = given.get(asked) ?? held(asked)
    assert.deepEqual(held(asked), wanted, 'a commit that comes again is what it was')
    given.set(asked, wanted)
    await systemClock.sleep(random() * 4)
    assert.deepEqual(held(asked), wanted, 'a commit under way is what it was')
    // How many commits there are depends on how many batches go together: on the machine.
    if (asks++ % 3 === 1) {
      told.refused++
      throw fail('LOG_BUSY', 'not now', { waitMs: 1 })
    }
    told.commits++
    told.batches += asked.outputs.length
    for (const { batch } of asked.outputs) memory.add(batch.bytes.buffer)
    return log.commit(asked)
  }
  const read: Log['read'] = async (name, partition, offset) => {
    // Commits end while there is still something to read.
    await systemClock.sleep(1)
    return log.read(name, partition, offset, { maxBytes: 1200 })
  }
  const own: Partial<Log> = { commit, read }
  const slow = new Proxy(log, {
    get(target, name) {
      const found: unknown = Reflect.get(own, name) ?? Reflect.get(target, name, target)
      return typeof found === 'function' ? found.bind(target) : found
    },
  })
  return { slow, told }
}

describe('batches whose memory is used again', () => {
  before(() => {
    buffers.poisons = true
  })
  after(() => {
    buffers.poisons = false
  })

  it('hold what they should while they wait, fail and go together', async () => {
    const log = createMemoryLog()
    const given = topic<{ n: number; words: string }>('given', { partitions })
    const kept = topic<{ n: number }>('kept', { partitions, key: ({ n }) => `${n % 10}` })
    const all = topic<{ n: number }>('all', { partitions })
    const work = pipeline('work')
      .from(given)
      .to(all)
      .map('some-fail', (value) => {
        if (value.n % 5 === 0) throw new Error(`no ${value.n}`)
        return value
      })
      .to(kept)
    await log.createTopic('given', { partitions })
    await appendAll(
      log,
      'given',
      values.map((value, index) => ({ value, partition: index % partitions })),
    )
    const memory = new Set<ArrayBufferLike>()
    const { slow, told } = slowLog(log, memory)
    const { audits } = await runUntilCaughtUp(slow, [work])

    assert.deepEqual(audits.get('work')!.imbalances, [])
    const byNumber = (found: unknown[]) =>
      (found as { n: number }[]).sort((one, other) => one.n - other.n)
    assert.deepEqual(byNumber(await readValues(log, 'all')), values)
    const passing = values.filter(({ n }) => n % 5 !== 0)
    assert.deepEqual(byNumber(await readValues(log, 'kept')), passing)
    const dead = await readAll(log, 'work.dead-letters')
    assert.equal(dead.length, messages - passing.length)
    assert.deepEqual(
      byNumber(dead.map(({ value }) => JSON.parse(`${value}`))),
      values.filter(({ n }) => n % 5 === 0),
    )
    assert.ok(told.refused > 1 && told.commits > 3, JSON.stringify(told))
    assert.ok(memory.size < told.batches, `${memory.size} buffers for ${told.batches} batches`)
  })
})
