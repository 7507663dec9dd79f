/**
 * The door under attack, on a real server: whatever comes, it does not crash, holds no more than it
 * may, answers the right codes, and the log holds exactly what was answered 2xx (and at most once
 * what was sent whole but whose answer nobody waited for). FUZZ_SEED=<number> replays a run.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { openEmbeddedLog } from '../log/embedded.ts'
import type { Accepted } from './door.ts'
import { batchType, keptIn, linesType } from './door-testing.ts'
import { type Parcel, send, sendRaw, statusesIn, TestServer } from './door-testing-client.ts'
import type { Holding } from './door-testing-server.ts'

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000)
const mebibyte = 1024 * 1024
const maxBodyBytes = mebibyte
const slowConnections = 10_000
const headersTimeoutMs = 4000
/** Above what an idle process takes: a hundred bombs unpacked at once would go far beyond. */
const mostMemoryBytes = 700 * mebibyte
/** More than that on the heap once all is over: something is held that nobody needs. */
const leakBytes = 20 * mebibyte

describe('door under attack', () => {
  let directory = ''
  let server: TestServer
  let baseline: Holding
  /** Ids that were answered. */
  const answered: string[] = []
  /** Values that were sent whole and whose answer was lost, perhaps. */
  const maybe = new Set<string>()

  before(async () => {
    console.log(`door.slow.test: FUZZ_SEED=${seed}`)
    directory = await mkdtemp(join(tmpdir(), 'millrace-door-'))
    const limits = { bodyMs: 3000, bytesInFlight: 64 * mebibyte }
    server = await TestServer.start({ directory, headersTimeoutMs, door: { limits, maxBodyBytes } })
    baseline = await server.holding()
  })
  after(async () => {
    await server.kill()
    await rm(directory, { recursive: true, force: true })
  })

  async function post(parcel: Parcel): Promise<number> {
    const { status, text } = await send(server, parcel)
    if (status === 200) answered.push(...(JSON.parse(text) as Accepted).ids)
    else assert.equal(typeof (JSON.parse(text) as { code: unknown }).code, 'string')
    return status
  }

  it('takes any JSON and refuses everything else, in each form', async () => {
    const type = fc.constantFrom('application/json', batchType, linesType)
    const entry = fc.record(
      { key: fc.anything(), value: fc.jsonValue(), time: fc.anything(), id: fc.string() },
      { requiredKeys: ['value'] },
    )
    const text = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.array(fc.json()).map((lines) => lines.join('\n')),
      fc.array(entry).map((messages) => JSON.stringify({ messages })),
    )
    const torn = fc.tuple(text, fc.nat(), fc.nat(255)).map(([whole, at, byte]) => {
      const bytes = Buffer.from(whole)
      if (bytes.length > 0) bytes[at % bytes.length] = byte
      return bytes
    })
    const body = fc.oneof(text, torn, fc.uint8Array())
    const packed = fc.constantFrom('no', 'yes', 'cut')
    const check = async (media: string, raw: string | Uint8Array, pack: string) => {
      const plain = Buffer.from(raw as string)
      const headers: Record<string, string> = { 'Content-Type': media }
      if (pack !== 'no') headers['Content-Encoding'] = 'gzip'
      const whole = pack === 'no' ? plain : gzipSync(plain)
      const sent = pack === 'cut' ? whole.subarray(0, whole.length - 4) : whole
      const status = await post({ headers, body: sent })
      if (pack === 'cut') assert.equal(status, 400)
      else if (media === 'application/json') {
        assert.equal(status, isTaken(plain) ? 200 : 400, JSON.stringify(String(plain)))
      } else assert.ok([200, 400].includes(status), `${status}`)
    }
    await fc.assert(fc.asyncProperty(type, body, packed, check), { numRuns: 1500, seed })
  })

  it('answers bombs, depth, and sizes with what they are', async () => {
    const gzip = { 'Content-Encoding': 'gzip' }
    const bomb = gzipSync(Buffer.alloc(200 * mebibyte, 0x20))
    const bombs = Array.from({ length: 100 }, () => post({ headers: gzip, body: bomb }))
    for (const status of await Promise.all(bombs)) assert.equal(status, 413)
    const twice = gzipSync(gzipSync('1'))
    assert.equal(await post({ headers: gzip, body: twice }), 400)
    const deep = '['.repeat(maxBodyBytes / 2) + ']'.repeat(maxBodyBytes / 2)
    for (const type of ['application/json', linesType, batchType]) {
      assert.equal(await post({ headers: { 'Content-Type': type }, body: deep }), 400)
    }
    const lines = '1\n'.repeat(10_001)
    assert.equal(await post({ headers: { 'Content-Type': linesType }, body: lines }), 413)
    const { memoryBytes } = await server.holding()
    assert.ok(memoryBytes < mostMemoryBytes, `${memoryBytes / mebibyte} MiB`)
  })

  it('takes no path for another', async () => {
    const paths: readonly (readonly [string, readonly number[]])[] = [
      ['/topics/..%2fin', [404]],
      ['/topics/%2e%2e/topics/in', [200]],
      ['/topics/in%00', [404]],
      ['/topics/in%0d%0aX:1', [404]],
      ['/topics/%ff%fe', [404]],
      ['/topics/in/', [404]],
      ['/topics//in', [404]],
      ['/topics/millrace.registry', [403]],
      ['/topics/millrace%2eregistry', [403]],
      [`/topics/${'n'.repeat(10_000)}`, [404]],
      [`/topics/in?key=${'k'.repeat(10_000)}`, [200]],
      ['/topics/in?key=%', [200]],
    ]
    for (const [path, expected] of paths) {
      const { status, text } = await send(server, { path, body: '1' })
      assert.ok(expected.includes(status), `${path.slice(0, 50)}: ${status} ${text.slice(0, 200)}`)
      if (status === 200) answered.push(...(JSON.parse(text) as Accepted).ids)
    }
    for (const line of [
      'POST /topics/in\0 HTTP/1.1',
      'POST \\topics\\in HTTP/1.1',
      'POST in HTTP/1.1',
    ]) {
      const text = await sendRaw(server, [`${line}\r\n${rest('1')}`])
      assert.deepEqual(statusesIn(text), [400], line)
    }
  })

  it('bounds headers', async () => {
    const flood = Array.from({ length: 3000 }, (_, n) => `X-${n}: ${'h'.repeat(100)}`).join('\r\n')
    const text = await sendRaw(server, [`POST /topics/in HTTP/1.1\r\n${flood}\r\n${rest('1')}`])
    assert.deepEqual(statusesIn(text), [431])
  })

  it('believes no length, and takes nothing of what is smuggled', async () => {
    const start = 'POST /topics/in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'
    const cases: readonly (readonly [string, string, readonly number[]])[] = [
      ['shorter than said', 'Content-Length: 100\r\n\r\n"lie"', [400, 408]],
      ['negative', 'Content-Length: -1\r\n\r\n"lie"', [400]],
      ['huge', 'Content-Length: 99999999999999999999\r\n\r\n"lie"', [400, 413]],
      ['above the bound', `Content-Length: ${maxBodyBytes + 1}\r\n\r\n"lie"`, [413]],
      ['two', 'Content-Length: 5\r\nContent-Length: 3\r\n\r\n"lie"', [400]],
      ['both', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', [400]],
      ['bad chunk', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n"lie"\r\n0\r\n\r\n', [400]],
      ['twice chunked', 'Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n', [400]],
    ]
    for (const [what, tail, allowed] of cases) {
      const [status] = statusesIn(await sendRaw(server, [start + tail], { endAfter: true }))
      assert.ok(status === undefined || allowed.includes(status), `${what}: ${status}`)
    }
    // What is longer than said is the next request, and no good one: Node ends the connection, most
    // often before the first answer is on its way.
    maybe.add('"true"')
    const longer = await sendRaw(server, [`${start}Content-Length: 6\r\n\r\n"true""lie"`])
    assert.equal(statusesIn(longer).at(-1), 400)
    remember(longer)
  })

  it('ends a body that never ends, by size or by time', async () => {
    const head =
      'POST /topics/in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
    const block = `10000\r\n${' '.repeat(65_536)}\r\n`
    const endless = await sendRaw(server, [head, ...Array.from({ length: 200 }, () => block)])
    assert.ok([undefined, 413].includes(statusesIn(endless)[0]))
    const slow = await sendRaw(server, [head, '1\r\n"\r\n'], { waitMs: 10_000 })
    assert.deepEqual(statusesIn(slow), [408])
    const single = '1\r\nx\r\n'.repeat(100_000)
    const crumbs = await sendRaw(server, [head, '1\r\n"\r\n', single, '1\r\n"\r\n0\r\n\r\n'], {
      waitMs: 3000,
    })
    assert.deepEqual(statusesIn(crumbs), [200], 'single bytes are a body too')
    remember(crumbs)
  })

  it('answers what is pipelined, each once and in order', async () => {
    const requests = Array.from({ length: 100 }, (_, n) => {
      return `POST /topics/in?key=p HTTP/1.1\r\n${rest(`{"pipelined":${n}}`, n < 99)}`
    })
    const text = await sendRaw(server, [requests.join('')])
    assert.deepEqual(statusesIn(text), Array(100).fill(200))
    remember(text)
  })

  it('survives uploads that break off, and takes no half of one', async () => {
    const broken = Array.from({ length: 300 }, (_, n) => {
      const value = `{"aborted":${n}}`
      const whole = `POST /topics/in HTTP/1.1\r\n${rest(value)}`
      const cut = n % 3 === 0 ? whole.length : Math.floor((whole.length * (n % 100)) / 100)
      if (cut === whole.length) maybe.add(value)
      return sendRaw(server, [whole.slice(0, cut)], { abortAfter: true })
    })
    await Promise.all(broken)
    assert.equal(await post({ body: '"after"' }), 200)
  })

  it('holds nothing of all that', async () => {
    server.agent.destroy()
    await sleep(1000)
    const { sockets, heapBytes } = await server.holding()
    assert.ok(sockets <= baseline.sockets, `${sockets} sockets, ${baseline.sockets} before`)
    const grown = (heapBytes - baseline.heapBytes) / mebibyte
    assert.ok(heapBytes < baseline.heapBytes + leakBytes, `${grown.toFixed(1)} MiB more`)
    console.log(`door.slow.test: the heap grew by ${grown.toFixed(1)} MiB`)
  })

  it(`goes on answering beside ${slowConnections} slow connections`, async () => {
    await server.kill()
    // To open them takes a while: none may be ended before the last one is there.
    const limits = { bodyMs: 30_000 }
    server = await TestServer.start({ directory, headersTimeoutMs: 30_000, door: { limits } })
    const before = await server.holding()
    const openedAt = performance.now()
    const sockets = await openSlowly(server.port)
    const held = await server.holding()
    const openMs = performance.now() - openedAt
    assert.ok(held.sockets > before.sockets + slowConnections * 0.9, `${held.sockets} sockets`)
    assert.ok(held.memoryBytes < mostMemoryBytes, `${held.memoryBytes / mebibyte} MiB`)
    for (let n = 0; n < 50; n++) assert.equal(await post({ body: `{"beside":${n}}` }), 200)
    // The server ends them itself: nobody here does.
    for (let waited = 0; waited < 600; waited++) {
      if (sockets.every((socket) => socket.closed)) break
      await sleep(100)
    }
    const left = sockets.filter((socket) => !socket.closed).length
    for (const socket of sockets) socket.destroy()
    assert.equal(left, 0, 'connections that the server never ended')
    server.agent.destroy()
    await sleep(200)
    const after = await server.holding()
    assert.ok(after.sockets <= before.sockets, `${after.sockets} sockets`)
    const mib = (bytes: number) => `${(bytes / mebibyte).toFixed(0)} MiB`
    const heap = `heap ${mib(before.heapBytes)} before, ${mib(after.heapBytes)} after`
    assert.ok(after.heapBytes < before.heapBytes + leakBytes, heap)
    console.log(
      `door.slow.test: ${(openMs / 1000).toFixed(0)} s to open, then ${mib(held.memoryBytes)}; ${heap}`,
    )
  })

  it('has kept exactly what it answered', async () => {
    assert.equal(server.endedBy, undefined, 'it never crashed')
    await server.kill()
    const log = await openEmbeddedLog({ directory })
    try {
      const kept = await keptIn(log, 'in')
      // Ids that senders chose may come again; places never do.
      const places = new Map(kept.map((one) => [one.id, one]))
      const known = new Set(answered)
      for (const id of known) assert.ok(places.has(id), `answered, but not there: ${id}`)
      const others = kept.filter(({ id }) => !known.has(id)).map(({ value }) => value!)
      const unexpected = others.filter((value) => !maybe.has(value))
      assert.deepEqual(unexpected, [], 'not answered, but there')
      assert.equal(new Set(others).size, others.length, 'at most once each')
      assert.equal(kept.length, answered.length + others.length)
      const lost = others.length
      console.log(
        `door.slow.test: ${kept.length} messages kept, ${lost} of them with a lost answer`,
      )
    } finally {
      await log.close()
    }
  })

  function remember(text: string): void {
    for (const [body] of text.matchAll(/\{"accepted":.*?\]\}/g)) {
      answered.push(...(JSON.parse(body) as Accepted).ids)
    }
  }
})

/** Headers and body behind the request line. */
function rest(body: string, keepAlive = false): string {
  const close = keepAlive ? '' : 'Connection: close\r\n'
  const length = Buffer.byteLength(body)
  return `Host: a\r\n${close}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`
}

/** What one value has to be to be taken without a key: JSON, and no delete. */
function isTaken(body: Buffer): boolean {
  try {
    return (
      JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)) !== null
    )
  } catch {
    return false
  }
}

/** Half of them stop inside the headers, half inside the body. */
async function openSlowly(port: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = []
  while (sockets.length < slowConnections) {
    const some = Array.from({ length: 250 }, (_, n) => {
      const socket = net.connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.resume()
      const head = 'POST /topics/in HTTP/1.1\r\nHost: a\r\n'
      const body = 'Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"slow":'
      socket.write(n % 2 === 0 ? head : head + body)
      return socket
    })
    await Promise.all(
      some.map(
        (socket) =>
          socket.connecting &&
          new Promise((resolve) => socket.once('connect', resolve).once('close', resolve)),
      ),
    )
    sockets.push(...some)
  }
  return sockets
}
