/** The way to brokers leaves nothing open behind it, also where connections break off or are late. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { metadataV12 } from '@platformatic/kafka'
import { systemClock } from '../core/clock.ts'
import { KafkaClient } from './kafka-client.ts'

describe('a Kafka client closes what it opened', () => {
  let server: Server
  let connection: { readonly brokers: readonly string[]; readonly clientId: string }
  const sockets = new Set<Socket>()
  let requests = 0
  /** True: the connection breaks off instead of an answer. Undefined: no answer comes. */
  let breaks: (request: number) => boolean | undefined

  before(async () => {
    server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
      socket.on('data', (bytes) => {
        for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32BE(at)) {
          const isBroken = breaks(++requests)
          if (isBroken === true) socket.write('abc', () => socket.resetAndDestroy())
          // An answer that nobody can read: its length, the number of the request, nothing else.
          if (isBroken === false) {
            const number = bytes.subarray(at + 8, at + 12)
            socket.write(Buffer.concat([Buffer.from([0, 0, 0, 5]), number, Buffer.alloc(1)]))
          }
        }
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    connection = { brokers: [`127.0.0.1:${port}`], clientId: 'test' }
  })

  beforeEach(() => {
    requests = 0
  })

  after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  it('also what came for a connection that broke off', async () => {
    breaks = (request) => request % 7 === 0
    const client = new KafkaClient(connection)
    const ask = () => client.call(-1, 'lane', metadataV12.api, [], false, false)
    const asker = async () => {
      // Some come between the error of a connection and its end.
      while (requests < 500) await assert.rejects(ask()).then(() => turn())
    }
    await Promise.all([asker(), asker(), asker(), asker()])
    await client.close()
    await untilNoneIsOpen()
  })

  it('also what answered so late that another was asked', async () => {
    breaks = () => undefined
    const clock = { ...systemClock, sleep: async () => undefined }
    const client = new KafkaClient(connection, clock)
    await assert.rejects(client.topics(), /does not answer/)
    if (requests === 0) await once(server, 'connection')
    await client.close()
    await untilNoneIsOpen()
  })

  async function untilNoneIsOpen(): Promise<void> {
    const untilMs = Date.now() + 2000
    while (sockets.size > 0 && Date.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.equal(sockets.size, 0)
  }
})
