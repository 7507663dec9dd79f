import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LogSetup, OpenLog } from './log.contract.support.ts'
import { joinAlone, output, refusedWith, withLog } from './log.contract.support.ts'
import type { Log, OwnedState, StateChange, StateEntry, StateRange } from './log.ts'

const all = { limit: 100_000 }

/** In the order of their UTF-8 bytes; by UTF-16 units U+FFFD would come last. */
const keys = [
  '',
  '\0',
  'A',
  'Z',
  'a',
  'a\0',
  'a\0b',
  'aa',
  'b',
  'z',
  'é',
  'ключ',
  '\ufffd',
  '😀',
  '🙂z',
]

export function change(key: string, value: string | null, store = 's', partition = 0): StateChange {
  return { store, partition, key, value: value === null ? null : Buffer.from(value) }
}

const texts = (entries: readonly StateEntry[]) =>
  entries.map(([key, value]) => [key, value.toString()])

export async function contentOf(state: OwnedState, range: StateRange = all) {
  return texts(await state.scan(range))
}

async function valuesOf(state: OwnedState, ...wanted: string[]) {
  return Object.fromEntries(texts([...(await state.get(wanted))]))
}

const byBytes = (a: string, b: string) => Buffer.from(a).compare(Buffer.from(b))

const sorted = (values: ReadonlyMap<string, string>) =>
  [...values].sort(([a], [b]) => byBytes(a, b))

/** The same numbers each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return Math.floor((state / 0x8000_0000) * below)
  }
}

/** As another process would have it. */
const another = async (log: Log, setup: LogSetup) => (await setup.second?.()) ?? log

