import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { Clock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { fetchFromMskSigner, fetchWithCredentials, type Token, tokenKeeper } from './tokens.ts'

/** Moves only when somebody sleeps or the test says so. */
class HandClock implements Clock {
  time = 1_000_000
  now(): number {
    return this.time
  }
  async sleep(waitMs: number): Promise<void> {
    this.time += waitMs
  }
}

describe('tokenKeeper', () => {
  const clock = new HandClock()
  let fetches = 0
  let answer: () => Promise<Token>
  const fetchToken = () => {
    fetches++
    return answer()
  }
  const fresh = async (): Promise<Token> => ({
    text: `token ${fetches}`,
    expires: clock.now() + 100_000,
  })
  const away = () => Promise.reject(fail('TOKEN_UNREACHABLE', 'nobody there'))

  it('gives the same one to all while it is young, and another before it is old', async () => {
    answer = fresh
    const token = tokenKeeper(fetchToken, clock)
    assert.deepEqual(await Promise.all([token(), token()]), ['token 1', 'token 1'])
    clock.time += 74_000
    assert.equal(await token(), 'token 1')
    clock.time += 2_000
    assert.equal(await token(), 'token 2')
  })

  it('keeps to one that still holds while none is to be had, then says why', async () => {
    answer = fresh
    const token = tokenKeeper(fetchToken, clock)
    const first = await token()
    answer = away
    clock.time += 80_000
    assert.equal(await token(), first)
    clock.time += 30_000
    await assert.rejects(token(), { code: 'TOKEN_UNREACHABLE' })
    answer = fresh
    assert.equal(await token(), `token ${fetches}`)
  })

  it('asks three times where nobody answers, once where it is refused', async () => {
    const token = tokenKeeper(fetchToken, clock)
    fetches = 0
    answer = away
    await assert.rejects(token(), { code: 'TOKEN_UNREACHABLE' })
    assert.equal(fetches, 3)
    answer = () => Promise.reject(fail('TOKEN_REFUSED', 'wrong secret'))
    await assert.rejects(token(), { code: 'TOKEN_REFUSED' })
    assert.equal(fetches, 4)
  })
})

describe('fetchWithCredentials', () => {
  let respond: (request: IncomingMessage, body: string, response: ServerResponse) => void
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => respond(request, body, response))
  })
  let endpoint: URL
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    endpoint = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/token?a=b`)
  })
  after(() => new Promise((resolve) => server.close(resolve)))
  const ask = () =>
    fetchWithCredentials(
      { endpoint, clientId: 'my app', clientSecret: 'hidden:%', scope: 'kafka', ca: undefined },
      new HandClock(),
    )
  const json = (response: ServerResponse, status: number, fields: unknown) =>
    response.writeHead(status).end(JSON.stringify(fields))

  it('asks as OAuth 2.0 says, and knows how long the token is good for', async () => {
    let asked: unknown
    respond = (request, body, response) => {
      const { authorization = '' } = request.headers
      const user = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()
      asked = [request.method, request.url, body, user]
      json(response, 200, { access_token: 'T', expires_in: 60 })
    }
    assert.deepEqual(await ask(), { text: 'T', expires: 1_060_000 })
    const body = 'grant_type=client_credentials&scope=kafka'
    assert.deepEqual(asked, ['POST', '/token?a=b', body, 'my%20app:hidden%3A%25'])
  })

  it('tells a refusal from an absence, and never says the secret', async () => {
    respond = (_, _body, response) => {
      const said = { error: 'invalid_client', error_description: 'not hidden:% of yours' }
      json(response, 401, said)
    }
    await assert.rejects(ask(), {
      code: 'TOKEN_REFUSED',
      message: /answered 401 invalid_client, not \(not shown\) of yours$/,
    })
    respond = (_, _body, response) => json(response, 503, {})
    await assert.rejects(ask(), { code: 'TOKEN_UNREACHABLE' })
    respond = (_, _body, response) => response.destroy()
    await assert.rejects(ask(), { code: 'TOKEN_UNREACHABLE' })
    respond = (_, _body, response) => response.writeHead(200).end('<html>')
    await assert.rejects(ask(), { code: 'TOKEN_REFUSED', message: /without a token/ })
  })
})

describe('fetchFromMskSigner', () => {
  it('signs as whom it was told', async () => {
    const asked: unknown[] = []
    const sign = (name: string) => async (options: object) => {
      asked.push([name, options])
      return { token: 'T', expiryTime: 5 }
    }
    const signer = {
      generateAuthToken: sign('own'),
      generateAuthTokenFromProfile: sign('profile'),
      generateAuthTokenFromRole: sign('role'),
    }
    const identity = { region: 'r', profile: undefined, roleArn: undefined }
    const load = async () => signer
    assert.deepEqual(await fetchFromMskSigner(identity, load), { text: 'T', expires: 5 })
    await fetchFromMskSigner({ ...identity, profile: 'p' }, load)
    await fetchFromMskSigner({ ...identity, roleArn: 'arn' }, load)
    assert.deepEqual(asked, [
      ['own', { region: 'r' }],
      ['profile', { region: 'r', awsProfileName: 'p' }],
      ['role', { region: 'r', awsRoleArn: 'arn', awsRoleSessionName: 'millrace' }],
    ])
  })
})
