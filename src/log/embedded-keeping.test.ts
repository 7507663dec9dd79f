/** How the embedded log keeps house: commits in groups, segments, retention, compaction, the WAL. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import type { CommitStep } from './embedded.ts'
import { output, valuesOf, withDirectory } from './embedded-testing.ts'
import { shiftedClock } from './log.contract.ts'

function segmentFiles(directory: string): string[] {
  const names = fs.readdirSync(join(directory, 'log', 'segments'), {
    recursive: true,
    encoding: 'utf8',
  })
  return names.filter((name) => name.endsWith('.log'))
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${from + index}`)

describe('commits of the embedded log', () => {
  it('go together when many wait, in order, and a refused one does not sink the others', () =>
    withDirectory(async (_directory, open) => {
      const log = await open()
      await log.createTopic('t', { partitions: 1, maxMessageBytes: 100 })
      const results = await Promise.allSettled(
        numbers(0, 300).map((value, index) => {
          const text = index % 10 === 9 ? value.padEnd(200) : value
          return log.commit({ outputs: [output('t', [text])] })
        }),
      )
      const refused = results.filter(({ status }) => status === 'rejected')
      assert.equal(refused.length, 30)
      assert.ok(refused.every((one) => codeOf((one as { reason: unknown }).reason) !== undefined))
      const expected = numbers(0, 300).filter((_, index) => index % 10 !== 9)
      assert.deepEqual(await valuesOf(log, 't'), expected)
      assert.ok(log.metrics().transactions <= 5, `${log.metrics().transactions} transactions`)
      assert.equal(log.metrics().commits, 270)
    }))

  it('pass each step in order', () =>
    withDirectory(async (_directory, open) => {
      const steps: CommitStep[] = []
      const log = await open({ onStep: (step) => steps.push(step) })
      await log.createTopic('t', { partitions: 1 })
      await log.commit({ outputs: [output('t', ['makes the segment'])] })
      steps.length = 0
      await log.commit({ outputs: [output('t', ['a'])] })
      const expected = ['queued', 'appended', 'synced', 'begun', 'indexed', 'committed']
      assert.deepEqual(steps, expected)
    }))

  it('wait for a lock that another holds, without blocking the thread, and say so in the end', () =>
    withDirectory(async (directory, open) => {
      const log = await open({ busyMs: 100 })
      await log.createTopic('t', { partitions: 1 })
      await log.commit({ outputs: [output('t', ['a'])] })
      const other = new DatabaseSync(join(directory, 'log', 'millrace.db'))
      other.exec('BEGIN IMMEDIATE')
      let ticks = 0
      const timer = setInterval(() => ticks++, 5)
      const refused = assert.rejects(
        log.commit({ outputs: [output('t', ['b'])] }),
        (error) => codeOf(error) === 'LOG_BUSY',
      )
      assert.deepEqual(await valuesOf(log, 't'), ['a'])
      await refused
      clearInterval(timer)
      assert.ok(ticks > 5, `the thread went on: ${ticks} ticks`)
      const late = log.commit({ outputs: [output('t', ['c'])] })
      setTimeout(() => other.exec('ROLLBACK'), 30)
      await late
      other.close()
      assert.deepEqual(await valuesOf(log, 't'), ['a', 'c'])
      assert.ok(log.metrics().busyCount > 0)
    }))
})

describe('segments of the embedded log', () => {
  it('are followed by new ones, read across, unlinked when retention emptied them', () =>
    withDirectory(async (directory, open) => {
      const { clock, elapse } = shiftedClock()
      const log = await open({ segmentBytes: 500, clock })
      await log.createTopic('t', { partitions: 1, retentionMs: 60_000 })
      const group = await log.join('g', { topics: [] })
      for (let from = 0; from < 200; from += 10) {
        await log.commit({ outputs: [output('t', numbers(from, from + 10))], member: group })
      }
      assert.ok(segmentFiles(directory).length > 2)
      assert.deepEqual(await valuesOf(log, 't'), numbers(0, 200))
      await elapse(61_000)
      await log.maintain()
      assert.deepEqual(await log.offsets('t', 0), { start: 200, end: 200 })
      assert.deepEqual(segmentFiles(directory), [])
      // The writer's own open file was taken away: it finds out and writes to another.
      await log.commit({ outputs: [output('t', ['on'])] })
      assert.deepEqual(await valuesOf(log, 't'), ['on'])
      assert.equal(await log.count('t', 0, { start: 0, end: 201 }, { by: 'g' }), 200)
      assert.equal(await log.count('t', 0, { start: 0, end: 201 }), 1)
      const behind = await log.read('t', 0, 7)
      assert.equal(behind?.offsets[0], 200)
    }))

  it('that no row names are swept, those in use are not', () =>
    withDirectory(async (directory, open) => {
      const log = await open()
      const { identity } = await log.createTopic('t', { partitions: 1 })
      await log.commit({ outputs: [output('t', ['a'])] })
      const segments = join(directory, 'log', 'segments')
      fs.writeFileSync(join(segments, identity, 'crashed-0.log'), 'left behind')
      fs.mkdirSync(join(segments, 'gonetopic'))
      await log.maintain()
      assert.deepEqual(fs.readdirSync(segments), [identity])
      assert.equal(segmentFiles(directory).length, 1)
      assert.deepEqual(await valuesOf(log, 't'), ['a'])
      await log.deleteTopic('t')
      assert.deepEqual(fs.readdirSync(segments), [])
    }))

  it('of a compacted topic shrink; who reads meanwhile, and counts by group, are not disturbed', () =>
    withDirectory(async (directory, open) => {
      const { clock, elapse } = shiftedClock()
      const log = await open({ segmentBytes: 100_000, clock })
      const other = await open({ clock })
      await log.createTopic('t', { partitions: 1, cleanup: 'compact' })
      const member = await log.join('g', { topics: [] })
      const padding = 'x'.repeat(500)
      for (let round = 0; round < 50; round++) {
        const values = numbers(0, 20).map((key): [string, string] => [key, `${round} ${padding}`])
        await log.commit({ outputs: [output('t', values)], member })
      }
      const reading = await other.read('t', 0, 0, { maxBytes: 1 })
      assert.equal(reading?.count, 20)
      const before = segmentFiles(directory).length
      await elapse(61_000)
      await log.maintain()
      assert.ok(segmentFiles(directory).length < before, 'files were unlinked')
      assert.deepEqual(
        await valuesOf(other, 't'),
        numbers(0, 20).map(() => `49 ${padding}`),
      )
      const end = 50 * 20
      assert.equal(await log.count('t', 0, { start: 0, end }, { by: 'g' }), end)
      assert.equal(await other.count('t', 0, { start: 0, end }), 20)
      assert.deepEqual(await log.offsets('t', 0), { start: 0, end })
      await log.maintain()
      assert.equal((await valuesOf(log, 't')).length, 20)
    }))
})

describe('the write-ahead file of the embedded log', () => {
  it('stays small while two handles write, one reads, and housekeeping runs', () =>
    withDirectory(async (_directory, open) => {
      const log = await open({ maintain: true })
      const other = await open()
      await log.createTopic('t', { partitions: 1 })
      const value = Buffer.alloc(20_000, 'v')
      let largest = 0
      let written = 0
      const write = async (handle: typeof log, store: string) => {
        for (let round = 0; written < 100e6; round++) {
          const changes = numbers(0, 20).map((key) => ({
            store,
            partition: 0,
            key: `${key}.${round % 10}`,
            value,
          }))
          await handle.commit({ outputs: [output('t', ['tick'])], changes })
          await other.read('t', 0, 0)
          written += changes.length * value.length
          largest = Math.max(largest, log.metrics().walSizeBytes)
        }
      }
      await Promise.all([write(log, 'one'), write(other, 'two')])
      assert.ok(largest < 64e6, `${largest} bytes`)
      await log.maintain()
    }))
})
