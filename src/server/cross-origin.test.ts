import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Hono } from 'hono'
import { originsIn } from './cross-origin.ts'
import { type TestServerOptions, testHost, testServer } from './server-testing.ts'

const token = 'a-token-for-a-test-0123456789'
const dash = 'https://dash.example.org'
const authorization = `Bearer ${token}`
const door = new Hono().post('/:name', (context) => context.text('taken'))
const openPaths = ['/api/state', '/topics/a', '/metrics', '/openapi.json', '/health/live']

const corsHeaders = (response: Response) =>
  [...response.headers.keys()].filter((name) => name.startsWith('access-control-'))

const varies = (response: Response) => /\borigin\b/i.test(response.headers.get('vary') ?? '')

function asked(options: TestServerOptions) {
  const { ask } = testServer({ door, ...options })
  const from = (path: string, origin: string, init: RequestInit = {}) =>
    ask(path, { ...init, headers: { ...(init.headers as Record<string, string>), origin } })
  const before = (path: string, origin: string, method = 'POST') => {
    const headers = {
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,idempotency-key',
    }
    return from(path, origin, { method: 'OPTIONS', headers })
  }
  return { ask, from, before }
}

describe('origins of other sites', () => {
  it('are read from the environment, none where it says nothing', () => {
    assert.deepEqual(originsIn({}), [])
    assert.deepEqual(originsIn({ MILLRACE_CORS_ORIGINS: ' , ' }), [])
    const two = ` ${dash}, http://localhost:3000,http://[::1]:3000,${dash}`
    const expected = [dash, 'http://localhost:3000', 'http://[::1]:3000']
    assert.deepEqual(originsIn({ MILLRACE_CORS_ORIGINS: two }), expected)
  })

  it('that are no exact origin are refused, with what to write', () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['*', /'\*' would let more sites ask/],
      ['https://*.example.org', /name each/],
      [`${dash},*`, /'\*'/],
      ['null', /is no origin; write https/],
      ['dash.example.org', /is no origin/],
      ['file:///tmp/page.html', /is no origin/],
      [`${dash}/`, /write https:\/\/dash\.example\.org$/],
      [`${dash}:443`, /write https:\/\/dash\.example\.org$/],
      ['https://Dash.example.org', /write https:\/\/dash\.example\.org$/],
      ['https://me:secret@dash.example.org', /write https:\/\/dash\.example\.org$/],
    ]
    for (const [text, message] of wrong) {
      const environment = { MILLRACE_CORS_ORIGINS: text }
      assert.throws(() => originsIn(environment), { code: 'OPTIONS_INVALID', message }, text)
    }
  })
})

describe('another site that is not named', () => {
  it('gets no header of CORS on any answer, and changes nothing', async () => {
    const { from, before } = asked({})
    for (const path of [...openPaths, '/', '/nothing']) {
      const answers = [await from(path, dash), await before(path, dash)]
      for (const answer of answers) assert.deepEqual([path, corsHeaders(answer)], [path, []])
      assert.equal(answers[1]!.status, 403)
      assert.equal((await from(path, dash, { method: 'POST', body: '1' })).status, 403)
    }
  })

  it('gets none where others are named, and whoever keeps answers is told why', async () => {
    const { from, before, ask } = asked({ origins: [dash] })
    const others = [`${dash}.evil.example`, 'http://dash.example.org', `${dash}:8443`, 'null', '']
    for (const origin of [...others, 'https://evil.example', `${dash} `.repeat(2)]) {
      for (const path of openPaths) {
        const answers = [await from(path, origin), await before(path, origin)]
        for (const answer of answers) {
          assert.deepEqual(corsHeaders(answer), [], origin)
          assert.ok(varies(answer), path)
        }
      }
      const posted = await from('/topics/a', origin, { method: 'POST', body: '1' })
      assert.equal(posted.status, 403, origin)
    }
    assert.ok(varies(await ask('/api/state')), 'also where nobody named an origin')
  })
})

describe('another site that is named', () => {
  it('is told beforehand what it may ask, without a token', async () => {
    const { before } = asked({ origins: ['https://other.example', dash], token })
    for (const path of openPaths) {
      const answer = await before(path, dash)
      assert.deepEqual([answer.status, await answer.text()], [204, ''], path)
      assert.ok(varies(answer))
      const { headers } = answer
      assert.equal(headers.get('access-control-allow-origin'), dash)
      assert.equal(headers.get('access-control-allow-methods'), 'GET, HEAD, POST')
      const allowed = headers.get('access-control-allow-headers')!.toLowerCase().split(', ')
      for (const name of ['authorization', 'content-type', 'idempotency-key', 'last-event-id']) {
        assert.ok(allowed.includes(name), name)
      }
      assert.equal(headers.get('access-control-max-age'), '600')
      assert.equal(headers.get('access-control-allow-credentials'), null)
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
    }
  })

  it('reads and writes with the token, and reads refusals too', async () => {
    const { from } = asked({ origins: [dash], token })
    const good = { headers: { authorization } }
    for (const path of openPaths.filter((one) => one !== '/topics/a')) {
      const answer = await from(path, dash, good)
      assert.equal(answer.status, 200, path)
      assert.equal(answer.headers.get('access-control-allow-origin'), dash)
      assert.equal(answer.headers.get('access-control-allow-credentials'), null)
    }
    const posted = await from('/topics/a', dash, { method: 'POST', body: '1', ...good })
    assert.equal(await posted.text(), 'taken')
    const refused = await from('/topics/a', dash, { method: 'POST', body: '1' })
    assert.equal(refused.status, 401)
    assert.equal(refused.headers.get('access-control-allow-origin'), dash)
    assert.match(refused.headers.get('access-control-expose-headers')!, /Retry-After/)
  })

  it('gets nowhere with a cookie: no session begins, and one that there is says nothing', async () => {
    const { ask, from, before } = asked({ origins: [dash], token })
    const link = await ask(`/?token=${token}`)
    const cookie = link.headers.get('set-cookie')!.split(';')[0]!
    assert.equal((await ask('/api/state', { headers: { cookie } })).status, 200)
    const own = { headers: { cookie } }
    assert.equal((await from('/api/state', `http://${testHost}`, own)).status, 200)
    assert.equal((await from('/api/state', dash, own)).status, 401)
    const change = { method: 'POST', body: '1', headers: { cookie } }
    assert.equal((await from('/topics/a', dash, change)).status, 401)
    const body = JSON.stringify({ token })
    const headers = { 'content-type': 'application/json' }
    const begun = await from('/api/session', dash, { method: 'POST', headers, body })
    assert.deepEqual([begun.status, begun.headers.get('set-cookie')], [403, null])
    assert.deepEqual(corsHeaders(begun), [])
    assert.equal((await before('/api/session', dash)).status, 403)
    const linked = await from(`/api/state?token=${token}`, dash)
    assert.deepEqual([linked.status, linked.headers.get('set-cookie')], [401, null])
  })

  it('does not get the page itself', async () => {
    const { from, before } = asked({ origins: [dash] })
    for (const path of ['/', '/index.html', '/apis', '/healthy', '/metrics.html']) {
      assert.deepEqual(corsHeaders(await from(path, dash)), [], path)
      assert.equal((await before(path, dash)).status, 403, path)
    }
  })
})
