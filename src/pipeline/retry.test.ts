import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fail } from '../core/errors.ts'
import { giveUpAfterMs, type RetryContext, retry, Stopped } from './retry.ts'
import { DeadLetterShare } from './share.ts'

/** A clock that only moves when somebody sleeps. */
function testContext() {
  const waits: number[] = []
  let now = 0
  const stopping = new AbortController()
  const context: RetryContext = {
    clock: {
      now: () => now,
      async sleep(waitMs) {
        waits.push(waitMs)
        now += waitMs
      },
    },
    random: () => 0.5,
    signal: stopping.signal,
    waiting: () => undefined,
  }
  return { context, waits, stopping }
}

const busy = (waitMs = 0) => fail('LOG_BUSY', 'busy', { waitMs })

describe('retry', () => {
  it('waits longer each time, at least as long as it is asked, and gives what comes at last', async () => {
    const { context, waits } = testContext()
    let tries = 0
    const result = await retry(
      'work',
      () => (++tries < 5 ? Promise.reject(busy(300)) : 'done'),
      context,
    )
    assert.equal(result, 'done')
    assert.deepEqual(waits, [300, 300, 300, 400])
  })

  it('gives up after a bound, and says what the last try said', async () => {
    const { context, waits } = testContext()
    await assert.rejects(
      retry('work', () => Promise.reject(busy()), context),
      {
        code: 'TRIES_EXHAUSTED',
        message: /work: gave up after \d+ tries in 15 minutes; the last one said: busy/,
      },
    )
    assert.ok(waits.reduce((sum, waitMs) => sum + waitMs) >= giveUpAfterMs)
    assert.ok(Math.max(...waits) <= 10_000)
  })

  it('passes on what is no order to wait, at once', async () => {
    const { context, waits } = testContext()
    await assert.rejects(
      retry('work', () => Promise.reject(new RangeError('no')), context),
      RangeError,
    )
    assert.deepEqual(waits, [])
  })

  it('drops the work when the lane has to stop', async () => {
    const { context, stopping } = testContext()
    stopping.abort()
    await assert.rejects(
      retry('work', () => Promise.reject(busy()), context),
      Stopped,
    )
  })
})

describe('the share of dead letters', () => {
  const failure = { origin: 0, id: 'x', step: 1, error: 'RangeError', message: 'no' }
  const stops = { code: 'TOO_MANY_DEAD_LETTERS', message: /RangeError: no/ }

  it('stops above the bound of the last 1,000 messages, not of all', () => {
    const share = new DeadLetterShare('p', 0.5)
    for (let batch = 0; batch < 50; batch++) share.add(100, batch % 2 === 0 ? 90 : 0, failure)
    share.add(100, 45, failure)
    assert.throws(() => share.add(100, 100, failure), stops)
  })

  it('forgets what lies behind', () => {
    const share = new DeadLetterShare('p', 0.5)
    share.add(500, 500, failure)
    share.add(1000, 0, undefined)
    share.add(500, 400, failure)
    assert.throws(() => share.add(200, 200, failure), stops)
  })

  it('does not stop for a few in a small stream', () => {
    new DeadLetterShare('p', 0.5).add(20, 20, failure)
  })
})
