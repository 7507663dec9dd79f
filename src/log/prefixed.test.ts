import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { joinAlone, put, valuesIn } from './log.contract.support.ts'
import { logContract, shiftedClock } from './log.contract.ts'
import { createMemoryLog, MemoryStore } from './memory.ts'
import { prefixed } from './prefixed.ts'

logContract('prefixed', async () => {
  const store = new MemoryStore()
  const { clock, elapse } = shiftedClock()
  const another = async () => prefixed(createMemoryLog({ clock, store }), 'app')
  const kept = createMemoryLog({ clock, store })
  const log = await another()
  return {
    ...{ log, reopen: another, second: another, elapse },
    maintain: () => kept.maintain(),
    now: () => clock.now(),
    close: () => log.close(),
  }
})

describe('prefixed log', () => {
  it('keeps two applications apart on one log, and both apart from what has no prefix', async () => {
    const store = new MemoryStore()
    const kept = createMemoryLog({ store })
    const [one, two] = ['one', 'two'].map((prefix) => prefixed(createMemoryLog({ store }), prefix))
    await kept.createTopic('mails', { partitions: 1 })
    for (const log of [one!, two!]) {
      await log.createTopic('mails', { partitions: 1 })
      const member = await joinAlone(log, 'score', [{ name: 'mails', partitions: 1 }])
      const checkpoints = [{ topic: 'mails', partition: 0, offset: 1, metadata: '' }]
      const changes = [{ store: 's', partition: 0, key: 'k', value: Buffer.from('v') }]
      await put(log, 'mails', 0, ['mine'], { checkpoints, changes, member })
    }
    assert.deepEqual(await valuesIn(one!, 'mails'), ['mine'])
    assert.deepEqual(await valuesIn(kept, 'mails'), [])
    const names = (await kept.topics()).map(({ name }) => name)
    assert.deepEqual(names.sort(), ['mails', 'one.mails', 'two.mails'])
    assert.deepEqual(
      (await kept.groups()).map(({ name }) => name),
      ['one.score', 'two.score'],
    )
    assert.equal((await kept.state('one.s', 0, ['k'])).size, 1)
    assert.deepEqual(
      (await two!.groups()).map(({ name, checkpoints }) => [name, checkpoints[0]!.topic]),
      [['score', 'mails']],
    )
  })
})
