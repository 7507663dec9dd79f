/** Keyed state with its cache and commits in flight, beside a plain map. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import { compareKeys } from '../core/key-order.ts'
import type { OwnedState, StateChange, StateEntry, StateRange } from '../log/log.ts'
import { limitOf } from '../log/owned-state.ts'
import type { StateForm } from '../transforms/keyed-state.ts'
import { KeyedStore } from './keyed-store.ts'
import { formKey } from './state-form.ts'

/** What is committed; `meanwhile` runs in the middle of a call, before or after it looks. */
class Committed implements OwnedState {
  readonly values = new Map<string, Buffer>()
  readonly asked: string[] = []
  meanwhile = () => {}
  looksFirst = false
  isClosed = false

  async get(keys: readonly string[]): Promise<Map<string, Buffer>> {
    this.asked.push(...keys)
    return this.#look(
      () =>
        new Map(
          keys.filter((key) => this.values.has(key)).map((key) => [key, this.values.get(key)!]),
        ),
    )
  }

  async scan(range: StateRange): Promise<readonly StateEntry[]> {
    const { from = '', to } = range
    return this.#look(() =>
      [...this.values]
        .filter(([key]) => bytesOf(key).compare(bytesOf(from)) >= 0)
        .filter(([key]) => to === undefined || bytesOf(key).compare(bytesOf(to)) < 0)
        .sort(([one], [other]) => bytesOf(one).compare(bytesOf(other)))
        .slice(0, limitOf(range)),
    )
  }

  async close(): Promise<void> {
    this.isClosed = true
  }

  apply(changes: readonly StateChange[]): void {
    for (const { key, value } of changes) {
      if (value === null) this.values.delete(key)
      else this.values.set(key, Buffer.from(value))
    }
  }

  async #look<Found>(look: () => Found): Promise<Found> {
    const found = this.looksFirst ? look() : undefined
    await undefined
    this.meanwhile()
    await undefined
    return found ?? look()
  }
}

const bytesOf = (key: string) => Buffer.from(key)

/** Live values that change in place. */
interface Value {
  number: number
}

const form: StateForm<Value> = {
  ...{ name: 'numbers', version: 1 },
  encode: ({ number }) => Buffer.from(JSON.stringify(number)),
  decode: (bytes) => ({ number: JSON.parse(bytes.toString()) as number }),
}

