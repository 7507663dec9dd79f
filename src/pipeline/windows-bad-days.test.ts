/** Windows and rolling sums on bad days: one key has nearly all messages, a function throws, the disk is full. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openEmbeddedLog } from '../log/embedded.ts'
import { nodeDisk } from '../log/embedded-disk.ts'
import { newLog } from '../log/log-testing.ts'
import { tumbling } from '../transforms/window.ts'
import { pipeline } from './pipeline.ts'
import { rolling } from './rolling-feature.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

interface Payment {
  readonly amount: number
}

const payments = topic<Payment>('payments', { partitions: 1 })
const [spent, counts] = [topic('spent', { partitions: 1 }), topic('counts', { partitions: 1 })]
const windowed = pipeline('windowed')
  .from(payments)
  .add({ spent1h: rolling.sum('amount', { over: '1h' }) })
  .to(spent)
  .keyBy()
  .window(tumbling('1m'))
  .aggregate('per-minute', (over) => ({
    count: over.count(),
    total: over.sum(({ amount }) => {
      if (amount === 13) throw new Error('no thirteens')
      return amount
    }),
  }))
  .to(counts)

const paid = (amount: number, key: string, time: number) => ({
  ...{ partition: 0, key, time, value: { amount } },
})
const minute = 60_000

describe('windows on a bad day', () => {
  it('take a key that has nearly all messages', async () => {
    const log = await newLog()
    await log.createTopic('payments', { partitions: 1 })
    const messages = Array.from({ length: 5000 }, (_, n) => {
      return paid(n % 7, n % 50 === 0 ? `card-${n}` : 'hot', n * 10)
    })
    await appendAll(log, 'payments', messages)
    const { audits } = await runUntilCaughtUp(log, [windowed])
    assert.deepEqual(audits.get('windowed')!.imbalances, [])
    const hot = messages.filter(({ key }) => key === 'hot')
    const told = (await readAll(log, 'spent')).filter(({ key }) => String(key) === 'hot')
    let sum = 0
    for (const [index, { value }] of hot.entries()) {
      sum += value.amount
      const { spent1h } = JSON.parse(String(told[index]!.value)) as { spent1h: number }
      assert.equal(spent1h, sum)
    }
    assert.equal(told.length, hot.length)
    await log.close()
  })

  it('make what a function throws on a dead letter, and count the others', async () => {
    const log = await newLog()
    await log.createTopic('payments', { partitions: 1 })
    const some = [paid(1, 'a', 0), paid(13, 'a', 1), paid(5, 'a', 2), paid(1, 'b', minute)]
    await appendAll(log, 'payments', some)
    const { audits } = await runUntilCaughtUp(log, [windowed])
    assert.deepEqual(audits.get('windowed')!.imbalances, [])
    const [first] = (await readValues(log, 'counts')) as object[]
    assert.partialDeepStrictEqual(first, { key: 'a', count: 2, total: 6 })
    const letters = await readAll(log, 'windowed.dead-letters')
    assert.equal(letters.length, 1)
    const said = letters[0]!.headers.map(({ value }) => String(value)).join()
    assert.match(said, /thirteens/)
    await log.close()
  })

  it('wait while the disk is full in the middle of a commit, and count once', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-full-'))
    let left = 0
    const datasync: typeof nodeDisk.datasync = async (file) => {
      if (left > 0 && left-- > 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
      await nodeDisk.datasync(file)
    }
    const disk = { ...nodeDisk, datasync }
    const log = await openEmbeddedLog({ directory, disk })
    try {
      await log.createTopic('payments', { partitions: 1 })
      const all = Array.from({ length: 3000 }, (_, n) => paid(1, `card-${n % 20}`, n * 100))
      await appendAll(log, 'payments', all)
      left = 1
      const { audits } = await runUntilCaughtUp(log, [windowed])
      assert.equal(left, 0, 'it was full, and tried again')
      assert.deepEqual(audits.get('windowed')!.imbalances, [])
      const sums = (await readValues(log, 'spent')) as { spent1h: number }[]
      assert.equal(sums.length, all.length)
      assert.equal(Math.max(...sums.map(({ spent1h }) => spent1h)), all.length / 20)
      const found = (await readValues(log, 'counts')) as { count: number }[]
      assert.equal(found.length, 4 * 20)
      for (const { count } of found) assert.equal(count, 30)
    } finally {
      await log.close()
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
