/**
 * Two servers on one directory are killed with -9 ten times while clients send with Idempotency-Keys
 * and ask again, at either of them, until they have an answer: every message is there exactly once,
 * and every answer says where.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../core/random.ts'
import { openEmbeddedLog } from '../log/embedded.ts'
import type { Accepted } from './door.ts'
import { keptIn, linesType } from './door-testing.ts'
import { send, TestServer } from './door-testing-client.ts'

const seed = Number(process.env.CRASH_SEED ?? 1)
const kills = 10
const clients = 8
const linesPerRequest = 5

describe('door, killed', () => {
  it('each message exactly once, though every client asks again and again', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-door-'))
    const random = seededRandom(seed)
    const servers: TestServer[] = []
    let isKilling = true
    let again = 0
    const start = () => TestServer.start({ directory })

    /** One request, sent until it is answered; whoever was killed meanwhile may have taken it. */
    async function insist(key: string, body: string): Promise<Accepted> {
      for (let tries = 0; ; tries++) {
        const server = servers[Math.floor(random() * servers.length)]!
        const headers = { 'Content-Type': linesType, 'Idempotency-Key': key }
        try {
          const { status, text } = await send(server, { headers, body })
          if (status === 200) return JSON.parse(text) as Accepted
          assert.ok([409, 503].includes(status), `${status} ${text}`)
        } catch (error) {
          if ((error as { name?: string }).name === 'AssertionError') throw error
        }
        again++
        assert.ok(tries < 2000, 'it never gets an answer')
        await sleep(5 + random() * 20)
      }
    }

    const answers: Accepted[] = []
    async function client(number: number): Promise<void> {
      for (let request = 0; isKilling; request++) {
        const lines = Array.from(
          { length: linesPerRequest },
          (_, n) => `"${number}.${request}.${n}"`,
        )
        answers.push(await insist(`key-${number}-${request}`, lines.join('\n')))
      }
    }

    try {
      servers.push(await start(), await start())
      const working = Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
      working.catch(() => {})
      for (let kill = 0; kill < kills; kill++) {
        await sleep(100 + random() * 400)
        const victim = kill % 2
        await servers[victim]!.kill()
        servers[victim] = await start()
      }
      isKilling = false
      await working
      for (const server of servers) await server.kill()
      const count = await checkKept(directory, answers)
      assert.ok(again > 0, 'nobody ever had to ask again: the kills came to nothing')
      console.log(`door-kills: ${count} messages, ${again} requests sent again, ${kills} kills`)
    } finally {
      isKilling = false
      for (const server of servers) await server.kill()
      await rm(directory, { recursive: true, force: true })
    }
  })
})

/** Every message once, where the answers say; returns how many there are. */
async function checkKept(directory: string, answers: readonly Accepted[]): Promise<number> {
  const log = await openEmbeddedLog({ directory })
  const kept = await keptIn(log, 'in').finally(() => log.close())
  assert.equal(kept.length, answers.length * linesPerRequest)
  assert.equal(new Set(kept.map(({ value }) => value)).size, kept.length, 'each once')
  const places = new Set(kept.map(({ id }) => id))
  const told = answers.flatMap(({ ids }) => ids)
  assert.deepEqual(new Set(told), places, 'the answers name what is there')
  return kept.length
}
