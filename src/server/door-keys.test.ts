import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Clock } from '../core/clock.ts'
import { openEmbeddedLog } from '../log/embedded.ts'
import type { Log } from '../log/log.ts'
import { keptIn, linesType, TestProcess, withMemory } from './door-testing.ts'

const withKey = (key: string) => ({ headers: { 'Idempotency-Key': key } })

/** Days pass by hand; who waits is not to keep others from working. */
function clockOf(now: () => number): Clock {
  return { now, sleep: () => new Promise((resolve) => setTimeout(resolve, 1)) }
}

/** Names of all that the book keeps, of keys that were given the numbers up to `upTo`. */
async function bookOf(log: Log, keys: readonly string[], upTo: number): Promise<string[]> {
  const identity = (await log.topic('in'))!.identity
  const rows = Array.from({ length: upTo }, (_, number) => `n/${number}`)
  const names = [...keys.map((key) => `a/${identity}/${key}`), ...rows]
  return [...(await log.state('millrace.door', 0, names)).keys()]
}

describe('door: Idempotency-Key', () => {
  it('gives the first answer again and appends nothing, also after a restart', () =>
    withMemory(async (process, another) => {
      const lines = '1\n2\n3'
      const first = await process.post('/in', lines, { type: linesType, ...withKey('"k-1"') })
      assert.equal(first.headers.get('idempotency-replayed'), null)
      process.end()
      for (const [next, key] of [
        [process, 'other'],
        [another(), 'k-1'],
        [another(), '"k-1"'],
      ] as const) {
        const again = await next.post('/in', lines, { type: linesType, ...withKey(key) })
        if (next === process) {
          assert.equal(again.status, 503, 'a door that closes takes no more')
          continue
        }
        assert.equal(again.status, 200)
        assert.equal(again.headers.get('idempotency-replayed'), 'true')
        assert.deepEqual(again.body, first.body)
      }
      assert.equal((await keptIn(process.log, 'in')).length, 3)
    }))

  it('is refused with another request: 422; under another topic it is another key', () =>
    withMemory(async (process) => {
      await process.log.createTopic('other', { partitions: 1 })
      await process.post('/in', '1', withKey('k'))
      for (const [path, text, type] of [
        ['/in', '2', undefined],
        ['/in?key=a', '1', undefined],
        ['/in', '1', linesType],
      ] as const) {
        const knock = { ...withKey('k'), ...(type === undefined ? {} : { type }) }
        const answer = await process.post(path, text, knock)
        assert.equal(answer.status, 422)
        assert.equal(answer.body.code, 'IDEMPOTENCY_KEY_REUSED')
      }
      assert.equal((await process.post('/other', '2', withKey('k'))).status, 200)
      assert.equal((await keptIn(process.log, 'in')).length, 1)
      await process.log.deleteTopic('in')
      await process.log.createTopic('in', { partitions: 1 })
      assert.equal((await process.post('/in', '2', withKey('k'))).status, 200, 'a new topic')
    }))

  it('while the first is under way: 409; what failed may be sent again', () =>
    withMemory(async (process) => {
      const posts = [1, 2, 3].map(() => process.post('/in', '1', withKey('k')))
      const statuses = (await Promise.all(posts)).map(({ status }) => status)
      assert.deepEqual(statuses, [200, 409, 409])
      const commit = process.log.commit
      process.log.commit = () => Promise.reject(new Error('broken'))
      assert.equal((await process.app.request('/in', request('bad'))).status, 500)
      process.log.commit = commit
      assert.equal((await process.post('/in', '1', withKey('bad'))).status, 200)
      assert.equal((await process.post('/in', '{', withKey('invalid'))).status, 400)
      assert.equal((await process.post('/in', '{}', withKey('invalid'))).status, 200)
    }))

  it('from two processes at once, many keys: each is appended once, answers agree', () =>
    withMemory(async (first, another) => {
      const second = another()
      const posts = Array.from({ length: 60 }, (_, n) => {
        const process = n % 2 === 0 ? first : second
        return process.post('/in', `${Math.floor(n / 2)}`, withKey(`k${Math.floor(n / 2)}`))
      })
      const answers = await Promise.all(posts)
      for (let n = 0; n < 60; n += 2) {
        assert.deepEqual([answers[n]!.status, answers[n + 1]!.status], [200, 200])
        assert.deepEqual(answers[n]!.body, answers[n + 1]!.body)
      }
      assert.equal((await keptIn(first.log, 'in')).length, 30)
      const replays = answers.filter(({ headers }) => headers.has('idempotency-replayed'))
      assert.equal(replays.length, 30)
    }))

  it('a process whose turn was taken away meanwhile appends nothing twice', () =>
    withMemory(async (process) => {
      const commit = process.log.commit.bind(process.log)
      let fences = 0
      process.log.commit = async (one) => {
        if (one.member !== undefined && fences++ < 2) await one.member.leave()
        return commit(one)
      }
      const posts = [1, 2, 3].map((n) => process.post('/in', `${n}`, withKey(`k${n}`)))
      const statuses = (await Promise.all(posts)).map(({ status }) => status)
      assert.deepEqual(statuses, [200, 200, 200])
      assert.ok(fences > 2)
      assert.equal((await keptIn(process.log, 'in')).length, 3)
    }))

  it('forgets after a day, and the oldest when there are too many; nothing is left behind', async () => {
    let now = 1_700_000_000_000
    const clock = clockOf(() => now)
    const keys = Array.from({ length: 40 }, (_, n) => `k${n}`)
    await withMemory(
      async (process) => {
        for (const key of keys) await process.post('/in', '1', withKey(key))
        const kept = await bookOf(process.log, keys, 100)
        assert.equal(kept.length, 20, 'ten keys, ten rows')
        assert.ok(kept.at(-1) === 'n/39')
        const again = await process.post('/in', '1', withKey('k39'))
        assert.equal(again.headers.get('idempotency-replayed'), 'true')
        now += 24 * 60 * 60 * 1000
        const old = await process.post('/in', '2', withKey('k39'))
        assert.equal(old.status, 200, 'too old to count: a new request')
        for (const key of keys.slice(0, 10)) await process.post('/in', '1', withKey(key))
        const left = await bookOf(process.log, keys, 100)
        assert.equal(left.length, 20)
        const renewed = await process.post('/in', '2', withKey('k39'))
        assert.equal(renewed.status, 200)
      },
      { clock, limits: { keys: 10 } },
    )
  })

  it('an entry that is made anew is not swept with the old one', async () => {
    let now = 1_700_000_000_000
    await withMemory(
      async (process) => {
        for (const key of ['a', 'b', 'c', 'd', 'e']) await process.post('/in', '1', withKey(key))
        now += 24 * 60 * 60 * 1000
        const first = await process.post('/in', '2', withKey('e'))
        for (const key of ['f', 'g', 'h']) await process.post('/in', '1', withKey(key))
        const again = await process.post('/in', '2', withKey('e'))
        assert.deepEqual(again.body, first.body)
      },
      { clock: clockOf(() => now) },
    )
  })

  it('a process that is never idle gives way', async () => {
    await withMemory(
      async (first, another) => {
        await first.post('/in', '0', withKey('0'))
        let isAnswered = false
        const other = another().post('/in', '1', withKey('other'))
        other.finally(() => {
          isAnswered = true
        })
        for (let n = 0; !isAnswered; n++) {
          assert.equal((await first.post('/in', '1', withKey(`k${n}`))).status, 200)
          // Between two requests of a real client the event loop turns.
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
        assert.equal((await other).status, 200)
      },
      { limits: { turnMs: 3000 } },
    )
  })

  it('any order of requests, restarts and days: an answer belongs to its first request', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record({
              key: fc.integer({ min: 0, max: 6 }),
              process: fc.integer({ min: 0, max: 1 }),
            }),
            fc.constant('restart' as const),
            fc.constant('day' as const),
          ),
          { maxLength: 25 },
        ),
        async (steps) => {
          let now = 1_700_000_000_000
          const clock = clockOf(() => now)
          await withMemory(
            async (first, another) => {
              const processes = [first, another()]
              const known = new Map<number, unknown>()
              let appended = 0
              for (const step of steps) {
                if (step === 'day') {
                  now += 24 * 60 * 60 * 1000
                  known.clear()
                } else if (step === 'restart') {
                  for (const process of processes) process.end()
                  processes.splice(0, 2, another(), another())
                } else {
                  const { key, process } = step
                  const { body, status } = await processes[process]!.post(
                    ...(['/in', `${key}`, withKey(`${key}`)] as const),
                  )
                  assert.equal(status, 200)
                  if (!known.has(key)) {
                    known.set(key, body)
                    appended++
                  }
                  assert.deepEqual(body, known.get(key))
                }
              }
              assert.equal((await keptIn(first.log, 'in')).length, appended)
            },
            { clock },
          )
        },
      ),
      { numRuns: 8 },
    ))

  it('holds on the embedded log too: two handles, a restart', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-door-'))
    const open = async () => {
      return new TestProcess(await openEmbeddedLog({ directory, maintain: false }))
    }
    const processes = [await open(), await open()]
    try {
      await processes[0]!.log.createTopic('in', { partitions: 2 })
      const send = (n: number) => processes[n % 2]!.post('/in', `${n >> 1}`, withKey(`k${n >> 1}`))
      const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => send(n)))
      for (let n = 0; n < 20; n += 2) assert.deepEqual(answers[n]!.body, answers[n + 1]!.body)
      processes[0]!.end()
      await processes[0]!.log.close()
      processes[0] = await open()
      const again = await send(0)
      assert.deepEqual(again.body, answers[0]!.body)
      assert.equal((await keptIn(processes[0]!.log, 'in')).length, 10)
    } finally {
      for (const process of processes) {
        process.end()
        await process.log.close()
      }
      await rm(directory, { recursive: true, force: true })
    }
  })
})

function request(key: string): RequestInit {
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key }
  return { method: 'POST', body: '1', headers }
}
