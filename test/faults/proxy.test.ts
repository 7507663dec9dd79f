/** The proxy of the fault suite does to connections what it is told to, and else nothing. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, describe, it } from 'node:test'
import { freePorts } from '../../scripts/services/ports.ts'
import { Gate } from './proxy.ts'

describe('the proxy of the fault suite', () => {
  let server: Server
  let gate: Gate
  /** What the far end heard. */
  const heard: Socket[] = []
  const clients: Socket[] = []

  before(async () => {
    server = createServer((socket) => {
      heard.push(socket)
      socket.on('error', () => undefined)
      socket.on('data', (bytes) => socket.write(`${bytes}`.toUpperCase()))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    gate = new Gate((await freePorts(1))[0]!)
    gate.target = `127.0.0.1:${(server.address() as AddressInfo).port}`
    await gate.open()
  })

  afterEach(async () => {
    for (const socket of clients.splice(0)) socket.destroy()
    await gate.calm()
  })

  after(() => {
    gate.close()
    server.close()
  })

  const dial = async () => {
    const socket = connect(gate.port, '127.0.0.1')
    clients.push(socket)
    await once(socket, 'connect')
    return socket
  }
  const answer = async (socket: Socket, words: string) => {
    socket.write(words)
    return `${(await once(socket, 'data'))[0]}`
  }

  it('hands on what comes, both ways, and the end', async () => {
    const socket = await dial()
    assert.equal(await answer(socket, 'one'), 'ONE')
    const far = heard.at(-1)!
    socket.destroy()
    await once(far, 'close')
    const other = await dial()
    assert.equal(await answer(other, 'two'), 'TWO')
    heard.at(-1)!.end()
    await once(other, 'close')
  })

  it('is slow: late, and little at a time', async () => {
    const socket = await dial()
    await answer(socket, 'known')
    gate.begin({ kind: 'slow', bytesPerSecond: 1000, delayMs: 60 })
    const startMs = performance.now()
    await answer(socket, 'x'.repeat(100))
    // 60 ms and 100 ms there, and the same back; it waits no shorter, however busy the machine is.
    assert.ok(performance.now() - startMs > 150)
  })

  for (const isLate of [true, false]) {
    it(`is half-open: what comes is ${isLate ? 'late' : 'lost'}`, async () => {
      const idle = await dial()
      await answer(idle, 'idle')
      const socket = await dial()
      await answer(socket, 'before')
      gate.begin({ kind: 'half-open', direction: 'answers', isLate })
      socket.write('during')
      const far = heard.at(-1)!
      await once(far, 'data')
      const words: string[] = []
      socket.on('data', (bytes) => words.push(`${bytes}`))
      // The far end goes away too, and nobody hears of it.
      if (!isLate) far.end()
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.deepEqual([words, socket.destroyed, idle.destroyed], [[], false, false])
      await gate.calm()
      if (isLate) await once(socket, 'data')
      else await once(socket, 'close')
      assert.deepEqual(words, isLate ? ['DURING'] : [])
      assert.equal(await answer(idle, 'again'), 'AGAIN')
    })
  }

  it('resets in the middle of an answer', async () => {
    const socket = await dial()
    gate.begin({ kind: 'reset', mostBytes: 20, random: () => 0.5 })
    assert.equal(await answer(socket, 'ten bytes.'), 'TEN BYTES.')
    const rest = text(socket).catch(({ code }: NodeJS.ErrnoException) => code)
    socket.write('another ten')
    assert.equal(await rest, 'ECONNRESET')
    assert.equal(gate.counts.reset, 1)
  })

  it('refuses whoever comes, and throws out whoever was there', async () => {
    const socket = await dial()
    await answer(socket, 'in')
    const [error] = await Promise.all([
      once(socket, 'error').catch((thrown: unknown) => [thrown]),
      gate.begin({ kind: 'refused' }),
    ]).then(([found]) => found as [NodeJS.ErrnoException])
    assert.equal(error.code, 'ECONNRESET')
    await assert.rejects(dial(), { code: 'ECONNREFUSED' })
    await gate.calm()
    assert.equal(await answer(await dial(), 'back'), 'BACK')
  })

  it('throws out whoever it cannot lead further', async () => {
    const { target } = gate
    gate.target = `127.0.0.1:${(await freePorts(1))[0]}`
    const socket = connect(gate.port, '127.0.0.1')
    clients.push(socket)
    await once(socket, 'close').catch(() => undefined)
    assert.ok(socket.destroyed)
    gate.target = target
  })
})
