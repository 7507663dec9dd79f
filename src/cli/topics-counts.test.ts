import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Log } from '../log/log.ts'
import { table } from './table.ts'
import { countedText, countTopic } from './topics-counts.ts'

/** A log that holds fewer messages than offsets, and says what was counted. */
function logOf(countsByReading: boolean) {
  const counted: number[] = []
  const count: Log['count'] = async (_topic, partition, { start, end }) => {
    counted.push(partition)
    return end - start - 1
  }
  return { log: { countsByReading, count } as Log, counted }
}

const ranges = [
  { start: 5, end: 10 },
  { start: 7, end: 7 },
  { start: 0, end: 20_001 },
]
const topic = { name: 't', partitions: 3 } as Parameters<typeof countTopic>[1]

describe('messages of a topic', () => {
  it('are counted where that is cheap', async () => {
    const { log, counted } = logOf(false)
    const all = await countTopic(log, topic, ranges)
    assert.deepEqual([all, counted], [{ messages: 20_004, isExact: true }, [0, 2]])
    assert.equal(countedText(all), '20,004')
  })

  it('are told about where they would all have to be read', async () => {
    const { log, counted } = logOf(true)
    const all = await countTopic(log, topic, ranges)
    assert.deepEqual([all, counted], [{ messages: 20_005, isExact: false }, [0]])
    assert.equal(countedText(all), '~20,005')
    const few = await countTopic(log, topic, ranges.slice(0, 2))
    assert.deepEqual(few, { messages: 4, isExact: true })
    const rows = [
      ['a', '~20,005'],
      ['b', 7],
    ]
    assert.equal(table(['topic', 'messages'], rows).split('\n')[2], 'b             7')
  })
})
