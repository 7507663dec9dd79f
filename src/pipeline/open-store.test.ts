import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Log, OpenStateOptions } from '../log/log.ts'
import { createMemoryLog } from '../log/memory.ts'
import { count } from '../transforms/aggregators.ts'
import { tumbling } from '../transforms/window.ts'
import { windowStep } from '../transforms/window-step.ts'
import { openStore } from './open-store.ts'

describe('the state of a step', () => {
  const opened = async (restored: readonly (readonly [number, number])[]) => {
    const log = createMemoryLog()
    const told: (string | undefined)[] = []
    const restoring: Log = Object.assign(Object.create(log), {
      openState(store: string, partition: number, { onProgress }: OpenStateOptions) {
        for (const [done, total] of restored) onProgress?.(done, total)
        return log.openState(store, partition)
      },
    })
    await log.createTopic('t', { partitions: 1 })
    const member = await log.join('g', { topics: [{ name: 't', partitions: 1 }] })
    const store = await openStore({
      ...{ log: restoring, member, pipeline: 'p', step: 'counts', partition: 3 },
      form: windowStep(tumbling('1m'), count() as never).form,
      onProgress: (words) => told.push(words),
    })
    await store.close()
    return told
  }

  it('tells how far it is while it is brought here', async () => {
    const words = (percent: number) => `restoring state of step counts, partition 3: ${percent} %`
    assert.deepEqual(
      await opened([
        [0, 5],
        [2, 5],
        [5, 5],
      ]),
      [words(0), words(40), undefined],
    )
    assert.deepEqual(await opened([]), [])
    assert.deepEqual(await opened([[5, 5]]), [], 'there was nothing to wait for')
  })
})
