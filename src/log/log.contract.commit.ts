import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { OpenLog } from './log.contract.support.ts'
import {
  joinAlone,
  output,
  put,
  readAll,
  refusedWith,
  valuesIn,
  withLog,
} from './log.contract.support.ts'
import type { Commit, Log } from './log.ts'

const late = 'm'.repeat(4000)

async function valuesOf(log: Log, store: string, partition: number, keys: readonly string[]) {
  const found = await log.state(store, partition, keys)
  return Object.fromEntries([...found].map(([key, value]) => [key, value.toString()]))
}

export function commitLaws(open: OpenLog): void {
  describe('commit', () => {
    it('does all of it or nothing: messages, checkpoints, state', () =>
      withLog(open, async (log) => {
        await log.createTopic('in', { partitions: 2 })
        await log.createTopic('out', { partitions: 1, maxMessageBytes: 1000 })
        const member = await joinAlone(log, 'g', [{ name: 'in', partitions: 1 }])
        const whole: Commit = {
          outputs: [output('in', 1, ['side']), output('out', 0, ['result'])],
          checkpoints: [{ topic: 'in', partition: 0, offset: 7, metadata: '{"w":1}' }],
          changes: [{ store: 's', partition: 0, key: 'k', value: Buffer.from('v') }],
          member,
        }
        const nothing = async () => {
          assert.deepEqual(await valuesIn(log, 'in', 1), [])
          assert.deepEqual(await valuesIn(log, 'out'), [])
          assert.deepEqual((await log.group('g'))?.checkpoints, [])
          assert.deepEqual(await valuesOf(log, 's', 0, ['k']), {})
        }
        const [side, result] = whole.outputs
        const [checkpoint] = whole.checkpoints!
        const tooLarge = output('out', 0, ['fits', 'x'.repeat(2000)])
        const elsewhere = { ...checkpoint!, partition: 1 }
        const broken: [Parameters<typeof refusedWith>[0], Partial<Commit>][] = [
          ['MESSAGE_TOO_LARGE', { outputs: [side!, result!, tooLarge] }],
          ['TOPIC_UNKNOWN', { outputs: [side!, result!, output('nowhere', 0, ['x'])] }],
          ['METADATA_TOO_LARGE', { checkpoints: [{ ...checkpoint!, metadata: late }] }],
          ['METADATA_TOO_LARGE', { checkpoints: [{ ...checkpoint!, metadata: 'ä'.repeat(2000) }] }],
          ['MEMBER_FENCED', { checkpoints: [checkpoint!, elsewhere] }],
        ]
        for (const [code, part] of broken) {
          await refusedWith(code, log.commit({ ...whole, ...part }))
          await nothing()
        }
        await log.commit(whole)
        assert.deepEqual(await valuesIn(log, 'in', 1), ['side'])
        assert.deepEqual(await valuesIn(log, 'out'), ['result'])
        assert.deepEqual((await log.group('g'))?.checkpoints, whole.checkpoints)
        assert.deepEqual(await valuesOf(log, 's', 0, ['k']), { k: 'v' })
      }))

    it('keeps metadata of nearly 3 KB, to the letter', () =>
      withLog(open, async (log) => {
        await log.createTopic('in', { partitions: 1 })
        const member = await joinAlone(log, 'g', [{ name: 'in', partitions: 1 }])
        const metadata = JSON.stringify({ text: `"ä😀\\\n${'m'.repeat(3000)}` })
        const checkpoints = [{ topic: 'in', partition: 0, offset: 0, metadata }]
        await log.commit({ outputs: [], checkpoints, member })
        assert.deepEqual((await log.group('g'))?.checkpoints, checkpoints)
      }))

    it('keeps checkpoints of splits that are no topics, as sources have them', () =>
      withLog(open, async (log) => {
        const member = await joinAlone(log, 'g', [{ name: 'mails.files', partitions: 2 }])
        const checkpoints = [0, 1].map((partition) => {
          return { topic: 'mails.files', partition, offset: 10 + partition, metadata: 'm' }
        })
        await log.commit({ outputs: [], checkpoints, member })
        const saved = [...((await log.group('g'))?.checkpoints ?? [])]
        assert.deepEqual(
          saved.sort((a, b) => a.partition - b.partition),
          checkpoints,
        )
      }))

    it('is seen whole: a partition never shows a part of one, nor one topic without the other', () =>
      withLog(open, async (log, setup) => {
        const reader = (await setup.second?.()) ?? log
        await log.createTopic('first', { partitions: 1 })
        await log.createTopic('after', { partitions: 1 })
        let writing = true
        const writer = async () => {
          for (let number = 0; number < 30; number++) {
            const messages = Array.from({ length: 10 }, (_, index) => `${number}.${index}`)
            const outputs = [output('first', 0, messages), output('after', 0, messages)]
            await log.commit({ outputs })
          }
          writing = false
        }
        const watcher = async () => {
          while (writing) {
            const after = await valuesIn(reader, 'after')
            const first = await valuesIn(reader, 'first')
            assert.equal(after.length % 10, 0)
            if (setup.whyNotAtOnce === undefined) {
              assert.ok(first.length >= after.length, 'what one topic shows, the other has')
            }
            await new Promise((resolve) => setImmediate(resolve))
          }
        }
        await Promise.all([writer(), watcher()])
        assert.equal((await valuesIn(reader, 'after')).length, 300)
      }))

    it('takes many at once; each keeps its messages together and each writer its order', () =>
      withLog(open, async (log, setup) => {
        const handles = [log, (await setup.second?.()) ?? log]
        await log.createTopic('busy', { partitions: 1 })
        const write = async (writer: number) => {
          const commits = Array.from({ length: 25 }, (_, number) => {
            const messages = ['a', 'b', 'c'].map((part) => `${writer}.${number}.${part}`)
            return put(handles[writer % 2]!, 'busy', 0, messages)
          })
          return Promise.all(commits)
        }
        const bases = (await Promise.all([0, 1, 2, 3].map(write))).flat()
        assert.equal(new Set(bases).size, 100, 'no offset is given twice')
        const seen = await readAll(log, 'busy', 0)
        assert.equal(seen.length, 300)
        const next = [0, 0, 0, 0]
        for (let at = 0; at < 300; at += 3) {
          const [writer, number] = seen[at]!.value!.split('.').map(Number)
          assert.equal(number, next[writer!]!++, 'commits of one caller keep their order')
          const part = seen.slice(at, at + 3).map(({ value }) => value)
          assert.deepEqual(
            part,
            ['a', 'b', 'c'].map((letter) => `${writer}.${number}.${letter}`),
          )
          assert.equal(bases[writer! * 25 + number!], seen[at]!.offset)
        }
      }))

    it('may hold several batches of a partition and several changes of a key: they keep their order', () =>
      withLog(open, async (log) => {
        await log.createTopic('out', { partitions: 2 })
        const change = (value: string | null) => {
          const bytes = value === null ? null : Buffer.from(value)
          return { store: 's', partition: 0, key: 'k', value: bytes }
        }
        const { baseOffsets } = await log.commit({
          outputs: [
            ...[output('out', 0, ['a', 'b']), output('out', 1, ['x'])],
            ...[output('out', 0, ['c']), output('out', 0, ['d', 'e'])],
          ],
          changes: [change('first'), change(null), change('last')],
        })
        assert.deepEqual(await valuesIn(log, 'out'), ['a', 'b', 'c', 'd', 'e'])
        assert.deepEqual(await valuesIn(log, 'out', 1), ['x'])
        // There may be gaps before them: of a transaction that was begun anew.
        const first = await readAll(log, 'out', 0)
        const [x] = await readAll(log, 'out', 1)
        const where = [first[0], x, first[2], first[3]].map((seen) => seen?.offset)
        assert.deepEqual([...baseOffsets], where)
        assert.deepEqual(await valuesOf(log, 's', 0, ['k']), { k: 'last' })
      }))

    it('changes keyed state: sets, replaces, deletes, by store and partition', () =>
      withLog(open, async (log) => {
        const change = (store: string, partition: number, key: string, value: string | null) => {
          return { store, partition, key, value: value === null ? null : Buffer.from(value) }
        }
        await log.commit({
          outputs: [],
          changes: [
            change('s', 0, 'a', '1'),
            change('s', 0, 'b', ''),
            change('s', 1, 'a', 'other partition'),
            change('t', 0, 'a', 'other store'),
            change('s', 0, 'c', 'first'),
            change('s', 0, 'c', 'last'),
            change('s', 0, 'ключ', '😀'),
          ],
        })
        const keys = ['a', 'b', 'c', 'ключ', 'missing']
        assert.deepEqual(await valuesOf(log, 's', 0, keys), {
          a: '1',
          b: '',
          c: 'last',
          ключ: '😀',
        })
        assert.deepEqual(await valuesOf(log, 's', 1, keys), { a: 'other partition' })
        await log.commit({
          outputs: [],
          changes: [change('s', 0, 'a', null), change('s', 0, 'b', '2')],
        })
        assert.deepEqual(await valuesOf(log, 's', 0, ['a', 'b']), { b: '2' })
        await log.deleteState('s')
        await log.deleteState('never there')
        assert.deepEqual(await valuesOf(log, 's', 0, keys), {})
        assert.deepEqual(await valuesOf(log, 's', 1, keys), {})
        assert.deepEqual(await valuesOf(log, 't', 0, keys), { a: 'other store' })
      }))

    it('keeps what is known only with the offsets, in the same commit', () =>
      withLog(open, async (log) => {
        await log.createTopic('told', { partitions: 2 })
        await put(log, 'told', 1, ['before'])
        const commit = (value: string): Commit => ({
          outputs: [output('told', 0, [value]), output('told', 1, [value, value])],
          changesOf: ({ baseOffsets }) => [
            { store: 's', partition: 0, key: value, value: Buffer.from(baseOffsets.join()) },
          ],
        })
        const results = await Promise.all([log.commit(commit('a')), log.commit(commit('b'))])
        const kept = await valuesOf(log, 's', 0, ['a', 'b', 'c'])
        assert.deepEqual(kept, {
          a: results[0].baseOffsets.join(),
          b: results[1].baseOffsets.join(),
        })
        const refused = { ...commit('c'), outputs: [output('none', 0, ['c'])] }
        await refusedWith('TOPIC_UNKNOWN', log.commit(refused))
        assert.deepEqual(await valuesOf(log, 's', 0, ['c']), {})
      }))

    it('wakes those who wait for a change, here and at another handle', () =>
      withLog(open, async (log, setup) => {
        const other = (await setup.second?.()) ?? log
        await log.createTopic('awaited', { partitions: 1 })
        for (const handle of new Set([log, other])) {
          // What is waited for is what was read to its end.
          await readAll(handle, 'awaited', 0)
          const startedAt = performance.now()
          for (let round = 0; round < 5; round++) await handle.changed(handle.revision(), 20)
          const waitedMs = performance.now() - startedAt
          assert.ok(waitedMs > 30, `nothing came, so it waits, not ${waitedMs} ms in all`)
          const since = handle.revision()
          const waiting = [handle.changed(since, 20_000), handle.changed(since, 20_000)]
          await put(log, 'awaited', 0, ['now'])
          await Promise.all(waiting)
          await handle.changed(since, 20_000)
          await readAll(handle, 'awaited', 0)
          const before = handle.revision()
          await put(log, 'awaited', 0, ['before it is asked'])
          await handle.changed(before, 20_000)
          await handle.changed(before, 20_000)
          const aborter = new AbortController()
          const aborted = handle.changed(handle.revision(), 20_000, aborter.signal)
          aborter.abort()
          await aborted
          await handle.changed(handle.revision(), 20_000, aborter.signal)
          assert.ok(performance.now() - startedAt < 10_000)
        }
      }))
  })
}
