import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codeOf, messageOf } from '../core/errors.ts'
import { JetstreamServer, jetstreamEvent, type ServerConnection } from './bluesky-testing.ts'
import { idsOf, posts, readUntil, startUs, withServer } from './bluesky-testing-reader.ts'

/** A server that sends a part, then does something wrong, and behaves the next time. */
function misbehaving(first: (connection: ServerConnection) => void) {
  const events = posts(20, 1000)
  return {
    events,
    behave(connection: ServerConnection, server: { replay(to: ServerConnection): void }) {
      if (connection.number > 0) {
        server.replay(connection)
        return
      }
      for (const event of events.slice(0, 8)) connection.send(event)
      first(connection)
    },
  }
}

const ninth = jetstreamEvent({ timeUs: startUs + 8000 })

describe('bluesky, with a server that misbehaves', () => {
  const breaks: { readonly [name: string]: (connection: ServerConnection) => void } = {
    'ends in the middle of a message': (connection) => {
      connection.sendHalf(ninth)
      setTimeout(() => connection.destroy(), 10)
    },
    'says half a frame and stalls': (connection) => connection.sendHalf(ninth),
    'stalls without a close': () => undefined,
    'closes politely': (connection) => connection.close(),
    'sends what is not UTF-8': (connection) => connection.sendFrame(1, Buffer.from([0x7b, 0xff])),
    'sends a frame that is none': (connection) => connection.socket.write(Buffer.alloc(64, 0xff)),
    'pings, and never answers': (connection) => {
      connection.sendFrame(9, Buffer.from('anybody?'))
    },
  }
  for (const [name, misbehave] of Object.entries(breaks)) {
    test(`${name}: each post comes once, in order`, async () => {
      await withServer(misbehaving(misbehave), async ({ open, server }) => {
        const { ids } = await readUntil(await open({ silenceMs: 150 }), 20)
        assert.deepEqual(ids, idsOf(20))
        assert.ok(server.connections.length > 1)
      })
    })
  }

  test('lets go of a server that stalls: nothing is left open', async () => {
    await withServer(
      misbehaving(() => undefined),
      async ({ open, server }) => {
        const reader = await open()
        await readUntil(reader, 8)
        await reader.close()
        await reader.close()
        while (server.open > 0) await new Promise((resolve) => setTimeout(resolve, 5))
        assert.equal(await reader.read(1), undefined)
      },
    )
  })

  test('a refused handshake is tried again, and told in words', async () => {
    const refuse = (number: number) => (number < 3 ? 429 : undefined)
    await withServer({ events: posts(5, 1000), refuse }, async ({ open, server }) => {
      const { ids, away } = await readUntil(await open({ maxTries: 9, retryWaitMs: 4 }), 5)
      assert.deepEqual(ids, idsOf(5))
      assert.equal(server.handshakes, 4)
      assert.match(away[0]!, /subscribe: it answered 429: too many connections/)
    })
  })

  test('gives up on what was never there, after so many tries, and says how to go on', async () => {
    await withServer({ events: [], refuse: () => 503 }, async ({ open, server }) => {
      await assert.rejects(readUntil(await open(), 1), (error) => {
        assert.equal(codeOf(error), 'SOURCE_UNREACHABLE')
        assert.match(messageOf(error), /gave up after 3 tries.*it answered 503; check the network/)
        return true
      })
      assert.equal(server.handshakes, 3)
      const gone = await JetstreamServer.start({ events: [] })
      const nobody = await open({ url: gone.url })
      await gone.stop()
      await assert.rejects(readUntil(nobody, 1), /subscribe: connect ECONNREFUSED/)
    })
  })

  test('what it was connected to before, it waits for for 15 minutes', async () => {
    let isDown = false
    const settings = { events: posts(3, 1000), refuse: () => (isDown ? 503 : undefined) }
    await withServer(settings, async ({ open, server, clock }) => {
      const reader = await open()
      await readUntil(reader, 3)
      isDown = true
      for (const connection of server.connections) connection.destroy()
      const hang = async () => {
        for (;;) {
          await reader.read(1).catch((error: unknown) => {
            if (codeOf(error) !== 'SOURCE_AWAY') throw error
          })
          if (server.handshakes > 6) clock.aheadMs = 16 * 60_000
        }
      }
      await assert.rejects(hang(), (error) => codeOf(error) === 'SOURCE_UNREACHABLE')
      assert.ok(server.handshakes > 6)
    })
  })

  test('goes to the next address, with a cursor that goes back, and gives nothing twice', async () => {
    const broken = misbehaving((connection) => connection.destroy())
    await withServer(broken, async ({ open, server: first }) => {
      await withServer({ events: posts(20, 1000) }, async ({ server: second }) => {
        const { ids } = await readUntil(await open({ url: [first.url, second.url] }), 20)
        assert.deepEqual(ids, idsOf(20))
        assert.equal(first.connections.length, 1)
        assert.equal(second.connections[0]!.cursor, startUs + 7000 - 5_000_000)
      })
    })
  })

  test('a full queue disconnects and goes on from its cursor: nothing is lost', async () => {
    await withServer({ events: posts(300, 1000) }, async ({ open, server }) => {
      const { ids } = await readUntil(await open({ maxQueued: 40 }), 300, 7)
      assert.deepEqual(ids, idsOf(300))
      assert.ok(server.connections.length >= 7, `${server.connections.length} connections`)
      assert.ok(server.open <= 1)
    })
  })

  test('after a kill it goes on with the same server, without a gap and without a repeat', async () => {
    await withServer({ events: posts(400, 1000) }, async ({ open, server }) => {
      const got: string[] = []
      let position: unknown
      while (got.length < 400) {
        const reader = await open({ maxQueued: 60 }, position)
        const part = await readUntil(reader, Math.min(130, 400 - got.length), 10)
        // What waits in its queue dies with it.
        await reader.close()
        got.push(...part.ids)
        position = part.position
      }
      assert.deepEqual(got, idsOf(400))
      assert.ok(server.connections.length > 4)
    })
  })
})
