import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Log } from '../log/log.ts'
import { newLog } from '../log/log-testing.ts'
import { tumbling } from '../transforms/window.ts'
import { audit } from './audit.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { appendAll, readAll, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const given = topic<{ n: number }>('given', { partitions: 1 })
const copy = pipeline('copy')
  .from(given)
  .to(topic<{ n: number }>('copied', { partitions: 1 }))
const clock = { now: () => 0, sleep: async () => undefined }

/** The log after two messages, in which one more is counted than there is. */
async function oneTooMany(changed: Partial<Log> = {}): Promise<Log> {
  const log = await newLog()
  await log.createTopic('given', { partitions: 1 })
  await appendAll(log, 'given', [{ value: { n: 1 } }, { value: { n: 2 } }])
  await runUntilCaughtUp(log, [copy])
  const count: Log['count'] = async (...asked) => (await log.count(...asked)) + 1
  const own: Partial<Log> = { count, ...changed }
  return new Proxy(log, {
    get: (target, name) => {
      const member = own[name as 'count'] ?? Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

describe('the audit of a pipeline', () => {
  it('says what does not balance', async () => {
    const { imbalances } = await audit(await oneTooMany(), copy['~pipeline'], clock)
    assert.match(imbalances.join('\n'), /output copied: 3 messages there, 2 written/)
  })

  it('says nothing of what is being committed while it counts', async () => {
    let looks = 0
    const log = await oneTooMany()
    const group: Log['group'] = async (name) => {
      const found = await log.group(name)
      looks++
      const checkpoints = found!.checkpoints.map((one) => ({ ...one, generation: looks }))
      return { ...found!, checkpoints }
    }
    const { imbalances } = await audit(await oneTooMany({ group }), copy['~pipeline'], clock)
    assert.deepEqual(imbalances, [])
    assert.ok(looks > 10, 'it looked again and again')
  })

  it('knows a topic of what is late by several steps, of joins those of one side', async () => {
    const one = { partitions: 1 }
    const late = topic<object>('late', one)
    const joined = pipeline('joined')
      .from(given)
      .keyBy()
      .join('other', topic<{ n: number }>('others', one), { within: 10, late })
      .keyBy()
      .window(tumbling(1000))
      .aggregate('count', (over) => ({ pairs: over.count() }), { late })
      .to(topic<object>('counts', one))
    const log = await newLog()
    for (const name of ['given', 'others']) {
      await log.createTopic(name, one)
      const at = (time: number) => ({ key: 'x', value: { n: time }, time })
      await appendAll(log, name, [at(5000), at(0), at(1)])
    }
    const { audits } = await runUntilCaughtUp(log, [joined])
    assert.deepEqual(audits.get('joined')!.imbalances, [])
    assert.equal(audits.get('joined')!.steps.get('other')!.late, 4)
    assert.equal((await readAll(log, 'late')).length, 2)
    const { outputs } = planOf([joined['~pipeline']]).pipelines[0]!
    assert.equal(outputs.filter(({ name }) => name === 'late').length, 2)
  })
})
