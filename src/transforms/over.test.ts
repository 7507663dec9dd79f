/** What a definition of several aggregates promises beyond the law: all or none, and names in errors. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { type Aggregator, aggregateOf, type Over } from './aggregators.ts'

interface Post {
  readonly author: string
  readonly likes: number | null
}

describe('aggregateOf', () => {
  const aggregate = aggregateOf((over: Over<Post>) => ({
    posts: over.count(),
    likes: over.sum((p) => p.likes),
    authors: over.distinct((p) => {
      if (p.author === '') throw new TypeError('no author')
      return p.author
    }),
    liked: over.count((p) => p.likes),
    since: over.timeSince(),
  }))

  it('reckons everything from the same messages', () => {
    let state = aggregate.start()
    state = aggregate.add(state, { author: 'ada', likes: 3 }, 10)
    state = aggregate.add(state, { author: 'bob', likes: null }, 14)
    const result = aggregate.result(state, 20)
    assert.deepEqual(result, { posts: 2, likes: 3, authors: 2, liked: 1, since: 6 })
  })

  it('adds a message to all or to none', () => {
    const state = aggregate.start()
    aggregate.add(state, { author: 'ada', likes: 3 }, 10)
    const saved = JSON.stringify(aggregate.save(state))
    const isRefused = (error: Error) =>
      codeOf(error) === 'AGGREGATE_INPUT_INVALID' && /^likes: sum: .*NaN/.test(error.message)
    assert.throws(() => aggregate.add(state, { author: 'b', likes: Number.NaN }, 11), isRefused)
    assert.throws(() => aggregate.add(state, { author: '', likes: 1 }, 12), /^TypeError: no author/)
    assert.equal(JSON.stringify(aggregate.save(state)), saved)
  })

  it('says what a wrong value is', () => {
    const messages = [10n, new Date(0), '5', Promise.resolve(1), {}, Number.POSITIVE_INFINITY].map(
      (likes) => {
        try {
          aggregate.check({ author: 'a', likes: likes as number })
        } catch (error) {
          return (error as Error).message
        }
        return ''
      },
    )
    const words = [/Number/, /getTime/, /the text "5"/, /promise/, /an object/, /Infinity/]
    messages.forEach((message, index) => {
      assert.match(message, words[index]!)
    })
  })

  it('has a name that does not depend on the order of its fields', () => {
    const one = aggregateOf((over: Over<Post>) => ({ a: over.count(), b: over.timeSince() }))
    const other = aggregateOf((over: Over<Post>) => ({ b: over.timeSince(), a: over.count() }))
    const third = aggregateOf((over: Over<Post>) => ({ a: over.timeSince(), b: over.count() }))
    assert.equal(one.name, '{ a: count v1, b: timeSince v1 }')
    assert.equal(one.name, other.name)
    assert.notEqual(one.name, third.name)
    assert.deepEqual(one.fields.a, { name: 'count', version: 1, order: 'any' })
  })

  it('does not load the state of other fields', () => {
    const one = aggregateOf((over: Over<Post>) => ({ likes: over.sum((p) => p.likes) }))
    const other = aggregateOf((over: Over<Post>) => ({ shares: over.sum((p) => p.likes) }))
    assert.throws(
      () => other.load(one.save(one.start())),
      (error) => codeOf(error) === 'STATE_UNREADABLE',
    )
  })

  it('takes an aggregator of yours, and conditions within conditions', () => {
    const longest: Aggregator<string | undefined, string, { text: string }> = {
      name: 'longest',
      version: 3,
      order: 'ties',
      start: () => ({ text: '' }),
      check() {},
      add(state, value, _timeMs) {
        if (value !== undefined && value.length > state.text.length) state.text = value
        return state
      },
      merge: (one, other) => (other.text.length > one.text.length ? other : one),
      result: ({ text }) => text,
      save: ({ text }) => text,
      load: (saved) => ({ text: String(saved) }),
    }
    const own = aggregateOf((over: Over<Post>) => ({
      author: over
        .where((p) => p.author !== 'anonymous')
        .where((p) => p.likes !== null)
        .with(longest, (p) => p.author),
    }))
    const state = own.start()
    own.add(state, { author: 'anonymous', likes: 1 }, 0)
    own.add(state, { author: 'ada', likes: 1 }, 0)
    own.add(state, { author: 'barbara', likes: null }, 0)
    assert.deepEqual(own.result(state, 0), { author: 'ada' })
    assert.equal(own.order, 'ties')
    assert.equal(own.name, '{ author: longest v3 }')
  })

  it('refuses a definition of nothing', () => {
    const isRefused = (error: unknown) => codeOf(error) === 'PIPELINE_INVALID'
    assert.throws(() => aggregateOf(() => ({})), isRefused)
    const wrong = () => aggregateOf((over: Over<Post>) => ({ ['__proto__']: over.count() }))
    assert.throws(wrong, isRefused)
  })
})
