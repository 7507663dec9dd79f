import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { assign, type Ownership } from './assignment.ts'
import type { TopicPartition } from './log.ts'

const spread = (topic: string, count: number): TopicPartition[] =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }))

const numbersOf = (owned: readonly TopicPartition[]) =>
  new Set(owned.map(({ partition }) => partition))

const ownersOf = (target: ReadonlyMap<string, readonly TopicPartition[]>): Ownership[] =>
  [...target].flatMap(([memberId, owned]) => owned.map((one) => ({ ...one, memberId })))

const letters = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { minLength: 1 })
const counts = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 12 }))

describe('assignment', () => {
  it('gives every partition to one member, evenly, each number whole', () => {
    fc.assert(
      fc.property(counts, letters, letters, ([left, right], before, after) => {
        const partitions = [...spread('left', left), ...spread('right', right)]
        const first = assign(partitions, before, [])
        const target = assign(partitions, after, ownersOf(first))
        assert.equal([...target.values()].flat().length, partitions.length)
        const sizes = [...target.values()].map((owned) => numbersOf(owned).size)
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
        const total = sizes.reduce((sum, size) => sum + size, 0)
        assert.equal(total, Math.max(left, right), 'a number has one owner in all topics')
      }),
    )
  })

  it('moves nothing while the members stay, and no more than it must when they change', () => {
    fc.assert(
      fc.property(counts, letters, letters, ([left, right], before, after) => {
        const partitions = [...spread('left', left), ...spread('right', right)]
        const first = assign(partitions, before, [])
        assert.deepEqual(assign(partitions, before, ownersOf(first)), first)
        const second = assign(partitions, after, ownersOf(first))
        const total = Math.max(left, right)
        const least = Math.floor(total / after.length)
        for (const member of after) {
          const had = numbersOf(first.get(member) ?? [])
          const has = numbersOf(second.get(member)!)
          const kept = [...has].filter((number) => had.has(number)).length
          assert.ok(kept >= Math.min(had.size, least), 'up to its share a member keeps what it had')
        }
      }),
    )
  })

  it('is the same in every process', () => {
    const partitions = [...spread('in', 5), ...spread('also', 3)]
    const owners = [
      { topic: 'in', partition: 4, memberId: 'b' },
      { topic: 'in', partition: 0, memberId: 'gone' },
    ]
    const target = assign(partitions, ['a', 'b'], owners)
    assert.deepEqual(numbersOf(target.get('b')!), new Set([4, 0, 1]))
    assert.deepEqual(numbersOf(target.get('a')!), new Set([2, 3]))
    assert.deepEqual(assign(partitions, [], owners), new Map())
  })

  it('leaves a number that several hold with whoever has it in most topics', () => {
    const partitions = ['x', 'y', 'z'].flatMap((topic) => spread(topic, 1))
    const owners = partitions.map((one) => ({ ...one, memberId: one.topic === 'x' ? 'a' : 'b' }))
    assert.equal(assign(partitions, ['a', 'b'], owners).get('b')!.length, 3)
  })

  it('leaves an exclusive group with whoever has it', () => {
    const partitions = spread('in', 4)
    const alone = assign(partitions, ['a', 'b'], [], true)
    assert.deepEqual([alone.get('a')!.length, alone.get('b')!.length], [4, 0])
    const kept = assign(partitions, ['c', 'a', 'b'], ownersOf(alone), true)
    assert.deepEqual([kept.get('a')!.length, kept.get('c')!.length], [4, 0])
  })
})
