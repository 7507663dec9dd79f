import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Clock, systemClock } from '../core/clock.ts'
import { codeOf, type MillraceError, messageOf } from '../core/errors.ts'
import { type HttpOptions, http, httpPart } from './http.ts'
import { fromTable, send, TestService } from './http-testing.ts'
import { lookupContract } from './lookup.contract.ts'
import type { HttpConnection, LookupContext, LookupKey } from './lookup.ts'

const table = {
  EUR: { rate: 1.08, since: '2025-01-01' },
  'a/b ?&é': 7,
  NOK: { rate: 0.09, since: null },
  zero: 0,
}
const known = Object.entries(table).map(([key, value]) => ({ key, value }))
const token = 'a-token-that-nobody-sees'
let service: TestService

const connection = async (): Promise<HttpConnection> => ({
  url: `${service.url}/deep`,
  headers: async () => ({ Authorization: `Bearer ${token}` }),
})

const shared = {
  known,
  unknown: (count: number) => Array.from({ length: count }, (_, index) => `none-${index}`),
  refused: 'wrong',
  away: (work: () => Promise<void>) => service.away(work),
  stalled: (work: () => Promise<void>) => service.stalled(work),
  secrets: () => [token],
}

before(async () => {
  service = await TestService.start(fromTable(table))
})
after(() => service.stop())
beforeEach(() => {
  service.answers(fromTable(table))
  service.asked.length = 0
  service.mostInFlight = 0
})

lookupContract(httpPart, [
  { name: 'a request a key', ...shared, options: () => ({ url: `${service.url}/things/{key}` }) },
  {
    ...{ name: 'several keys in an address, by a connection', ...shared, connection },
    options: () => ({ connection: 'things', url: '/things?ids={keys}', maxKeys: 7 }),
  },
  {
    ...{ name: 'several keys in a body', ...shared },
    options: () => ({
      ...{ url: `${service.url}/things`, maxKeys: 50, maxInFlight: 2 },
      body: (keys: readonly LookupKey[]) => keys,
    }),
  },
])

/** Asks for keys; what was answered, by key, or what was thrown. */
async function ask(
  options: Omit<HttpOptions, 'url'> & { readonly url?: string },
  keys: readonly LookupKey[],
  context: Partial<LookupContext> = {},
): Promise<readonly unknown[]> {
  const use = http({ url: `${service.url}/things/{key}`, ...options } as HttpOptions)
  const lookup = await use.open({
    ...{ clock: systemClock, signal: new AbortController().signal },
    ...{ connection: connection as unknown as LookupContext['connection'], ...context },
  })
  const answers: unknown[] = []
  try {
    const answer = (index: number, value: unknown) => {
      answers[index] = value
    }
    await lookup.find(keys, { answer, signal: new AbortController().signal })
    return answers
  } finally {
    await lookup.close()
  }
}

const failing = (code: string, says: RegExp) => (error: unknown) => {
  assert.equal(codeOf(error), code, String(error))
  const { refused = [] } = error as MillraceError
  assert.match([messageOf(error), ...refused.map(({ reason }) => reason)].join('\n'), says)
  return true
}

