import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemoryLog } from '../log/memory.ts'
import { registeredModels, registerModel, registryTopic } from './registry.ts'

const model = (name: string, version: string) => ({
  name,
  version,
  registeredAtMs: 5,
  details: { rows: 3 },
})

describe('the registry', () => {
  it('knows nothing before the first model', async () => {
    assert.equal((await registeredModels(createMemoryLog())).size, 0)
  })

  it('gives the newest version of each name, in a compacted topic', async () => {
    const log = createMemoryLog()
    for (const one of [model('spam', 'a1'), model('topic', 'b1'), model('spam', 'a2')]) {
      await registerModel(log, one)
    }
    const models = await registeredModels(log)
    assert.deepEqual([...models.keys()].sort(), ['spam', 'topic'])
    assert.deepEqual(models.get('spam'), model('spam', 'a2'))
    assert.equal((await log.topic(registryTopic))!.cleanup, 'compact')
  })
})
