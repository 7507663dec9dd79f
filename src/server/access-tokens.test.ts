/** Wrong tokens of every kind: refused alike, compared in constant time, with nothing told. */
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Hono } from 'hono'
import { type TestServer, testServer } from './server-testing.ts'

const token = 'a-token-for-a-test-0123456789'
const door = new Hono().post('/:name', (context) => context.text('taken'))
const paths = ['/api/state', '/api/events', '/metrics', '/openapi.json', '/topics/in']

/** Each of these is 401, and its answer is the same whatever was sent. */
async function assertRefused(
  { ask }: TestServer,
  headers: Record<string, string>,
  path = '/api/state',
): Promise<void> {
  const method = path.startsWith('/topics') ? 'POST' : 'GET'
  const body = method === 'POST' ? '1' : null
  const answer = await ask(path, { method, headers, body })
  const said = JSON.stringify(headers).slice(0, 200)
  assert.equal(answer.status, 401, said)
  assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="millrace"')
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.equal(answer.headers.get('set-cookie'), null)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  const words = 'a token is wanted: as Authorization: Bearer, or by the link that was printed'
  assert.deepEqual(await answer.json(), { code: 'TOKEN_WANTED', message: words })
}

async function sessionOf({ ask }: TestServer): Promise<string> {
  return (await ask(`/?token=${token}`)).headers.get('set-cookie')!.split(';')[0]!
}

/** Neither the right one nor the right one among blanks, which are trimmed. */
const isWrong = (text: string) => text.trim() !== token

const latin = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map(charOf), maxLength: 200 })

function charOf(code: number): string {
  return String.fromCharCode(code === 0x7f ? 0x20 : code)
}

const nearTheRight = fc.oneof(
  fc.nat({ max: token.length - 1 }).map((end) => token.slice(0, end)),
  fc.nat({ max: token.length - 1 }).map((start) => token.slice(start + 1)),
  fc.nat({ max: token.length - 1 }).map((at) => `${token.slice(0, at)}*${token.slice(at + 1)}`),
  latin.map((more) => `${token}${more}`),
  fc.constantFrom(token.toUpperCase(), `"${token}"`, `${token},`, encodeURIComponent(`${token}é`)),
)

const wrong = fc.oneof(latin, nearTheRight).filter(isWrong)

describe('wrong tokens', () => {
  it('in Authorization are refused, whatever the scheme and however it is written', async () => {
    const server = testServer({ token, door })
    const scheme = fc.constantFrom('Bearer ', 'bearer ', 'BEARER   ', 'Bearer', 'Basic ', '', '=')
    const property = fc.asyncProperty(
      scheme,
      wrong,
      fc.constantFrom(...paths),
      (name, text, path) => assertRefused(server, { authorization: `${name}${text}` }, path),
    )
    await fc.assert(property, { seed: 5, numRuns: 300 })
    const schemes = ['Token', 'Basic', 'Digest', 'Bearer:', 'Bearer\t', 'XBearer', 'Bearer Bearer']
    for (const name of schemes) await assertRefused(server, { authorization: `${name} ${token}` })
    await assertRefused(server, { authorization: token })
    await assertRefused(server, { authorization: `Bearer ${token} ${token}` })
    await assertRefused(server, { authorization: `Bearer ${token}, Bearer ${token}` })
  })

  it('in a cookie are refused, the token itself too', async () => {
    const server = testServer({ token, door })
    const cookie = await sessionOf(server)
    const [name, session] = cookie.split('=') as [string, string]
    const values = fc.oneof(
      wrong.map((text) => text.replaceAll(/[;\s]/g, '')),
      fc.nat({ max: session.length - 1 }).map((end) => session.slice(0, end)),
      fc.constantFrom(token, `${session}x`, session.toUpperCase(), `${session}%00`, '%', '%zz'),
    )
    const property = fc.asyncProperty(
      fc.constantFrom(name, 'millrace_session', 'token', '__Host-session', name.toUpperCase()),
      values.filter((value) => value.replaceAll('"', '') !== session),
      (given, value) => assertRefused(server, { cookie: `a=b; ${given}=${value}; c` }),
    )
    await fc.assert(property, { seed: 5, numRuns: 300 })
    assert.equal((await server.ask('/api/state', { headers: { cookie } })).status, 200)
  })

  it('in Authorization count although the cookie is right, and the other way round', async () => {
    const server = testServer({ token })
    const cookie = await sessionOf(server)
    await assertRefused(server, { cookie, authorization: 'Bearer wrong' })
    const bad = `${cookie}x`
    await assertRefused(server, { cookie: bad, authorization: `Bearer ${token.slice(1)}` })
    const right = { cookie: bad, authorization: `Bearer ${token}` }
    assert.equal((await server.ask('/api/state', { headers: right })).status, 200)
  })

  it('in a link or a form are refused, and no cookie is set', async () => {
    const { ask, post } = testServer({ token })
    const texts = ['', ' ', token.slice(1), `${token} `, '\u0000', 'é'.repeat(10), '😀', '%']
    for (const text of texts) {
      const answers = [
        await ask(`/?token=${encodeURIComponent(text)}`),
        await post('/api/session', { token: text }),
      ]
      for (const answer of answers) {
        assert.deepEqual([answer.status, answer.headers.get('set-cookie')], [401, null], text)
        assert.doesNotMatch(await answer.text(), /a-token/)
      }
    }
    assert.equal((await post('/api/session', { token: 'x'.repeat(1001) })).status, 400)
    const twice = await ask(`/?token=wrong&token=${token}`)
    assert.deepEqual([twice.status, twice.headers.get('set-cookie')], [401, null])
  })

  it('of 64 kB are refused as short ones are', async () => {
    const server = testServer({ token, door })
    const long = 'x'.repeat(64 * 1024)
    const texts = [long, `${token}${long}`, ' '.repeat(64 * 1024), 'a '.repeat(32 * 1024)]
    for (const text of texts) {
      await assertRefused(server, { authorization: `Bearer ${text}` })
      await assertRefused(server, { authorization: `Bearer ${text}`, cookie: `a=${text}` })
    }
    const many = Array.from({ length: 4000 }, (_, index) => `c${index}=v`).join('; ')
    await assertRefused(server, { cookie: many })
  })

  it('are compared in constant time, as digests of one length', async () => {
    const server = testServer({ token })
    const [name] = (await sessionOf(server)).split('=')
    const lengths: number[] = []
    const real = crypto.timingSafeEqual
    crypto.timingSafeEqual = (a, b) => {
      lengths.push(a.byteLength, b.byteLength)
      return real(a, b)
    }
    syncBuiltinESMExports()
    try {
      for (const text of ['x', token.slice(0, -1), `${token}x`, 'y'.repeat(5000)]) {
        lengths.length = 0
        await assertRefused(server, { authorization: `Bearer ${text}` })
        await assertRefused(server, { cookie: `${name}=${text}` })
        await server.post('/api/session', { token: text.slice(0, 1000) })
        assert.deepEqual(lengths, [32, 32, 32, 32, 32, 32])
      }
    } finally {
      crypto.timingSafeEqual = real
      syncBuiltinESMExports()
    }
  })
})
