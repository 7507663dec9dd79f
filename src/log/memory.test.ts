import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { logModelTest } from './log.contract.model.ts'
import { put, valuesIn } from './log.contract.support.ts'
import { logContract, shiftedClock } from './log.contract.ts'
import { createMemoryLog, MemoryStore } from './memory.ts'

const open = async () => {
  const store = new MemoryStore()
  const { clock, elapse } = shiftedClock()
  const another = async () => createMemoryLog({ clock, store })
  const log = await another()
  return {
    log,
    reopen: another,
    second: another,
    maintain: () => log.maintain(),
    elapse,
    now: () => clock.now(),
    close: () => log.close(),
  }
}

logContract('memory', open)
logModelTest('memory', open)

describe('memory log', () => {
  it('compacts to the letter, and forgets with its store', async () => {
    const log = createMemoryLog()
    await log.createTopic('t', { partitions: 1, cleanup: 'compact' })
    await put(log, 't', 0, ['no key', { key: 'a', value: '1' }, { key: 'a', value: null }])
    await log.maintain()
    assert.deepEqual(await valuesIn(log, 't'), ['no key', null])
    assert.deepEqual(await createMemoryLog().topics(), [])
  })
})
