/** Too many requests of one client: 429 with when to come again, behind the token and the guards. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import type { Clock } from '../core/clock.ts'
import { createMemoryLog } from '../log/memory.ts'
import { type DoorLimits, door } from './door.ts'
import { testHost, testServer } from './server-testing.ts'

const token = 'a-token-for-a-test-0123456789'

/** A server whose clock stands still, and how clients with an address post to it. */
async function served(limits: Partial<DoorLimits>) {
  let nowMs = 1_700_000_000_000
  const clock: Clock = { now: () => nowMs, sleep: async () => {} }
  const log = createMemoryLog()
  await log.createTopic('in', { partitions: 1 })
  const { app } = testServer({ log, token, door: door({ log, clock, limits }) })
  const post = async (remoteAddress: string, more: Record<string, string> = {}, path = 'in') => {
    const incoming = Object.assign(Readable.from([Buffer.from('1')]), { socket: { remoteAddress } })
    const headers = {
      ...{ host: testHost, 'content-type': 'application/json' },
      ...{ authorization: `Bearer ${token}`, ...more },
    }
    const init = { method: 'POST', body: '1', headers }
    const answer = await app.request(`http://${testHost}/topics/${path}`, init, { incoming })
    const { code, accepted } = (await answer.json()) as { code?: string; accepted?: number }
    return { status: answer.status, headers: answer.headers, code, accepted }
  }
  return {
    post,
    count: async () => (await log.offsets('in', 0)).end,
    pass: (ms: number) => {
      nowMs += ms
    },
  }
}

const statuses = async (posts: readonly (() => Promise<{ status: number }>)[]) => {
  const seen: number[] = []
  for (const one of posts) seen.push((await one()).status)
  return seen
}

describe('the rate of one client', () => {
  it('above the limit: 429 with Retry-After, nothing appended, and 200 when it was heeded', async () => {
    const { post, pass, count } = await served({ requestsPerSecond: 0.2, burstRequests: 3 })
    const own = () => post('203.0.113.7')
    assert.deepEqual(await statuses([own, own, own]), [200, 200, 200])
    const refused = await own()
    assert.deepEqual([refused.status, refused.code], [429, 'TOO_MANY_REQUESTS'])
    assert.equal(refused.headers.get('retry-after'), '5')
    assert.equal(refused.headers.get('x-content-type-options'), 'nosniff')
    assert.equal(await count(), 3)
    pass(4000)
    const again = await own()
    assert.deepEqual([again.status, again.headers.get('retry-after')], [429, '1'])
    pass(1000)
    assert.deepEqual(await statuses([own, own]), [200, 429])
    assert.equal(await count(), 4)
    pass(1_000_000)
    assert.deepEqual(await statuses([own, own, own, own]), [200, 200, 200, 429])
  })

  it('is counted by address, of IPv6 by network, and of this machine not', async () => {
    const { post } = await served({ requestsPerSecond: 1, burstRequests: 1 })
    const from = (address: string) => () => post(address)
    const others = ['203.0.113.7', '203.0.113.8', '::ffff:203.0.113.7', '2001:db8::1']
    assert.deepEqual(await statuses(others.map(from)), [200, 200, 429, 200])
    const network = ['2001:db8:0:0:ffff::2', '2001:db8:0:1::1', '127.0.0.1', '127.0.0.1', '::1']
    assert.deepEqual(await statuses(network.map(from)), [429, 200, 200, 200, 200])
    const strict = await served({ requestsPerSecond: 1, burstRequests: 1, limitLoopback: true })
    const here = () => strict.post('127.0.0.1')
    assert.deepEqual(await statuses([here, here]), [200, 429])
  })

  it('also counts what is refused for another reason, but not for its token', async () => {
    const { post } = await served({ requestsPerSecond: 1, burstRequests: 2 })
    const address = '203.0.113.7'
    const wrong = () => post(address, { authorization: 'Bearer wrong' })
    const unknown = () => post(address, {}, 'none')
    const seen = await statuses([wrong, wrong, wrong, unknown, unknown, unknown])
    assert.deepEqual(seen, [401, 401, 401, 404, 404, 429])
  })

  it('does not tell clients by what they say of themselves', async () => {
    const { post } = await served({ requestsPerSecond: 1, burstRequests: 1 })
    const as = (name: string) => () => post('203.0.113.7', { 'x-forwarded-for': name })
    assert.deepEqual(await statuses([as('1.1.1.1'), as('2.2.2.2')]), [200, 429])
  })
})
