import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { OpenLog } from './log.contract.support.ts'
import { joinAlone, put, readAll, refusedWith, valuesIn, withLog } from './log.contract.support.ts'

export function topicLaws(open: OpenLog): void {
  describe('topics', () => {
    it('keep the settings they were made with', () =>
      withLog(open, async (log) => {
        const settings = {
          partitions: 3,
          cleanup: 'compact',
          retentionMs: 86_400_000,
          retentionBytes: 1_000_000,
          maxMessageBytes: 5000,
          compression: 'lz4',
        } as const
        const made = await log.createTopic('all-set', settings)
        assert.partialDeepStrictEqual(made, { name: 'all-set', ...settings })
        assert.deepEqual(await log.topic('all-set'), made)
        const plain = await log.createTopic('plain')
        assert.partialDeepStrictEqual(plain, {
          partitions: 4,
          cleanup: 'delete',
          maxMessageBytes: 1024 * 1024,
          compression: 'none',
        })
        assert.equal(plain.retentionMs, undefined)
        assert.notEqual(plain.identity, made.identity)
        const names = (await log.topics()).map(({ name }) => name)
        assert.deepEqual(names.toSorted(), ['all-set', 'plain'])
      }))

    it('are refused by name: there already, unknown, invalid', () =>
      withLog(open, async (log) => {
        await log.createTopic('there')
        await refusedWith('TOPIC_EXISTS', log.createTopic('there'))
        assert.equal(await log.topic('not-there'), undefined)
        await refusedWith('TOPIC_UNKNOWN', log.deleteTopic('not-there'))
        await refusedWith('TOPIC_UNKNOWN', log.offsets('not-there', 0))
        await refusedWith('TOPIC_UNKNOWN', log.read('not-there', 0, 0))
        await refusedWith('TOPIC_UNKNOWN', put(log, 'not-there', 0, ['lost']))
        await refusedWith('TOPIC_UNKNOWN', put(log, 'there', 4, ['no such partition']))
        for (const name of ['', '.', '..', 'a b', 'ä', 'a/b', 'x'.repeat(250)]) {
          await refusedWith('NAME_INVALID', log.createTopic(name))
        }
        await log.createTopic(`${'x'.repeat(240)}.Y_-9`)
      }))

    it('tell how much they take; one that is not there is left out', () =>
      withLog(open, async (log) => {
        for (const name of ['full', 'empty']) await log.createTopic(name, { partitions: 2 })
        await put(log, 'full', 0, ['a'.repeat(5000)])
        await put(log, 'full', 1, ['b'.repeat(5000)])
        const sizes = await log.sizes(['full', 'empty', 'not-there'])
        assert.deepEqual([...sizes.keys()].toSorted(), ['empty', 'full'])
        assert.equal(sizes.get('empty'), 0)
        assert.ok(sizes.get('full')! >= 10_000 && sizes.get('full')! < 30_000)
        assert.equal((await log.sizes([])).size, 0)
      }))

    it('made again have a new identity, none of the messages, none of the checkpoints', () =>
      withLog(open, async (log) => {
        const before = await log.createTopic('twice', { partitions: 1 })
        await log.createTopic('other', { partitions: 1 })
        const member = await joinAlone(log, 'readers', [
          { name: 'twice', partitions: 1 },
          { name: 'other', partitions: 1 },
        ])
        await put(log, 'twice', 0, ['old', 'older'])
        const checkpoints = ['twice', 'other'].map((topic) => {
          return { topic, partition: 0, offset: 1, metadata: topic }
        })
        await log.commit({ outputs: [], checkpoints, member })
        await member.leave()
        await log.deleteTopic('twice')
        assert.equal(await log.topic('twice'), undefined)
        await refusedWith('TOPIC_UNKNOWN', log.read('twice', 0, 0))
        const after = await log.createTopic('twice', { partitions: 2 })
        assert.notEqual(after.identity, before.identity)
        assert.equal((await log.topic('twice'))?.partitions, 2)
        assert.deepEqual(await valuesIn(log, 'twice'), [])
        const group = await log.group('readers')
        assert.deepEqual(group?.checkpoints, [checkpoints[1]])
        const offset = await put(log, 'twice', 0, ['new'])
        const [message] = await readAll(log, 'twice', 0)
        assert.equal(message?.value, 'new')
        assert.equal(message?.id, `${after.identity}/0/${offset}`)
      }))
  })
}
