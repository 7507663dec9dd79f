/**
 * A topic is taken away, or takes less than before, while an application works with it. It goes on, or
 * it ends and says which topic that is about; started again it does the rest, and nothing twice.
 */
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaLog } from '../../src/log/kafka.ts'
import { newName, unlessMissing } from '../../src/log/kafka-testing.ts'
import type { Log } from '../../src/log/log.ts'
import { closeGround, type Ground, openGround, whyNoGround } from './ground.ts'
import type { Life } from './life.ts'
import { checkOutcome, differences, type Entry, type Outcome } from './outcome.ts'
import { type Calm, runCalm } from './schedule.ts'
import { World } from './world.ts'

const orders = 900
const beginMs = 60_000
const endMs = 120_000

unlessMissing('topics that change under a running application', whyNoGround(), () => {
  let ground: Ground
  let calm: Calm
  let log: Log

  before(async () => {
    ground = await openGround(1)
    const brokers = ground.cluster.bootstrapServers.split(',')
    log = await openKafkaLog({ connection: { brokers, clientId: 'faults' } })
    calm = await runCalm(ground, orders)
  })

  after(async () => {
    await log?.close()
    if (ground !== undefined) await closeGround(ground)
  })

  /** Does it while a process works, and lets that and the one after it come to the end. */
  async function disturbed(
    change: (run: string, world: World) => Promise<void>,
    check: (life: Life, run: string) => void,
    checkFound: (found: Outcome) => void,
  ): Promise<void> {
    const run = newName('topics')
    const one = { processes: 1, workers: 1, ratePerSecond: 60, orders }
    const world = new World({ ...ground, ...one, run })
    let isWell = false
    try {
      const life = world.start()
      assert.ok((await world.begun(beginMs)) !== undefined, life.words)
      await sleep(2000)
      await change(run, world)
      assert.ok(await life.within(endMs), `it ends: ${life.words}`)
      check(life, run)
      await world.hurry()
      const next = world.start()
      assert.ok(await next.within(endMs), `the next one ends: ${next.words}`)
      // Where messages went with a topic the ledger says so, and that is the only thing it may say.
      if (next.ending?.code !== 0) assert.match(next.words, /is not balanced: output/)
      assert.match(next.words, /caught up/)
      await checkOutcome(ground.cluster, run, checkFound)
      isWell = true
    } finally {
      await world.close(!isWell)
      if (!isWell) console.error(`what processes said is in ${world.directory}`)
    }
  }

  const named = (short: string) => (life: Life, run: string) => {
    assert.equal(life.ending?.code, 1)
    assert.match(life.words, new RegExp(`${run}-${short}`))
    assert.match(life.words, /TOPIC_UNKNOWN/)
  }

  it('an output is deleted: it is named, and filled again from there', () =>
    disturbed(
      (run) => log.deleteTopic(`${run}-matched`),
      named('matched'),
      (found) => {
        assertSome(found, calm.outcome, ['matched'])
        assert.ok(found.get('matched')!.length > 0)
        assert.ok(found.get('matched')!.length < calm.outcome.get('matched')!.length)
      },
    ))

  it('an input is deleted: it is named, and the new one is read from its beginning', () =>
    disturbed(
      (run) => log.deleteTopic(`${run}-orders`),
      named('orders'),
      (found) => {
        const derived = ['orders', 'scored', 'matched', 'score.dead-letters', 'match.dead-letters']
        assertSome(found, calm.outcome, derived)
        // Whatever is in the topic now went through the pipeline.
        const there = new Set(idsOf(found.get('orders')!))
        assert.ok(there.size > 0 && there.size < orders)
        for (const name of ['scored', 'score.dead-letters']) {
          const ids = new Set(idsOf(found.get(name)!))
          for (const id of idsOf(calm.outcome.get(name)!)) {
            assert.ok(!there.has(orderOf(id)) || ids.has(id), `${name}: lost: ${id}`)
          }
        }
      },
    ))

  it('a limit is lowered: what does not fit any more is a dead letter', () =>
    disturbed(
      (_, world) => world.configure('scored', 'max.message.bytes', String(lowLimit)),
      (life) => {
        if (life.ending?.code !== 0) assert.match(life.words, /MESSAGE_TOO_LARGE/)
      },
      (found) => {
        const letters = found.get('score.dead-letters')!
        const more = letters.length - calm.outcome.get('score.dead-letters')!.length
        assert.ok(more > 0, 'some do not fit')
        assert.equal(found.get('scored')!.length + more, calm.outcome.get('scored')!.length)
        const mayMiss = ['scored', 'matched', 'score.dead-letters']
        assertSome(found, calm.outcome, mayMiss, new Set(letters))
      },
    ))
})

/** Some of the application's messages are longer, none of the others is half as long. */
const lowLimit = 5500

const idsOf = (entries: readonly Entry[]) => entries.map(({ id }) => id)
/** A dead letter's key begins with its step. */
const orderOf = (id: string) => id.slice(id.indexOf('generate:'))

/** What is there is as it should be, once; only in some topics something may be missing. */
function assertSome(
  found: Outcome,
  calm: Outcome,
  mayMiss: readonly string[],
  more: ReadonlySet<Entry> = new Set(),
): void {
  const wrong = [...calm].flatMap(([name, expected]) => {
    const known = new Set(idsOf(expected))
    const entries = found.get(name)!.filter((one) => !more.has(one) || known.has(one.id))
    const all = differences(name, entries, expected)
    return mayMiss.includes(name) ? all.filter((words) => !/: lost: /.test(words)) : all
  })
  assert.deepEqual(wrong, [])
}
