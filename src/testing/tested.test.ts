import assert from 'node:assert/strict'
import { it } from 'node:test'
import { seededRandom } from '../core/random.ts'
import { ensureTopics } from '../pipeline/ensure-topics.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { planOf } from '../pipeline/plan.ts'
import { topic } from '../pipeline/topic.ts'
import { StandIns } from './stand-ins.ts'
import { Tested } from './tested.ts'
import { openWorld } from './world.ts'

it('a test of an application fails where a ledger is not balanced at its end', async () => {
  const copy = pipeline('copy').from(topic<number>('numbers')).to(topic('copies'))
  const standIns = new StandIns([copy['~pipeline']], {})
  const { definitions } = standIns
  for (const lost of [0, 1]) {
    const world = await openWorld('memory', 0)
    await ensureTopics(world.log, planOf(definitions))
    const count = world.log.count.bind(world.log)
    world.log.count = async (name, partition, ...others) => {
      const there = await count(name, partition, ...others)
      return name === 'copies' && there > 0 ? there - lost : there
    }
    const random = seededRandom(1)
    const t = new Tested({ world, definitions, standIns, startMs: 0, random, patienceMs: 30_000 })
    await t.push('numbers', [1, 2, 3], { key: 'one' })
    await t.run()
    if (lost === 0) await t['~end']()
    else {
      await assert.rejects(t['~end'](), {
        name: 'AssertionError',
        message:
          /the ledger of pipeline copy is not balanced:\n {2}output copies: 2 messages there, 3/,
      })
    }
  }
})
