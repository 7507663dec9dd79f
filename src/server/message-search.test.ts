import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BatchBuilder } from '../core/batch-builder.ts'
import { withIdentity } from '../core/identity.ts'
import type { Log } from '../log/log.ts'
import { createMemoryLog } from '../log/memory.ts'
import { Lineage } from './message-lineage.ts'
import { Budget, searchBackwards, type Wanted } from './message-search.ts'

interface Given {
  readonly partition: number
  readonly time: number
  readonly key: string
}

const given = fc.record({
  partition: fc.nat({ max: 2 }),
  time: fc.nat({ max: 50 }),
  key: fc.constantFrom('a', 'b', 'ab'),
})

async function logOf(messages: readonly Given[], perCommit: number): Promise<Log> {
  const log = createMemoryLog()
  await log.createTopic('t', { partitions: 3 })
  for (let at = 0; at < messages.length; at += perCommit) {
    const outputs = [0, 1, 2].map((partition) => {
      const builder = new BatchBuilder('t', partition)
      for (const [index, one] of messages.slice(at, at + perCommit).entries()) {
        const headers = withIdentity([], { id: `id${at + index}`, version: 1 })
        if (one.partition === partition) builder.append(one.key, 'v', one.time, headers)
      }
      return { topic: 't', partition, batch: builder.build() }
    })
    await log.commit({ outputs: outputs.filter(({ batch }) => batch.count > 0) })
  }
  return log
}

const plenty = () => new Budget({ forMs: 60_000, bytes: 1e9 })

async function search(log: Log, wanted: Wanted, limit: number, before?: readonly number[]) {
  const result = await searchBackwards(
    log,
    (await log.topic('t'))!,
    wanted,
    limit,
    plenty(),
    before,
  )
  const places = result.found.map(({ batch, index }) => ({
    partition: batch.partition,
    offset: batch.offsets[index]!,
    time: batch.times[index]!,
    key: batch.bytes.toString('utf8', batch.keyStarts[index]!, batch.keyEnds[index]!),
  }))
  return { ...result, places }
}

describe('a search from the end backwards', () => {
  it('finds every message once, page by page, each partition from its newest', async () => {
    const property = fc.asyncProperty(
      fc.array(given, { maxLength: 300 }),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(undefined, 'a', 'ab'),
      async (messages, limit, key) => {
        const log = await logOf(messages, 7)
        const found: { partition: number; offset: number; key: string }[] = []
        let before: readonly number[] | undefined
        do {
          const page = await search(log, { key }, limit, before)
          assert.ok(page.places.length <= limit && page.searched.isComplete)
          found.push(...page.places)
          before = page.before
        } while (before !== undefined)
        const wanted = messages.filter((one) => key === undefined || one.key === key)
        assert.equal(found.length, wanted.length)
        for (const partition of [0, 1, 2]) {
          const own = found.filter((one) => one.partition === partition).map((one) => one.offset)
          assert.deepEqual(
            own,
            own.toSorted((a, b) => b - a),
          )
          assert.equal(new Set(own).size, own.length)
        }
      },
    )
    await fc.assert(property, { seed: 5, numRuns: 40 })
  })

  it('gives the newest over all partitions first, where times rise with offsets', async () => {
    const messages = Array.from({ length: 500 }, (_, time) => ({
      partition: time % 3,
      time,
      key: 'k',
    }))
    const log = await logOf(messages, 11)
    const { places } = await search(log, {}, 100)
    assert.deepEqual(
      places.map(({ time }) => time),
      Array.from({ length: 100 }, (_, index) => 499 - index),
    )
  })

  it('finds ids, and what is related to them where that is asked', async () => {
    const log = createMemoryLog()
    await log.createTopic('t', { partitions: 1 })
    const builder = new BatchBuilder('t', 0)
    for (const id of ['m1', 'm1/split/0', 'm0+m1', 'm1x', 'm0']) {
      builder.append(null, id, 0, withIdentity([], { id, version: 0 }))
    }
    await log.commit({ outputs: [{ topic: 't', partition: 0, batch: builder.build() }] })
    const offsets = async (wanted: Wanted) =>
      (await search(log, wanted, 10)).places.map(({ offset }) => offset).toReversed()
    assert.deepEqual(await offsets({ id: 'm1' }), [0])
    assert.deepEqual(await offsets({ lineage: new Lineage('m1') }), [0, 1, 2])
    assert.deepEqual(await offsets({ lineage: new Lineage('m0+m1') }), [0, 2, 4])
    assert.deepEqual(await offsets({ isWanted: (_, index) => index === 3 }), [3])
  })

  it('stops at its bounds, says so, and goes on from there', async () => {
    const messages = Array.from({ length: 1500 }, (_, time) => ({ partition: 0, time, key: 'k' }))
    const log = await logOf([{ partition: 0, time: 0, key: 'first' }, ...messages], 50)
    const topic = (await log.topic('t'))!
    const wanted = { key: 'first' }
    let before: readonly number[] | undefined
    let pages = 0
    for (;;) {
      const budget = new Budget({ forMs: 60_000, bytes: 20_000 })
      const page = await searchBackwards(log, topic, wanted, 1, budget, before)
      pages++
      if (page.found.length > 0) break
      assert.equal(page.searched.isComplete, false)
      assert.ok(page.before !== undefined && page.before[0]! < (before?.[0] ?? Infinity))
      before = page.before
    }
    assert.ok(pages > 2, String(pages))
    const none = new Budget({ forMs: 60_000, bytes: 1 })
    const least = await searchBackwards(log, topic, wanted, 1, none)
    assert.deepEqual(least.before?.[0], 1501 - 16)
    let nowMs = 0
    const slow = new Budget({ forMs: 5, bytes: 1e9 }, () => nowMs++)
    const page = await searchBackwards(log, topic, wanted, 1, slow)
    assert.deepEqual([page.found.length, page.searched.isComplete], [0, false])
  })
})