describe('lookups: http', () => {
  it('sends keys as they are, with the headers of options and connection', async () => {
    const headers = { 'X-Which': 'one' }
    await ask({ connection: 'things', url: '/{0}/of/{1}?x={0}', headers }, [['a/b', 5]])
    const [asked] = service.asked
    assert.equal(asked!.url, '/deep/a%2Fb/of/5?x=a%2Fb')
    assert.equal(asked!.headers['x-which'], 'one')
    assert.equal(asked!.headers.authorization, `Bearer ${token}`)
  })

  it('makes no other address of a key', async () => {
    for (const key of ['', '.', '..', '\ud800']) {
      await assert.rejects(ask({}, [key]), failing('LOOKUP_REFUSED', /1 keys are refused/))
    }
    assert.equal(service.asked.length, 0)
  })

  it('reads answers as it is told, and what that throws is about the key', async () => {
    service.answers((_, response) => send(response, 200, [{ id: 'a', n: 1 }]))
    const read = (answer: unknown, key: LookupKey) => {
      if (key === 'bad') throw new RangeError('cannot read that')
      return (answer as { id: string; n: number }[]).find(({ id }) => id === key)?.n
    }
    assert.deepEqual(await ask({ read }, ['a', 'b']), [1, undefined])
    await assert.rejects(
      ask({ read }, ['bad']),
      failing('LOOKUP_REFUSED', /read: cannot read that/),
    )
    const several = { url: `${service.url}/things?ids={keys}`, maxKeys: 10 }
    await assert.rejects(ask(several, ['a']), failing('LOOKUP_REFUSED', /no object with a field/))
  })

  it('knows what statuses mean, and is told otherwise', async () => {
    const answering = (status: number) => {
      service.answers((_, response) => send(response, status, { error: 'that is why' }))
    }
    const cases: readonly [number, string, RegExp][] = [
      [400, 'LOOKUP_REFUSED', /it answered 400 \(that is why\)/],
      [302, 'LOOKUP_REFUSED', /it answered 302/],
      [401, 'LOOKUP_UNUSABLE', /it answered 401 .*name a connection/],
      [429, 'LOOKUP_AWAY', /it answered 429/],
      [503, 'LOOKUP_AWAY', /it answered 503/],
    ]
    for (const [status, code, says] of cases) {
      answering(status)
      await assert.rejects(ask({}, ['a']), failing(code, says))
    }
    for (const status of [404, 410]) {
      answering(status)
      assert.deepEqual(await ask({}, ['a']), [undefined])
    }
    answering(500)
    const told = { 500: 'refused', 403: 'nothing' } as const
    await assert.rejects(ask({ statuses: told }, ['a']), failing('LOOKUP_REFUSED', /500/))
    answering(403)
    assert.deepEqual(await ask({ statuses: told }, ['a']), [undefined])
  })

  it('waits as long as the service says', async () => {
    service.answers((_, response) => {
      response.writeHead(429, { 'Retry-After': '7' }).end()
    })
    await assert.rejects(ask({}, ['a']), (error: MillraceError) => error.waitMs === 7000)
    service.answers((_, response) => {
      response.writeHead(503, { 'Retry-After': '86400' }).end()
    })
    await assert.rejects(ask({}, ['a']), (error: MillraceError) => error.waitMs === 60_000)
  })

  it('refuses garbage and what is too long, and gives up what is too slow', async () => {
    service.answers((_, response) => send(response, 200, '<html>'))
    await assert.rejects(ask({}, ['a']), failing('LOOKUP_REFUSED', /no JSON \(6 characters\)/))
    let sentBytes = 0
    service.answers((_, response) => {
      response.writeHead(200)
      const pump = () => {
        for (; !response.destroyed && response.write('x'.repeat(65_536)); sentBytes += 65_536);
      }
      response.on('drain', pump)
      pump()
    })
    const longer = /longer than 1000 bytes \(maxAnswerBytes\)/
    await assert.rejects(ask({ maxAnswerBytes: 1000 }, ['a']), failing('LOOKUP_REFUSED', longer))
    assert.ok(sentBytes < 50_000_000, 'the rest is not fetched')
    await service.stalled(() =>
      assert.rejects(
        ask({ timeoutMs: 40 }, ['a']),
        failing('LOOKUP_AWAY', /no answer within 40 ms/),
      ),
    )
    service.answers((_, response) => {
      response.writeHead(200, { 'Content-Length': 100 })
      response.write('{"half":')
      setImmediate(() => response.destroy())
    })
    await assert.rejects(ask({}, ['a']), failing('LOOKUP_AWAY', /ECONNRESET|aborted/))
  })

  it('keeps what was answered when the rest has to wait', async () => {
    service.answers(({ url }, response) => {
      if (url.endsWith('/3')) send(response, 503, '')
      else send(response, 200, url.at(-1))
    })
    const answered = new Set<number>()
    const lookup = await http({ url: `${service.url}/{key}`, maxInFlight: 1 }).open({
      ...{ clock: systemClock, signal: new AbortController().signal },
      connection: connection as unknown as LookupContext['connection'],
    })
    const answer = (index: number) => answered.add(index)
    const asking = { answer, signal: new AbortController().signal }
    await assert.rejects(lookup.find([1, 2, 3, 4], asking), failing('LOOKUP_AWAY', /503/))
    await lookup.close()
    assert.deepEqual([...answered], [0, 1])
  })

  it('makes no more requests at a time, and a second, than it may', async () => {
    const keys = Array.from({ length: 30 }, (_, index) => `k${index}`)
    service.answers((_, response) => setTimeout(() => send(response, 200, 1), 5))
    const { signal } = new AbortController()
    const connection = (async () => undefined) as never
    const lookup = await http({ url: `${service.url}/{key}`, maxInFlight: 3 }).open({
      ...{ clock: systemClock, signal, connection },
    })
    const asking = { answer: () => undefined, signal }
    await Promise.all([keys, keys, keys].map((some) => lookup.find(some, asking)))
    await lookup.close()
    assert.equal(service.mostInFlight, 3)
    let nowMs = 0
    const clock: Clock = {
      now: () => nowMs,
      sleep: async (waitMs) => {
        nowMs += waitMs
      },
    }
    await ask({ ratePerSecond: 10, maxInFlight: 1 }, keys, { clock })
    assert.ok(nowMs >= 2700 && nowMs <= 3000, `30 requests took ${nowMs} ms`)
  })

  it('refuses addresses that are none, without repeating them', () => {
    const wrong: readonly [Partial<HttpOptions>, RegExp][] = [
      [{ url: 'ftp://host/{key}' }, /option 'url': give http\(s\):\/\/host\/path/],
      [{ url: 'http://me:secret@host/{key}' }, /take username and password out/],
      [{ url: 'http://{key}.example.com/' }, /the host cannot be a key/],
      [{ url: 'http://host/' }, /say where the key stands/],
      [{ url: 'http://host/{key}', maxKeys: 5 }, /it is \{keys\}/],
      [{ url: 'http://host/{key}', connection: 'x' }, /begins with '\/'/],
    ]
    for (const [options, says] of wrong) {
      assert.throws(
        () => http(options as HttpOptions),
        (error) => failing('OPTIONS_INVALID', says)(error) && !messageOf(error).includes('secret@'),
      )
    }
  })

  it('trusts whom it is told to, and says what to do where it trusts nobody', async () => {
    const file = join(import.meta.dirname, '..', 'log', 'fixtures', 'certificates.json')
    const { ca, otherCa, good, key } = JSON.parse(readFileSync(file, 'utf8'))
    const secure = await TestService.start(fromTable(table), { cert: good, key })
    const by = (tls: object, url = secure.url) => ({
      connection: (async () => ({ url, tls, headers: async () => ({}) })) as never,
    })
    const options = { connection: 'things', url: '/things/{key}' }
    try {
      assert.deepEqual(await ask(options, ['zero'], by({ ca })), [0])
      for (const tls of [{}, { ca: otherCa }]) {
        const says = /its certificate is not trusted \(\w+\); name the authority/
        await assert.rejects(ask(options, ['zero'], by(tls)), failing('LOOKUP_UNUSABLE', says))
      }
      const plainly = by({ ca }, service.url.replace('http:', 'https:'))
      await assert.rejects(ask(options, ['zero'], plainly), failing('LOOKUP_UNUSABLE', /use http:/))
    } finally {
      await secure.stop()
    }
  })
})