export function stateLaws(open: OpenLog): void {
  describe('owned state', () => {
    it('has what was committed before it was opened, and what its owner commits', () =>
      withLog(open, async (log) => {
        const commit = (...changes: StateChange[]) => log.commit({ outputs: [], changes })
        await commit(change('a', '1'), change('b', '1'), change('c', '1'))
        await commit(change('b', null), change('c', ''), change('a', 'elsewhere', 's', 1))
        const told: [number, number][] = []
        const onProgress = (restored: number, total: number) => void told.push([restored, total])
        const state = await log.openState('s', 0, { onProgress })
        for (const [restored, total] of told) assert.ok(restored >= 0 && restored <= total)
        if (told.length > 0) assert.equal(told.at(-1)![0], told.at(-1)![1])
        assert.deepEqual(await valuesOf(state, 'a', 'b', 'c', 'd'), { a: '1', c: '' })
        await commit(change('a', null), change('d', '2'), change('d', '3'), change('b', '2'))
        assert.deepEqual(await valuesOf(state, 'a', 'b', 'c', 'd'), { b: '2', c: '', d: '3' })
        await commit(change('d', '4'), change('d', null), change('e', '5', 't'))
        await commit(change('b', 'elsewhere', 's', 1), change('b', 'elsewhere', 't', 0))
        assert.deepEqual(await contentOf(state), [
          ['b', '2'],
          ['c', ''],
        ])
        const other = await log.openState('s', 1)
        assert.deepEqual(await valuesOf(other, 'a', 'b'), { a: 'elsewhere', b: 'elsewhere' })
        const never = await log.openState('never written', 3)
        assert.deepEqual(await contentOf(never), [])
        assert.deepEqual(await valuesOf(never, 'a'), {})
      }))

    it('lists keys in the order of their UTF-8 bytes, within bounds and a limit', () =>
      withLog(open, async (log) => {
        assert.deepEqual(keys.toSorted(byBytes), keys)
        assert.notDeepEqual(keys.toSorted(), keys, 'the order of text is another one')
        const shuffled = keys.map((_, index) => keys[(index * 7) % keys.length]!)
        const [committed, own] = [shuffled.slice(0, 9), shuffled.slice(9)]
        const put = (some: readonly string[]) =>
          log.commit({ outputs: [], changes: some.map((key) => change(key, `of ${key}`)) })
        await put(committed)
        const state = await log.openState('s', 0)
        await put(own)
        const listed = async (range: StateRange) => (await state.scan(range)).map(([key]) => key)
        assert.deepEqual(await listed(all), keys)
        assert.deepEqual(
          await contentOf(state),
          keys.map((key) => [key, `of ${key}`]),
        )
        assert.equal((await state.get(keys)).size, keys.length)
        for (const [index, from] of keys.entries()) {
          assert.deepEqual(await listed({ from, limit: 4 }), keys.slice(index, index + 4))
          assert.deepEqual(await listed({ to: from, ...all }), keys.slice(0, index))
          const to = keys[index + 3]
          assert.deepEqual(await listed({ from, to, ...all }), keys.slice(index, index + 3))
          assert.deepEqual(await listed({ from, to: from, ...all }), [])
        }
        assert.deepEqual(await listed({ from: 'b', to: 'a', ...all }), [])
        assert.deepEqual(await listed({ limit: 0 }), [])
        assert.deepEqual(await listed({ limit: Number.POSITIVE_INFINITY }), keys)
        // From key to key, as whoever has many of them goes on.
        const walked: string[] = []
        for (let from = ''; ; from = `${walked.at(-1)}\0`) {
          const some = await listed({ from, limit: 2 })
          if (some.length === 0) break
          walked.push(...some)
        }
        assert.deepEqual(walked, keys)
      }))

    it('takes what is known only with the offsets', () =>
      withLog(open, async (log) => {
        await log.createTopic('told', { partitions: 1 })
        const state = await log.openState('s', 0)
        const commit = (key: string) =>
          log.commit({
            outputs: [output('told', 0, ['x'])],
            changes: [change(key, 'before it was known')],
            changesOf: ({ baseOffsets }) => [change(key, `${baseOffsets[0]}`)],
          })
        const results = await Promise.all(['a', 'b', 'c'].map(commit))
        const offsets = results.map(({ baseOffsets }) => `${baseOffsets[0]}`)
        assert.deepEqual(Object.values(await valuesOf(state, 'a', 'b', 'c')), offsets)
      }))

    it('has after each opening what all owners committed, whoever they were', () =>
      withLog(open, async (log, setup) => {
        const other = await another(log, setup)
        const expected = new Map<string, string>()
        const next = numbers(7)
        for (let turn = 0; turn < 6; turn++) {
          const owner = turn % 3 === 1 ? other : log
          const state = await owner.openState('s', 0)
          assert.deepEqual(await contentOf(state), sorted(expected), `turn ${turn}`)
          for (let commit = 0; commit < 5; commit++) {
            const changes = Array.from({ length: 8 }, () => {
              const key = `${keys[next(keys.length)]}${next(3)}`
              const value = next(3) === 0 ? null : `${turn}.${commit}.${next(100)}`
              if (value === null) expected.delete(key)
              else expected.set(key, value)
              return change(key, value)
            })
            await owner.commit({ outputs: [], changes })
            assert.deepEqual(await contentOf(state), sorted(expected))
          }
          await state.close()
        }
        const reader = (await setup.reopen?.()) ?? log
        const state = await reader.openState('s', 0)
        assert.deepEqual(await contentOf(state), sorted(expected))
        const values = await reader.state('s', 0, [...expected.keys()])
        assert.deepEqual(
          new Map(texts([...values]) as [string, string][]),
          expected,
          'as those see it who do not own it',
        )
      }))

    it('has many keys and a large value', () =>
      withLog(open, async (log) => {
        const name = (index: number) => `key ${`${index}`.padStart(5, '0')}`
        const changes = Array.from({ length: 5000 }, (_, index) => {
          const number = (index * 1237) % 5000
          return change(name(number), `${number}`)
        })
        await log.commit({ outputs: [], changes: changes.slice(0, 3000) })
        const large = 'x'.repeat(500_000)
        await log.commit({ outputs: [], changes: [change('large', large)] })
        const state = await log.openState('s', 0)
        await log.commit({ outputs: [], changes: changes.slice(3000) })
        const found = await contentOf(state, { to: 'large', ...all })
        assert.deepEqual(
          found,
          changes.map((_, index) => [name(index), `${index}`]),
        )
        const page = await contentOf(state, { from: name(1000), limit: 1000 })
        assert.deepEqual(page, found.slice(1000, 2000))
        assert.equal((await state.get(['large'])).get('large')?.toString(), large)
      }))

    it('is not changed by a commit that is refused, nor by one of a member that is fenced', () =>
      withLog(open, async (log) => {
        await log.createTopic('in', { partitions: 1 })
        await log.createTopic('small', { partitions: 1, maxMessageBytes: 100 })
        const member = await joinAlone(log, 'g', [{ name: 'in', partitions: 1 }])
        const checkpoints = [{ topic: 'in', partition: 0, offset: 1, metadata: '' }]
        const changes = [change('k', 'kept')]
        const state = await log.openState('s', 0, { member })
        await log.commit({ outputs: [], changes, checkpoints, member })
        const tooLarge = [output('small', 0, ['x'.repeat(1000)])]
        const other = [change('k', 'refused')]
        const refused = log.commit({ outputs: tooLarge, changes: other, checkpoints, member })
        await refusedWith('MESSAGE_TOO_LARGE', refused)
        assert.deepEqual(await valuesOf(state, 'k'), { k: 'kept' }, 'refused: it can be used on')
        const elsewhere = [{ ...checkpoints[0]!, partition: 1 }]
        const fenced = log.commit({ outputs: [], changes: other, checkpoints: elsewhere, member })
        await refusedWith('MEMBER_FENCED', fenced)
        await state.close()
        const anew = await log.openState('s', 0, { member })
        assert.deepEqual(await valuesOf(anew, 'k'), { k: 'kept' })
        await log.commit({ outputs: [], changes: [change('k', 'on')], checkpoints, member })
        assert.deepEqual(await valuesOf(anew, 'k'), { k: 'on' })
      }))

    it('is empty after its store was deleted; asks nothing once it is closed', () =>
      withLog(open, async (log) => {
        await log.commit({ outputs: [], changes: [change('k', 'old')] })
        const state = await log.openState('s', 0)
        assert.deepEqual(await valuesOf(state, 'k'), { k: 'old' })
        await state.close()
        await state.close()
        await refusedWith('STATE_LOST', state.get(['k']))
        await refusedWith('STATE_LOST', state.scan(all))
        await log.deleteState('s')
        const anew = await log.openState('s', 0)
        assert.deepEqual(await contentOf(anew), [])
        await log.commit({ outputs: [], changes: [change('l', 'new')] })
        assert.deepEqual(await contentOf(anew), [['l', 'new']])
      }))

    it('is scanned by who does not own it, and tells its stores and sizes', () =>
      withLog(open, async (log, setup) => {
        const listed = async (range: StateRange) => texts(await log.scanState('s', 0, range))
        assert.deepEqual(await listed(all), [])
        assert.deepEqual(await log.stores(), [])
        assert.deepEqual(await log.stateSizes('s'), [])
        const put = (...changes: StateChange[]) => log.commit({ outputs: [], changes })
        await put(...keys.slice(3).map((key) => change(key, `of ${key}`)))
        await put(...keys.slice(0, 3).map((key) => change(key, `of ${key}`)))
        const place = [change('a', 'elsewhere', 's', 2), change('a', 'another', 'é s', 0)]
        await put(...place)
        const pairs = keys.map((key) => [key, `of ${key}`])
        assert.deepEqual(await listed(all), pairs)
        assert.deepEqual(await listed({ from: 'a\0b', to: 'ключ', limit: 100 }), pairs.slice(6, 11))
        assert.deepEqual(await listed({ from: 'z', limit: 4 }), pairs.slice(9, 13))
        assert.deepEqual(await listed({ limit: 0 }), [])
        const other = await another(log, setup)
        await other.commit({ outputs: [], changes: [change('b', null), change('bb', 'new')] })
        assert.deepEqual(await listed({ from: 'b', limit: 2 }), [
          ['bb', 'new'],
          ['z', 'of z'],
        ])
        assert.deepEqual(texts(await log.scanState('s', 2, all)), [['a', 'elsewhere']])
        assert.deepEqual(await log.stores(), ['s', 'é s'])
        const sizes = await log.stateSizes('s')
        const known = sizes.filter(({ partition }) => partition !== 1)
        assert.deepEqual(
          known.map(({ partition }) => partition),
          [0, 2],
        )
        for (const { partition, keys: count, sizeBytes } of known) {
          if (count !== undefined) assert.equal(count, partition === 0 ? keys.length : 1)
          if (sizeBytes !== undefined) assert.ok(sizeBytes >= (partition === 0 ? 100 : 10))
        }
        const many = Array.from({ length: 5000 }, (_, index) => {
          return change(`é ${10_000 + index}`, 'of a size', 'many', 3)
        })
        await put(...many)
        for (const { partition, keys: count, sizeBytes } of await log.stateSizes('many')) {
          if (count === undefined) continue
          assert.deepEqual([partition, count, sizeBytes], [3, 5000, 5000 * 17])
        }
        await log.deleteState('many')
        await log.deleteState('s')
        assert.deepEqual(await log.stores(), ['é s'])
        assert.deepEqual(await listed(all), [])
        assert.deepEqual(await log.stateSizes('s'), [])
      }))

    it('gives values that their reader may change', () =>
      withLog(open, async (log) => {
        const state = await log.openState('s', 0)
        await log.commit({ outputs: [], changes: [change('k', 'kept')] })
        const [[, scanned] = []] = await state.scan(all)
        scanned!.fill(0)
        ;(await state.get(['k'])).get('k')!.fill(0)
        assert.deepEqual(await valuesOf(state, 'k'), { k: 'kept' })
      }))
  })
}