const names = [
  '',
  'a',
  'aa',
  'b',
  '"',
  ' ',
  'k/ü',
  'k/\u{1F600}',
  'k/\uFFEE',
  'k/\uD7FF',
  'z',
  'z\0',
]
const key = fc.constantFrom(...names)
const stroke = fc.oneof(
  fc.record({ kind: fc.constant('load' as const), keys: fc.array(key, { maxLength: 4 }) }),
  { arbitrary: fc.record({ kind: fc.constant('set' as const), key }), weight: 3 },
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.record({
    ...{ kind: fc.constant('scan' as const), from: key, to: key },
    limit: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({ kind: fc.constant('take' as const) }),
  { arbitrary: fc.record({ kind: fc.constant('end' as const) }), weight: 2 },
)
const strokes = fc.array(fc.record({ stroke, ends: fc.nat(2), looksFirst: fc.boolean() }), {
  maxLength: 80,
  size: 'max',
})

/** Commits end in order, in two steps: what they hold is there, and then the store hears of it. */
class Commits {
  readonly #state: Committed
  readonly #store: KeyedStore<Value>
  readonly #waiting: StateChange[][] = []
  #isApplied = false

  constructor(state: Committed, store: KeyedStore<Value>) {
    this.#state = state
    this.#store = store
  }

  get underWay(): number {
    return this.#waiting.length
  }

  begin(): void {
    if (this.underWay === 2) this.end()
    this.#waiting.push(this.#store.take())
  }

  step(): void {
    if (this.underWay === 0) return
    if (!this.#isApplied) this.#state.apply(this.#waiting[0]!)
    else {
      this.#waiting.shift()
      this.#store.committed()
    }
    this.#isApplied = !this.#isApplied
  }

  end(): void {
    do this.step()
    while (this.#isApplied)
  }
}

describe('compareKeys', () => {
  it('orders well-formed text as its UTF-8 bytes', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('\uD7FF', '\uE000', '\uFFFF', '\u{10000}', 'a'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      ),
    })
    fc.assert(
      fc.property(text, text, (one, other) => {
        assert.equal(Math.sign(compareKeys(one, other)), bytesOf(one).compare(bytesOf(other)))
      }),
    )
  })
})

describe('KeyedStore', () => {
  it('is a map, whatever is committed, dropped or under way', () =>
    fc.assert(
      fc.asyncProperty(strokes, fc.integer({ min: 1, max: 6 }), async (moves, mostKept) => {
        const state = new Committed()
        const options = { state, form, store: 'p.s', partition: 0, mostKept: () => mostKept }
        const store = await KeyedStore.open(options)
        const commits = new Commits(state, store)
        const model = new Map<string, number>()
        let number = 0
        let loaded: string[] = []
        for (const { stroke, ends, looksFirst } of moves) {
          state.looksFirst = looksFirst
          state.meanwhile = () => {
            for (let step = 0; step < ends; step++) commits.step()
          }
          if (stroke.kind === 'load') {
            await store.load(stroke.keys)
            loaded = stroke.keys
          } else if (stroke.kind === 'set') {
            const known = loaded.includes(stroke.key) ? store.get(stroke.key) : undefined
            const value = known ?? { number: 0 }
            value.number = ++number
            store.set(stroke.key, value)
            model.set(stroke.key, number)
          } else if (stroke.kind === 'delete') {
            store.delete(stroke.key)
            model.delete(stroke.key)
          } else if (stroke.kind === 'scan') {
            const found = await store.scan(stroke.from, stroke.to, stroke.limit)
            const expected = [...model]
              .filter(([key]) => bytesOf(key).compare(bytesOf(stroke.from)) >= 0)
              .filter(([key]) => bytesOf(key).compare(bytesOf(stroke.to)) < 0)
              .sort(([one], [other]) => bytesOf(one).compare(bytesOf(other)))
              .slice(0, stroke.limit)
            assert.deepEqual(
              found.map(([key, { number }]) => [key, number]),
              expected,
            )
            for (const [key, value] of found)
              assert.equal(store.get(key), value, 'counts as loaded')
          } else if (stroke.kind === 'take') commits.begin()
          else commits.end()
          for (const key of loaded) assert.equal(store.get(key)?.number, model.get(key))
        }
        commits.begin()
        while (commits.underWay > 0) commits.end()
        const kept = [...state.values].filter(([key]) => key !== formKey)
        assert.deepEqual(new Map(kept.map(([key, bytes]) => [key, Number(bytes)])), model)
        await store.load([])
        assert.ok(store.size <= mostKept, `${store.size} are kept, ${mostKept} may be`)
      }),
      { numRuns: 400 },
    ))

  it('drops what was used longest ago, and nothing of a commit under way', async () => {
    const state = new Committed()
    const options = { state, form, store: 'p.s', partition: 0, mostKept: () => 3 }
    const store = await KeyedStore.open(options)
    await store.load(['a', 'b', 'c'])
    store.set('a', { number: 1 })
    store.take()
    await store.load(['b'])
    await store.load(['d'])
    state.asked.length = 0
    // The oldest is of the commit under way, so nothing was dropped.
    await store.load(['a', 'b', 'c', 'd'])
    assert.deepEqual(state.asked, [])
    store.committed()
    await store.load(['b', 'e'])
    await store.load(['b', 'd', 'e'])
    assert.deepEqual(state.asked, ['e'])
    await store.load(['a'])
    assert.deepEqual(state.asked, ['e', 'a'])
  })

  it('keeps nothing that was only written, once it is committed', async () => {
    const state = new Committed()
    const store = await KeyedStore.open({ state, form, store: 'p.s', partition: 0 })
    await store.load(['a'])
    store.set('a', { number: 1 })
    store.set('timer', { number: 2 })
    state.apply(store.take())
    await store.load([])
    assert.equal(store.size, 2, 'its commit is under way')
    store.committed()
    await store.load([])
    assert.equal(store.size, 1)
    await store.load(['a', 'timer'])
    assert.deepEqual([store.get('a'), store.get('timer')], [{ number: 1 }, { number: 2 }])
  })

  it('commits no deletion of what was never committed', async () => {
    const state = new Committed()
    const store = await KeyedStore.open({ state, form, store: 'p.s', partition: 0 })
    await store.load(['a', 'b'])
    store.set('a', { number: 1 })
    store.delete('a')
    store.delete('b')
    store.delete('c')
    assert.deepEqual(
      store.take().map(({ key, value }) => [key, value === null]),
      [
        [formKey, false],
        ['c', true],
      ],
    )
    store.set('a', { number: 2 })
    assert.equal(store.take().length, 1)
    store.delete('a')
    assert.deepEqual(
      store.take().map(({ value }) => value),
      [null],
    )
  })

  it('closes the state', async () => {
    const state = new Committed()
    const store = await KeyedStore.open({ state, form, store: 'p.s', partition: 0 })
    await store.close()
    assert.ok(state.isClosed)
  })
})

describe('the form of state', () => {
  const openedWith = async (state: Committed, other: Partial<StateForm<Value>> = {}) =>
    KeyedStore.open({ state, form: { ...form, ...other }, store: 'posts.by-author', partition: 0 })

  it('is written with the first change, once', async () => {
    const state = new Committed()
    const store = await openedWith(state)
    assert.deepEqual(store.take(), [])
    store.set('a', { number: 1 })
    const changes = store.take()
    assert.deepEqual(
      changes.map(({ key }) => key),
      [formKey, 'a'],
    )
    state.apply(changes)
    store.set('a', { number: 2 })
    assert.deepEqual(
      store.take().map(({ key }) => key),
      ['a'],
    )
    const again = await openedWith(state)
    again.set('a', { number: 3 })
    assert.deepEqual(
      again.take().map(({ key }) => key),
      ['a'],
    )
  })

  it('is refused where it is another, is missing or cannot be read', async () => {
    const state = new Committed()
    const store = await openedWith(state)
    store.set('a', { number: 1 })
    state.apply(store.take())
    const differs = (words: RegExp) => (error: Error) => {
      assert.equal(codeOf(error), 'STATE_DIFFERS')
      assert.match(error.message, words)
      return true
    }
    const words = /posts\.by-author: .* by 'numbers', the step is now 'sums'; .*--fresh/
    await assert.rejects(openedWith(state, { name: 'sums' }), differs(words))
    await assert.rejects(
      openedWith(state, { version: 2 }),
      differs(/of version 1, the step now says 2 .* give it migrate/),
    )
    state.values.set(formKey, Buffer.from('[]'))
    await assert.rejects(openedWith(state), differs(/what it says of itself/))
    state.values.delete(formKey)
    await assert.rejects(openedWith(state), differs(/does not say what wrote it/))
  })

  it('is no key of the step', async () => {
    const store = await openedWith(new Committed())
    assert.throws(() => store.set(formKey, { number: 1 }), /reserved/)
  })
})
