import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { OpenLog } from './log.contract.support.ts'
import {
  joinAlone,
  pass,
  put,
  readAll,
  refusedWith,
  settle,
  shown,
  valuesIn,
  withLog,
} from './log.contract.support.ts'

export function keepingLaws(open: OpenLog): void {
  describe('keeping', () => {
    it('has everything when it is opened again', () =>
      withLog(open, async (log, setup) => {
        if (setup.reopen === undefined) return
        const made = await log.createTopic('kept', { partitions: 2, compression: 'zstd' })
        const headers = [{ key: 'h', value: Buffer.from('v') }]
        await put(log, 'kept', 1, [{ key: 'k', value: 'a', time: 5, headers }, { value: null }])
        const member = await joinAlone(log, 'g', [{ name: 'kept', partitions: 2 }])
        const checkpoints = [{ topic: 'kept', partition: 1, offset: 2, metadata: 'm' }]
        const changes = [{ store: 's', partition: 1, key: 'k', value: Buffer.from('state') }]
        await put(log, 'kept', 1, ['b'], { checkpoints, changes, member })
        await log.pauseGroup('g', true)
        await member.leave()
        const before = await readAll(log, 'kept', 1)

        const again = await setup.reopen()
        assert.deepEqual(await again.topic('kept'), made)
        assert.deepEqual(await readAll(again, 'kept', 1), before)
        const group = await again.group('g')
        assert.deepEqual([group?.checkpoints, group?.paused], [checkpoints, true])
        const state = await again.state('s', 1, ['k'])
        assert.equal(state.get('k')?.toString(), 'state')
        const range = await again.offsets('kept', 1)
        assert.equal(await again.count('kept', 1, range, { by: 'g' }), 1)
        const offset = await put(again, 'kept', 1, ['c'])
        assert.ok(offset > before.at(-1)!.offset, 'offsets rise on')
        assert.deepEqual(await valuesIn(again, 'kept', 1), ['a', null, 'b', 'c'])
        const later = await again.join('g', { topics: [{ name: 'kept', partitions: 2 }] })
        await settle(later)
        assert.ok(later.generation > member.generation)
      }))

    it('shows two handles on one store the same', () =>
      withLog(open, async (log, setup) => {
        const other = await setup.second?.()
        if (other === undefined) return
        const made = await log.createTopic('shared', { partitions: 1 })
        assert.deepEqual(await other.topic('shared'), made)
        await refusedWith('TOPIC_EXISTS', other.createTopic('shared'))
        for (const [index, handle] of [log, other, log, other].entries()) {
          const base = await put(handle, 'shared', 0, [`${index}`])
          for (const reader of [log, other]) await shown(reader, 'shared', 0, base + 1)
        }
        assert.deepEqual(await valuesIn(log, 'shared'), ['0', '1', '2', '3'])
        assert.deepEqual(await readAll(other, 'shared', 0), await readAll(log, 'shared', 0))
        const changes = [{ store: 's', partition: 0, key: 'k', value: Buffer.from('v') }]
        await other.commit({ outputs: [], changes })
        assert.equal((await log.state('s', 0, ['k'])).get('k')?.toString(), 'v')
        await log.deleteTopic('shared')
        assert.equal(await other.topic('shared'), undefined)
        await refusedWith('TOPIC_UNKNOWN', put(other, 'shared', 0, ['too late']))
        const anew = await log.createTopic('shared', { partitions: 1 })
        const base = await put(other, 'shared', 0, ['fresh'])
        await shown(log, 'shared', 0, base + 1)
        assert.deepEqual(await valuesIn(log, 'shared'), ['fresh'])
        const [seen] = await readAll(other, 'shared', 0)
        assert.ok(seen!.id.startsWith(`${anew.identity}/`), 'no old identity is remembered')
      }))

    it('of a compacted topic has the newest message of each key; positions move past the gaps', () =>
      withLog(open, async (log, setup) => {
        if (setup.maintain === undefined) return
        await log.createTopic('table', { partitions: 1, cleanup: 'compact' })
        const newest = new Map<string, string>()
        for (let round = 0; round < 20; round++) {
          const messages = Array.from({ length: 10 }, (_, index) => {
            const key = `key ${(round * 7 + index * (round % 3)) % 13}`
            newest.set(key, `${round}.${index}`)
            return { key, value: `${round}.${index}` }
          })
          await put(log, 'table', 0, messages)
        }
        const before = await readAll(log, 'table', 0)
        const { end } = await log.offsets('table', 0)
        await setup.maintain()
        const after = await readAll(log, 'table', 0)
        assert.ok(after.length < before.length, 'something was compacted away')
        assert.equal((await log.offsets('table', 0)).end, end)
        assert.deepEqual(new Map(after.map(({ key, value }) => [key, value])), newest)
        const old = new Map(before.map((message) => [message.offset, message]))
        for (const message of after) assert.deepEqual(message, old.get(message.offset))
        for (let from = 0; from <= end; from += 7) {
          const rest = after.filter(({ offset }) => offset >= from)
          assert.deepEqual(await readAll(log, 'table', 0, from, 1), rest)
        }
        assert.equal(await log.count('table', 0, await log.offsets('table', 0)), after.length)
        assert.ok((await put(log, 'table', 0, [{ key: 'key 0', value: 'on' }])) >= end)
      }))

    it('drops by age what is too old, and the start moves on', () =>
      withLog(open, async (log, setup) => {
        if (setup.maintain === undefined) return
        const retentionMs = setup.elapse === undefined ? 1_000 : 60_000
        const now = setup.now ?? Date.now
        await log.createTopic('aging', { partitions: 1, retentionMs })
        await put(
          log,
          'aging',
          0,
          ['a', 'b'].map((value) => ({ value, time: now() })),
        )
        await pass(setup, retentionMs * 2)
        const offset = await put(log, 'aging', 0, [{ value: 'young', time: now() }])
        const { end } = await log.offsets('aging', 0)
        await setup.maintain()
        const range = await log.offsets('aging', 0)
        assert.deepEqual(range, { start: offset, end })
        assert.deepEqual(await valuesIn(log, 'aging', 0, offset), ['young'])
        const read = await log.read('aging', 0, 0)
        assert.equal(read?.offsets[0], offset, 'an offset before the start reads from the start')
        await pass(setup, retentionMs * 2)
        await setup.maintain()
        assert.deepEqual(await log.offsets('aging', 0), { start: end, end })
        assert.equal(await log.read('aging', 0, end), undefined)
        assert.ok((await put(log, 'aging', 0, ['on'])) >= end)
      }))

    it('drops by size the oldest of what is too much', () =>
      withLog(open, async (log, setup) => {
        if (setup.maintain === undefined) return
        await log.createTopic('sized', { partitions: 1, retentionBytes: 20_000 })
        for (let number = 0; number < 50; number++) {
          await put(log, 'sized', 0, [`${number} ${'x'.repeat(1000)}`])
        }
        await setup.maintain()
        const { start, end } = await log.offsets('sized', 0)
        const left = await readAll(log, 'sized', 0, start)
        assert.ok(start > 0 && left.length < 50 && left.length > 10, `${left.length} are left`)
        assert.equal(left[0]?.offset, start)
        assert.ok(left.at(-1)?.value?.startsWith('49 '))
        assert.equal(await log.count('sized', 0, { start: 0, end }), left.length)
      }))

    it('closes twice', () =>
      withLog(open, async (log) => {
        await log.createTopic('closing', { partitions: 1 })
        const committing = put(log, 'closing', 0, ['in time'])
        await log.close()
        await committing
        await log.close()
      }))
  })
}
