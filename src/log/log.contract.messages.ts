import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { OpenLog } from './log.contract.support.ts'
import {
  output,
  put,
  readAll,
  refusedWith,
  type Sent,
  someTime,
  valuesIn,
  withLog,
} from './log.contract.support.ts'
import type { Compression } from './log.ts'

const kinds: readonly Sent[] = [
  { key: 'key', value: 'value' },
  { key: null, value: 'no key' },
  { key: 'deleted', value: null },
  { key: null, value: null },
  { key: '', value: '' },
  { key: 'ключ', value: '😀', time: 0 },
  { key: 'past', value: 'long before', time: someTime - 10 * 365 * 86_400_000 },
  { key: 'future', value: 'long after', time: someTime + 10 * 365 * 86_400_000 },
  {
    key: 'headers',
    value: 'three',
    headers: [
      { key: 'id', value: Buffer.from('x/1') },
      { key: 'id', value: Buffer.alloc(0) },
      { key: 'none', value: null },
    ],
  },
]

export function messageLaws(open: OpenLog): void {
  describe('messages', () => {
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] satisfies Compression[]) {
      it(`come back as they were, in order, ${compression}`, () =>
        withLog(open, async (log) => {
          const { identity } = await log.createTopic('kinds', { partitions: 1, compression })
          const base = await put(log, 'kinds', 0, kinds)
          const seen = await readAll(log, 'kinds', 0)
          assert.deepEqual(
            seen.map(({ key, value, time, headers }) => ({ key, value, time, headers })),
            kinds.map(({ key, value, time = someTime, headers = [] }) => ({
              key,
              value,
              time,
              headers: headers.map((header) => [header.key, header.value?.toString() ?? null]),
            })),
          )
          assert.equal(seen[0]!.offset, base)
          for (const { id, offset } of seen) assert.equal(id, `${identity}/0/${offset}`)
        }))
    }

    it('are kept, whatever becomes of the memory that they were committed from', () =>
      withLog(open, async (log) => {
        await log.createTopic('kinds', { partitions: 1 })
        const given = Array.from({ length: 100 }, (_, index) => `value ${index}`)
        for (let round = 0; round < 3; round++) {
          const sent = output('kinds', 0, given)
          await log.commit({ outputs: [sent] })
          sent.batch.bytes.fill(0xdb)
          new Uint8Array(sent.batch.valueStarts.buffer).fill(0xdb)
        }
        assert.deepEqual(await valuesIn(log, 'kinds', 0), [...given, ...given, ...given])
      }))

    it('carry the id that was given to them', () =>
      withLog(open, async (log) => {
        await log.createTopic('ids', { partitions: 1 })
        const headers = [{ key: 'millrace.id', value: Buffer.from('x:17') }]
        await put(log, 'ids', 0, [{ value: 'a', headers }])
        assert.equal((await readAll(log, 'ids', 0))[0]?.id, 'x:17')
      }))

    it('are read from the start, from any offset, from the end, in small reads', () =>
      withLog(open, async (log) => {
        await log.createTopic('ten', { partitions: 2 })
        assert.equal(await log.read('ten', 0, 0), undefined)
        for (let number = 0; number < 10; number++) await put(log, 'ten', 0, [`value ${number}`])
        const all = await readAll(log, 'ten', 0)
        assert.equal(all.length, 10)
        assert.deepEqual(await readAll(log, 'ten', 0, 0, 1), all)
        for (const [index, { offset }] of all.entries()) {
          assert.deepEqual(await readAll(log, 'ten', 0, offset), all.slice(index))
        }
        const { start, end } = await log.offsets('ten', 0)
        assert.ok(start <= all[0]!.offset && end > all[9]!.offset)
        assert.ok((await log.writtenEnd('ten', 0)) >= end)
        assert.equal(await log.read('ten', 0, end), undefined)
        assert.equal(await log.read('ten', 1, 0), undefined, 'partitions are apart')
        const first = await log.read('ten', 0, 0, { maxBytes: 1 })
        assert.ok(first!.count >= 1 && first!.count < 10, 'a small read ends early')
      }))

    it('of thousands in a batch keep their order, and each batch its own', () =>
      withLog(open, async (log) => {
        await log.createTopic('many', { partitions: 1, compression: 'lz4' })
        const values = Array.from(
          { length: 6000 },
          (_, index) => `${index} ${'x'.repeat(index % 300)}`,
        )
        await put(log, 'many', 0, values.slice(0, 1))
        await put(log, 'many', 0, values.slice(1, 5500))
        await put(log, 'many', 0, values.slice(5500))
        assert.deepEqual(await valuesIn(log, 'many'), values)
        const [, , third] = await readAll(log, 'many', 0)
        assert.deepEqual(await valuesIn(log, 'many', 0, third!.offset), values.slice(2))
      }))

    it('are found by time: the first offset at or after it, else the end', () =>
      withLog(open, async (log) => {
        await log.createTopic('times', { partitions: 1 })
        const { end: empty } = await log.offsets('times', 0)
        assert.equal(await log.offsetAtTime('times', 0, 0), empty)
        for (const times of [[100, 300], [200], [500, 400]]) {
          await put(
            log,
            'times',
            0,
            times.map((time) => ({ value: `${time}`, time: someTime + time })),
          )
        }
        const seen = await readAll(log, 'times', 0)
        const { end } = await log.offsets('times', 0)
        for (const time of [0, 100, 101, 200, 300, 301, 400, 401, 500, 501]) {
          const first = seen.find((message) => message.time >= someTime + time)
          assert.equal(await log.offsetAtTime('times', 0, someTime + time), first?.offset ?? end)
        }
      }))

    it('are counted between two offsets, where they really are', () =>
      withLog(open, async (log) => {
        await log.createTopic('counted', { partitions: 1 })
        await put(log, 'counted', 0, ['a', 'b', 'c'])
        await put(log, 'counted', 0, ['d', 'e'])
        const all = await readAll(log, 'counted', 0)
        const range = await log.offsets('counted', 0)
        assert.equal(await log.count('counted', 0, range), 5)
        for (let from = 0; from < 5; from++) {
          for (let to = from; to < 5; to++) {
            const part = { start: all[from]!.offset, end: all[to]!.offset }
            assert.equal(await log.count('counted', 0, part), to - from, `${from} to ${to}`)
          }
        }
      }))

    it('larger than the topic takes are refused by index, and nothing is done', () =>
      withLog(open, async (log) => {
        await log.createTopic('small', { partitions: 1, maxMessageBytes: 1000 })
        await log.createTopic('large', { partitions: 1, maxMessageBytes: 3_000_000 })
        const [fits, large] = ['y'.repeat(900), 'x'.repeat(1200)]
        const messages = [fits, large, 'short', { key: large, value: null }]
        const refused = await refusedWith('MESSAGE_TOO_LARGE', put(log, 'small', 0, messages))
        assert.deepEqual(refused.map(({ index }) => index).toSorted(), [1, 3])
        assert.deepEqual(await valuesIn(log, 'small'), [])
        const headers = [{ key: 'h', value: Buffer.alloc(1200) }]
        const withHeaders = put(log, 'small', 0, [{ value: 'short', headers }])
        assert.equal((await refusedWith('MESSAGE_TOO_LARGE', withHeaders))[0]?.index, 0)
        await put(log, 'small', 0, [fits])
        assert.deepEqual(await valuesIn(log, 'small'), [fits])
        const huge = 'z'.repeat(2_900_000)
        await put(log, 'large', 0, ['before', huge, huge, 'after'])
        assert.deepEqual(await valuesIn(log, 'large'), ['before', huge, huge, 'after'])
      }))

    it('with a time that is none are refused by index; fractions of a millisecond are dropped', () =>
      withLog(open, async (log) => {
        await log.createTopic('timed', { partitions: 1 })
        const wrong = [{ value: 'a' }, { value: 'b', time: Number.NaN }]
        const refused = await refusedWith('MESSAGE_INVALID', put(log, 'timed', 0, wrong))
        assert.deepEqual(
          refused.map(({ index }) => index),
          [1],
        )
        assert.deepEqual(await valuesIn(log, 'timed'), [])
        await put(log, 'timed', 0, [{ value: 'c', time: someTime + 0.7 }])
        assert.equal((await readAll(log, 'timed', 0))[0]?.time, someTime)
      }))

    it('of one commit go to several partitions; the result says where each begins', () =>
      withLog(open, async (log) => {
        await log.createTopic('spread', { partitions: 2 })
        await put(log, 'spread', 0, ['first'])
        const { baseOffsets } = await log.commit({
          outputs: [
            output('spread', 0, ['a', 'b']),
            output('spread', 1, ['c']),
            output('spread', 1, []),
            output('spread', 0, ['d']),
          ],
        })
        const zero = await readAll(log, 'spread', 0)
        const one = await readAll(log, 'spread', 1)
        assert.deepEqual(
          zero.map(({ value }) => value),
          ['first', 'a', 'b', 'd'],
        )
        assert.deepEqual(
          one.map(({ value }) => value),
          ['c'],
        )
        assert.deepEqual(
          [baseOffsets[0], baseOffsets[1], baseOffsets[3]],
          [zero[1]!.offset, one[0]!.offset, zero[3]!.offset],
        )
        assert.equal(baseOffsets.length, 4)
      }))
  })
}
