/** The server on real sockets: IPv6, other names of this machine, hostile tokens, what it says. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '../core/clock.ts'
import { openEmbeddedLog } from '../log/embedded.ts'
import { type ServeOptions, type Serving, startServer } from './start.ts'

const token = 'a-token-for-a-test-0123456789'

interface Served extends Serving {
  readonly directory: string
  readonly said: string
}

async function withServer(
  options: Partial<ServeOptions>,
  work: (server: Served) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-start-'))
  const lines: string[] = []
  try {
    const log = await openEmbeddedLog({ directory })
    await log.createTopic('in', { partitions: 1 })
    await log.close()
    const serving = await startServer({
      ...{ directory, version: '1.2.3', clock: systemClock, port: 0, environment: {} },
      say: (line) => lines.push(line),
      ...options,
    })
    try {
      await work({ ...serving, directory, said: lines.join('\n') })
    } finally {
      await serving.close()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

function ask(
  host: string,
  port: number,
  path: string,
  headers: http.OutgoingHttpHeaders = {},
  method = 'GET',
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host, port, path, method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({ status: response.statusCode!, headers: response.headers, text })
        })
      },
    )
    request.on('error', reject)
    request.end(method === 'POST' ? '1' : undefined)
  })
}

/** Bytes as they are; the first line of what comes back. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (data) => {
      said += data
      socket.end()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(said.split('\r\n')[0]!))
  })
}

const hasIPv6 = () =>
  Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

const foreignHosts = [
  'evil.example',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  '[::2]',
  '[::1]',
  '0.0.0.0',
  '127.1',
  '2130706433',
]

describe('the server on a port', () => {
  it('listens on ::1 and answers to that name', async (t: TestContext) => {
    if (!hasIPv6()) {
      const message = 'SKIPPED: this machine has no ::1, so IPv6 was NOT checked'
      console.error(message)
      t.diagnostic(message)
      assert.ok(process.env.CI !== 'true', message)
      return
    }
    await withServer({ host: '::1' }, async ({ url, port, said }) => {
      assert.equal(url, `http://[::1]:${port}`)
      assert.match(said, new RegExp(`^the page: http://\\[::1\\]:${port}$`))
      const own = await fetch(`${url}/api/state`)
      assert.equal(own.status, 200)
      const post = { method: 'POST', body: '1', headers: { 'content-type': 'application/json' } }
      assert.equal((await fetch(`${url}/topics/in`, post)).status, 200)
      const named = async (host: string) => (await ask('::1', port, '/api/state', { host })).status
      for (const name of [`[::1]:${port}`, `localhost:${port}`])
        assert.equal(await named(name), 200)
      const others = foreignHosts.map((name) => `${name}:${port}`)
      for (const name of [...foreignHosts, ...others, 'evil.example:4280', `[::1]:${port + 1}`]) {
        if (name !== `[::1]:${port}`) assert.equal(await named(name), 421, name)
      }
      assert.equal(await named(`::1:${port}`), 400)
    })
  })

  it('tells nothing to a page whose name was bent to this machine', () =>
    withServer({}, async ({ port, directory }) => {
      const paths = ['/', '/api/state', '/api/events', '/metrics', '/health/live', '/openapi.json']
      for (const host of [...foreignHosts, ...foreignHosts.map((name) => `${name}:${port}`)]) {
        if (host === `[::1]:${port}`) continue
        for (const path of paths) {
          const { status, text, headers } = await ask('127.0.0.1', port, path, { host })
          assert.equal(status, 421, `${host} ${path}`)
          assert.equal((JSON.parse(text) as { code: string }).code, 'HOST_REFUSED')
          assert.ok(!text.includes(directory) && headers['set-cookie'] === undefined)
        }
        const origin = `http://${host}`
        const headers = { host, origin, 'content-type': 'application/json' }
        const posted = await ask('127.0.0.1', port, '/topics/in', headers, 'POST')
        assert.equal(posted.status, 421, host)
      }
      assert.match(await raw(port, 'GET /api/state HTTP/1.1\r\n\r\n'), / 400 /)
      assert.doesNotMatch(await raw(port, 'GET /api/state HTTP/1.1\r\nHost:\r\n\r\n'), / 200 /)
      const twice = `Host: evil.example\r\nHost: 127.0.0.1:${port}\r\n\r\n`
      assert.doesNotMatch(await raw(port, `GET /api/state HTTP/1.1\r\n${twice}`), / 200 /)
      const absolute = `GET http://127.0.0.1:${port}/api/state HTTP/1.1\r\nHost: evil.example\r\n\r\n`
      assert.doesNotMatch(await raw(port, absolute), / 200 /)
    }))

  it('holds nothing of 6,000 wrong tokens, and headers of 64 kB are 431', () =>
    withServer({ environment: { MILLRACE_TOKEN: token } }, async ({ port, url }) => {
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc') as () => void
      const agent = new http.Agent({ keepAlive: true, maxSockets: 16 })
      const wrong = (index: number) =>
        new Promise<number>((resolve, reject) => {
          const text = `${index % 3 === 0 ? token.slice(0, index % token.length) : ''}${index}`
          const headers = {
            authorization: `Bearer ${text}${'x'.repeat((index * 37) % 8000)}`,
            cookie: `millrace_session_${index}=${text}`,
          }
          const path = `/api/state?n=${index}`
          const options = { host: '127.0.0.1', port, path, headers, agent }
          const request = http.get(options, (response) => {
            response.resume()
            response.on('end', () => resolve(response.statusCode!))
          })
          request.on('error', reject)
        })
      const many = async (from: number, count: number) => {
        const numbers = Array.from({ length: count }, (_, index) => from + index)
        assert.deepEqual(new Set(await Promise.all(numbers.map(wrong))), new Set([401]))
        collect()
        return process.memoryUsage().heapUsed
      }
      await many(0, 1000)
      const before = await many(1000, 1000)
      let after = 0
      for (let round = 0; round < 6; round++) after = await many(2000 + round * 1000, 1000)
      agent.destroy()
      assert.ok(after - before < 4 * 1024 * 1024, `${after - before} bytes were kept`)
      const long = 'x'.repeat(64 * 1024)
      const headers = { authorization: `Bearer ${long}` }
      assert.equal((await ask('127.0.0.1', port, '/api/state', headers)).status, 431)
      const linked = await ask('127.0.0.1', port, `/?token=${long}`)
      assert.equal(linked.status, 431)
      const right = { headers: { authorization: `Bearer ${token}` } }
      assert.equal((await fetch(`${url}/api/state`, right)).status, 200)
    }))
})

describe('what the server says when it starts', () => {
  const open = { host: '0.0.0.0' }

  it('has no token in it, unless a person alone reads it', () =>
    withServer(open, async ({ said, directory, url }) => {
      const kept = readFileSync(join(directory, 'token'), 'utf8').trim()
      assert.equal(said, `the page: ${url}/ (with the token in ${join(directory, 'token')})`)
      assert.ok(!said.includes(kept))
    }))

  it('has a link that signs in at a click, and the token leaves the address', () =>
    withServer({ ...open, mayShowToken: true }, async ({ said, port, directory }) => {
      const kept = readFileSync(join(directory, 'token'), 'utf8').trim()
      const link = /^signs you in: (\S+)$/m.exec(said)![1]!
      assert.equal(link, `http://127.0.0.1:${port}/?token=${kept}`)
      const { pathname, search } = new URL(link)
      const { status, headers } = await ask('127.0.0.1', port, `${pathname}${search}`)
      assert.deepEqual([status, headers.location], [303, '/'])
      assert.equal(headers['referrer-policy'], 'no-referrer')
      assert.equal(headers['cache-control'], 'no-store')
      const cookie = headers['set-cookie']![0]!.split(';')[0]!
      assert.equal((await ask('127.0.0.1', port, '/api/state', { cookie })).status, 200)
      assert.equal((await ask('127.0.0.1', port, '/api/state')).status, 401)
    }))

  it('has the link for a token with characters that mean something in an address', () => {
    const odd = 'a&b=c#d?e%20f+g/h\\"<>'
    const options = { environment: { MILLRACE_TOKEN: odd }, mayShowToken: true }
    return withServer(options, async ({ said, port }) => {
      const { pathname, search } = new URL(/^signs you in: (\S+)$/m.exec(said)![1]!)
      const { status, headers } = await ask('127.0.0.1', port, `${pathname}${search}`)
      assert.deepEqual([status, headers.location], [303, '/'])
    })
  })

  it('has no link where no token is wanted, and names other sites that may ask', () => {
    const environment = { MILLRACE_CORS_ORIGINS: 'https://dash.example.org' }
    return withServer({ environment, mayShowToken: true }, async ({ said, url }) => {
      const lines = `the page: ${url}\npages of https://dash.example.org may ask here (MILLRACE_CORS_ORIGINS)`
      assert.equal(said, lines)
      const headers = { origin: 'https://dash.example.org' }
      const answer = await fetch(`${url}/api/state`, { headers })
      assert.equal(answer.headers.get('access-control-allow-origin'), headers.origin)
    })
  })

  it('is a refusal where a setting is wrong, and nothing is left open', async () => {
    const environment = { MILLRACE_CORS_ORIGINS: '*' }
    const start = withServer({ environment }, async () => {})
    await assert.rejects(start, { code: 'OPTIONS_INVALID' })
  })
})
