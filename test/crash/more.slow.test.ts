/**
 * Kills where there is more to lose than messages: in a start with --fresh, which forgets what was,
 * and with a DuckDB table beside. CRASH_SEED=<number> replays the choices.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { seededRandom } from '../../src/core/random.ts'
import { Life } from './life.ts'
import { assertSame, type Outcome } from './outcome.ts'
import { type Input, makeInput, removeInput, World } from './world.ts'

const seed = Number(process.env.CRASH_SEED ?? 1)

let input: Input
let undisturbed: Outcome

before(async () => {
  input = makeInput(1500)
  const world = new World(input, 'undisturbed')
  await world.finish(1)
  undisturbed = await world.outcome()
})

after(() => removeInput(input))

describe('killed with -9', () => {
  it('in a start with --fresh: the next start goes on forgetting', async (t) => {
    const world = new World(input, 'fresh')
    await world.finish(1)
    let kills = 0
    for (const nth of [1, 2, 4, 6, 8, 10, 12, 14, 17, 20, 24, 28]) {
      const crash = { where: 'main', step: 'committed', nth } as const
      const life = new Life(world, { workers: 1, fresh: true, testing: { crash } })
      const { signal } = await life.ended
      assert.equal(signal ?? 'caught up', signal === null ? 'caught up' : 'SIGKILL', life.words())
      if (signal === 'SIGKILL') kills++
      await world.finish(1)
      assertSame(await world.outcome(), undisturbed)
    }
    t.diagnostic(`${kills} kills`)
    assert.ok(kills >= 10)
  })

  it('with a DuckDB table: it has each message once', async () => {
    const world = new World(input, 'warehouse')
    const random = seededRandom(seed + 5)
    const app = 'app-warehouse.ts'
    for (let kills = 0; kills < 12; kills++) {
      const ratePerSecond = (await world.left()) / (12 - kills) / 1.5
      const life = new Life(world, { workers: 1, app, ratePerSecond: Math.max(10, ratePerSecond) })
      await life.until((told) => told.kind === 'status' && told.messages > 0)
      assert.ok(await life.kill(random() * 500), life.words())
    }
    await world.finish(1, app)
    assertSame(await world.outcome(), undisturbed)
    assert.deepEqual(await rowsOf(world), expectedRows())
  })
})

async function rowsOf(world: World): Promise<string[]> {
  const instance = await DuckDBInstance.create(join(world.directory, 'warehouse.duckdb'))
  const connection = await instance.connect()
  const answer = await connection.runAndReadAll('SELECT _id, item, seq, mood::VARCHAR FROM matched')
  const rows = answer.getRows().map(([id, item, seq, mood]) => {
    return `${id} ${item} ${seq} ${JSON.stringify(JSON.parse(String(mood)))}`
  })
  connection.closeSync()
  instance.closeSync()
  return rows.sort()
}

function expectedRows(): string[] {
  const entries = ['matched/0', 'matched/1'].flatMap((place) => undisturbed.topics.get(place)!)
  return entries
    .map(({ id, text }) => {
      const value = JSON.parse(text.slice(text.indexOf('{'))) as Record<string, unknown>
      return `${id} ${value.item} ${value.seq} ${JSON.stringify(value.mood)}`
    })
    .sort()
}
