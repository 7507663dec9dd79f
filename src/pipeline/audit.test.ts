import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Log } from '../log/log.ts'
import { newLog } from '../log/log-testing.ts'
import { audit } from './audit.ts'
import { pipeline } from './pipeline.ts'
import { appendAll, runUntilCaughtUp } from './testing.ts'
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
})
