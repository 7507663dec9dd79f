import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Hono } from 'hono'
import { serverToken } from './address.ts'
import { testServer } from './server-testing.ts'

const token = 'a-token-for-a-test-0123456789'

describe('access to the server', () => {
  it('answers to its own names only', async () => {
    const { ask } = testServer()
    assert.equal((await ask('/health/live')).status, 200)
    assert.equal((await ask('/health/live', { headers: { host: 'localhost:4280' } })).status, 200)
    for (const host of ['evil.example:4280', 'localhost:1', '127.0.0.1', '127.0.0.1.evil:4280']) {
      assert.equal((await ask('/api/state', { headers: { host } })).status, 421, host)
    }
  })

  it('changes nothing for another site, and takes changes of programs', async () => {
    const door = new Hono().post('/:name', (context) => context.text('taken'))
    const { ask } = testServer({ door })
    const post = async (headers: Record<string, string>) =>
      (await ask('/topics/orders', { method: 'POST', headers, body: '{}' })).status
    assert.equal(await post({}), 200)
    assert.equal(await post({ origin: 'http://127.0.0.1:4280' }), 200)
    for (const origin of [
      'http://evil.example',
      'http://localhost:4280',
      'null',
      'http://127.0.0.1:1',
    ]) {
      assert.equal(await post({ origin }), 403, origin)
    }
  })

  it('sets strict headers on every answer, and allows no other origin', async () => {
    const { ask } = testServer({ token })
    for (const path of ['/', '/api/state', '/nothing', '/health/live', '/metrics']) {
      const { headers } = await ask(path, { headers: { origin: 'http://evil.example' } })
      const policy = headers.get('content-security-policy') ?? ''
      assert.match(policy, /default-src 'self'/)
      assert.match(policy, /frame-ancestors 'none'/)
      assert.doesNotMatch(policy, /unsafe/)
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('referrer-policy'), 'no-referrer')
      assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin')
      assert.equal(headers.get('access-control-allow-origin'), null)
    }
  })

  it('wants the token for all that tells or changes something', async () => {
    const door = new Hono().post('/:name', (context) => context.text('taken'))
    const { ask } = testServer({ token, door })
    const asked = async (path: string, headers: Record<string, string> = {}) =>
      (await ask(path, { headers })).status
    for (const path of ['/api/state', '/api/events', '/metrics', '/openapi.json', '/api/models']) {
      assert.equal(await asked(path), 401, path)
      assert.equal(await asked(path, { authorization: `Bearer ${token}x` }), 401, path)
      assert.equal(await asked(path, { authorization: 'Bearer ' }), 401, path)
    }
    assert.equal((await ask('/topics/a', { method: 'POST', body: '1' })).status, 401)
    assert.equal(await asked('/api/state', { authorization: `Bearer ${token}` }), 200)
    assert.equal(await asked('/health/live'), 200)
    assert.notEqual(await asked('/'), 401)
  })

  it('tells reasons for not being ready only to who may know them', async () => {
    const { ask } = testServer({ token })
    const response = await ask('/health/ready')
    assert.deepEqual([response.status, await response.json()], [503, { status: 'not ready' }])
    const headers = { authorization: `Bearer ${token}` }
    const told = (await (await ask('/health/ready', { headers })).json()) as { reasons: string[] }
    assert.deepEqual(told.reasons, ['the log cannot be read: nothing was read yet'])
  })

  it('makes a cookie of the token, by a link or a form, and no secret of it is in the cookie', async () => {
    const { ask, post } = testServer({ token })
    const link = await ask(`/?token=${token}&view=1`)
    assert.deepEqual([link.status, link.headers.get('location')], [303, '/?view=1'])
    const cookie = link.headers.get('set-cookie')!
    assert.match(cookie, /HttpOnly/)
    assert.match(cookie, /SameSite=Strict/)
    assert.doesNotMatch(cookie, new RegExp(token))
    const session = { cookie: cookie.split(';')[0]! }
    assert.equal((await ask('/api/state', { headers: session })).status, 200)
    assert.equal(
      (await ask('/api/state', { headers: { cookie: `${session.cookie}x` } })).status,
      401,
    )
    assert.equal((await ask('/?token=wrong')).status, 401)
    const elsewhere = await ask(`//evil.example/?token=${token}`)
    assert.equal(elsewhere.headers.get('location'), '/evil.example/')
    const form = await post('/api/session', { token })
    assert.deepEqual([form.status, form.headers.get('set-cookie')], [204, cookie])
    assert.equal((await post('/api/session', { token: 'wrong' })).status, 401)
    assert.equal((await post('/api/session', { token: 1 })).status, 400)
    const ended = await ask('/api/session', { method: 'DELETE', headers: session })
    assert.match(ended.headers.get('set-cookie')!, /Max-Age=0/)
  })

  it('refuses large bodies', async () => {
    const { post } = testServer()
    assert.equal((await post('/api/session', { token: 'x'.repeat(600_000) })).status, 413)
  })
})

describe('the token', () => {
  it('is wanted away from loopback, made once, and readable by its owner alone', () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-token-'))
    try {
      assert.equal(serverToken('127.0.0.1', directory, {}), undefined)
      assert.equal(serverToken('::1', directory, {}), undefined)
      const made = serverToken('0.0.0.0', directory, {})!
      assert.ok(made.value.length >= 40)
      assert.doesNotMatch(made.words, new RegExp(made.value))
      assert.deepEqual(serverToken('192.168.0.1', directory, {}), made)
      assert.equal(statSync(join(directory, 'token')).mode & 0o777, 0o600)
      const named = serverToken('127.0.0.1', directory, { MILLRACE_TOKEN: token })
      assert.equal(named?.value, token)
      const short = { MILLRACE_TOKEN: 'short' }
      assert.throws(() => serverToken('127.0.0.1', directory, short), { code: 'OPTIONS_INVALID' })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
