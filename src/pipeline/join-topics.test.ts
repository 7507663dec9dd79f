import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemoryLog } from '../log/memory.ts'
import { ensureTopics } from './ensure-topics.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { topic } from './topic.ts'

const joined = pipeline('p')
  .from(topic<{ id: string }>('left'))
  .join('other', topic<{ b: number }>('right'))
  .to(topic<{ id: string }>('both'))

describe('topics of a join that were there before', () => {
  it('are refused when their numbers of partitions differ', async () => {
    const log = createMemoryLog()
    await log.createTopic('left', { partitions: 2 })
    await log.createTopic('right', { partitions: 5 })
    await assert.rejects(ensureTopics(log, planOf([joined['~pipeline']])), {
      code: 'PIPELINE_INVALID',
      message: /left \(2 partitions\) and right \(5\)/,
    })
  })

  it('get dead letters and replays with as many partitions, so that these come back to their own', async () => {
    const log = createMemoryLog()
    for (const name of ['left', 'right']) await log.createTopic(name, { partitions: 7 })
    const plan = planOf([joined['~pipeline']])
    await ensureTopics(log, plan)
    await ensureTopics(log, plan)
    for (const name of ['p.dead-letters', 'p.replay']) {
      assert.equal((await log.topic(name))!.partitions, 7)
    }
  })
})
