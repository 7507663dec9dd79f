import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { messagesOf } from '../core/message.ts'
import { checkName } from './checks.ts'
import { changelogOf, outputsOf, storeOf } from './kafka-changelog.ts'

describe('changelog of a store', () => {
  it('has the name of the store where a topic may have it', () => {
    assert.equal(changelogOf('score.by-author_7'), 'score.by-author_7.changelog')
    assert.equal(changelogOf('a b'), 'a_x20b.changelog')
    assert.equal(changelogOf('ключ'), '_xd0_xba_xd0_xbb_xd1_x8e_xd1_x87.changelog')
    assert.equal(storeOf('posts'), undefined)
  })

  it('is one of its own, from which the store is told', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 4, unit: 'grapheme' }),
      fc.constantFrom('_', '_x', '_x5f', 'x41', '.changelog', '/'),
    )
    const store = fc.array(piece, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(store, (name) => {
        const topic = changelogOf(name)
        assert.equal(storeOf(topic), name)
        // Longer ones are refused as names of topics, whatever they consist of.
        if (topic.length <= 249) checkName('topic', topic)
      }),
    )
  })

  it('gets the last change of each key, by store and partition; no value deletes', () => {
    const change = (store: string, partition: number, key: string, value: string | null) => {
      return { store, partition, key, value: value === null ? null : Buffer.from(value) }
    }
    const outputs = outputsOf(
      [
        change('s', 0, 'a', 'first'),
        change('s', 1, 'a', 'elsewhere'),
        change('s', 0, 'b', ''),
        change('s', 0, 'a', 'last'),
        change('t', 0, 'ключ', null),
      ],
      42,
    )
    const seen = outputs.map(({ topic, partition, batch }) => [
      `${topic}/${partition}`,
      ...[...messagesOf(batch)].map(({ key, value, time }) => {
        assert.equal(time, 42)
        return [key?.toString(), value?.toString() ?? null]
      }),
    ])
    assert.deepEqual(seen, [
      ['s.changelog/0', ['a', 'last'], ['b', '']],
      ['s.changelog/1', ['a', 'elsewhere']],
      ['t.changelog/0', ['ключ', null]],
    ])
    assert.deepEqual(outputsOf([], 42), [])
  })
})
