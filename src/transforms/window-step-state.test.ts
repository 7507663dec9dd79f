/** What window steps leave in their state, when they look into it, and what they refuse to read. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import type { Aggregator } from './aggregator.ts'
import { count } from './aggregators.ts'
import { MemoryKeyedState } from './keyed-state-testing.ts'
import { readTimeKey, timeKey, timeKeyLength } from './time-key.ts'
import { calendar, hopping, session, sliding, tumbling, type Window } from './window.ts'
import { type WindowInput, type WindowResult, windowStep } from './window-step.ts'

const aggregator = count() as Aggregator<unknown, unknown>

/** Messages of the key 'k', at these times. */
const at = (timesMs: readonly number[], watermarkMs = Number.NEGATIVE_INFINITY): WindowInput => ({
  count: timesMs.length,
  keys: timesMs.map(() => 'k'),
  values: timesMs.map(() => 1),
  timesMs,
  watermarksMs: timesMs.map(() => watermarkMs),
})

function opened(window: Window) {
  const step = windowStep(window, aggregator)
  const state = new MemoryKeyedState(step.form)
  const results: WindowResult[] = []
  const late: number[] = []
  const output = {
    late: (row: number) => late.push(row),
    failed: (_: number, error: unknown) => assert.fail(String(error)),
    result: (result: WindowResult) => results.push(result),
    gone: () => assert.fail('nothing was given up'),
  }
  return {
    ...{ step, state, results, late },
    take: (input: WindowInput, closedMs = Number.NEGATIVE_INFINITY) =>
      step.take(state, input, closedMs, output),
    close: (watermarkMs: number, limit = 100) => step.close(state, watermarkMs, limit, output),
  }
}

const all: readonly Window[] = [
  tumbling(10),
  hopping(10, { every: 5 }),
  calendar('day', { timeZone: 'UTC' }),
  session({ gap: 10 }),
  sliding(10),
]

describe('timeKey', () => {
  it('has the order of times, and gives them back', () => {
    const times = fc.maxSafeInteger()
    fc.assert(
      fc.property(times, times, (one, other) => {
        const [a, b] = [timeKey(one), timeKey(other)]
        assert.equal(a < b, one < other)
        assert.equal(readTimeKey(`t/${a}/k`, 2), one)
        assert.equal(a.length, timeKeyLength)
        assert.ok(timeKey(-Infinity) <= a && a < timeKey(Infinity))
      }),
    )
    assert.ok(Number.isNaN(readTimeKey('k/some')))
  })
})

for (const window of all) {
  describe(`the state of a ${window.kind} window`, () => {
    it('is looked through only where something may close', async () => {
      const { state, take, close, results } = opened(window)
      await take(at([100, 101]))
      await close(90)
      const { scans } = state
      for (let watermarkMs = 91; watermarkMs <= 100; watermarkMs++) await close(watermarkMs)
      assert.equal(state.scans, scans, 'nothing could close')
      assert.equal(results.length, 0)
      await close(1e12)
      assert.ok(state.scans > scans)
      assert.ok(results.length > 0)
      const after = state.scans
      await close(1e12)
      await close(1e12)
      assert.ok(state.scans <= after + 2, 'it is known to be empty')
      assert.equal(state.size, 0)
    })

    it('closes what was there before, and what comes in behind what was looked at', async () => {
      const { take, close, results } = opened(window)
      await close(5)
      await take(at([100]))
      await close(1e12)
      const before = results.length
      assert.ok(before > 0)
      // Whoever says that nothing was closed has it closed all the same.
      await take(at([50]))
      await close(1e12)
      assert.ok(results.length > before)
    })

    it('takes nothing that only closed windows could', async () => {
      const { take, late, results, state } = opened(window)
      await take(at([100]), 1e9)
      await take(at([100], 1e9))
      assert.deepEqual(late, [0, 0])
      assert.equal(state.size, 0)
      assert.equal(results.length, 0)
    })

    it('gives no more at once than it may', async () => {
      const { take, close, results } = opened(window)
      await take(at(Array.from({ length: 20 }, (_, index) => index * 86_400_000)))
      let given = 0
      while (await close(1e12, 3)) {
        assert.ok(results.length <= given + 3)
        given = results.length
      }
      assert.ok(results.length >= 12)
    })

    it('is refused where it cannot be read', () => {
      const { form } = windowStep(window, aggregator)
      const wrong = [
        '',
        'null',
        '2',
        '[1]',
        '[1,2]',
        '[[1]]',
        '{}',
        '[-1,0,1]',
        '[1,0,1,1]',
        '[1,[[1]]]',
      ]
      for (const bytes of wrong) {
        const isRefused = (error: unknown) => codeOf(error) === 'STATE_UNREADABLE'
        assert.throws(() => form.decode(Buffer.from(bytes)), isRefused, bytes)
      }
    })
  })
}

describe('what state of windows belongs to', () => {
  it('is told by the window and the aggregate, not by when results are emitted', () => {
    const name = (window: Window) => windowStep(window, aggregator).form.name
    const hopped = hopping('1h', { every: '5m', lateness: '1m' })
    const parameters = 'everyMs 300000, latenessMs 60000, offsetMs 0, sizeMs 3600000'
    assert.equal(name(hopped), `hopping window (${parameters}) of count v1`)
    assert.equal(name({ ...hopped, emit: 'current' }), name(hopped))
    assert.notEqual(name({ ...hopped, latenessMs: 0 }), name(hopped))
    assert.equal(name(session({ gap: 5 })), 'session window (gapMs 5, latenessMs 0) of count v1')
  })

  it('one that emits final results goes on as one that emits current ones', async () => {
    for (const window of [tumbling(10), session({ gap: 10 }), sliding(10)]) {
      const { state, take, results } = opened(window)
      await take(at([1, 2, 40, 41]))
      assert.equal(results.length, 0)
      const current = windowStep({ ...window, emit: 'current' }, aggregator)
      const none = () => assert.fail()
      const held = new Map<number, number>()
      const output = {
        ...{ late: none, failed: none, gone: none },
        result: ({ startMs, revision }: WindowResult) => held.set(startMs, revision),
      }
      await current.take(state, at([42]), Number.NEGATIVE_INFINITY, output)
      await current.close(state, Number.POSITIVE_INFINITY, 100, output)
      const plain = opened(window)
      await plain.take(at([1, 2, 40, 41, 42]))
      await plain.close(Number.POSITIVE_INFINITY)
      const final = new Map(plain.results.map(({ startMs, revision }) => [startMs, revision]))
      assert.deepEqual(held, final)
    }
  })
})
