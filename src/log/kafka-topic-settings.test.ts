import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { configsOf, settingsOf, splitConfigs } from './kafka-topic-settings.ts'
import { defaultTopicSettings, type TopicSettings } from './log.ts'

/** As a cluster that takes all of it would answer. */
function readBack(settings: TopicSettings) {
  const { needed, wished } = configsOf(settings)
  return settingsOf([...needed, ...wished])
}

const valuesOf = (settings: Partial<TopicSettings>) => {
  const { needed, wished } = configsOf({ ...defaultTopicSettings, ...settings })
  return new Map([...needed, ...wished].map(({ name, value }) => [name, value]))
}

describe('settings of a topic on Kafka', () => {
  it('are read back as they were given', () => {
    for (const cleanup of ['delete', 'compact'] as const) {
      for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
        for (const [retentionMs, retentionBytes] of [
          [undefined, undefined],
          [86_400_000, undefined],
          [undefined, 1_000_000],
          [0, 0],
        ]) {
          const settings = {
            ...{ partitions: 3, cleanup, retentionMs, retentionBytes, compression },
            maxMessageBytes: 5000,
          }
          const { partitions: _, ...expected } = settings
          assert.deepEqual(readBack(settings), { ...expected, isSplit: false })
        }
      }
    }
  })

  it('leave room for what Kafka puts around a message', () => {
    const needed = configsOf({ ...defaultTopicSettings, maxMessageBytes: 1 }).needed
    assert.deepEqual(
      needed.find(({ name }) => name === 'max.message.bytes'),
      { name: 'max.message.bytes', value: '4097' },
    )
  })

  it('compact what is compacted soon, and drop by age only where that is asked for', () => {
    const table = valuesOf({ cleanup: 'compact' })
    assert.equal(table.get('cleanup.policy'), 'compact')
    assert.equal(table.get('segment.ms'), '3600000')
    assert.equal(table.has('retention.ms'), false)
    const aging = valuesOf({ cleanup: 'compact', retentionMs: 1000 })
    assert.equal(aging.get('cleanup.policy'), 'compact,delete')
    assert.equal(aging.get('retention.ms'), '1000')
    assert.equal(aging.get('retention.bytes'), '-1')
  })

  it('cut what is dropped into segments of an eighth, so that it is dropped in time', () => {
    const kept = valuesOf({ retentionMs: 86_400_000, retentionBytes: 80_000_000 })
    assert.equal(kept.get('segment.ms'), '10800000')
    assert.equal(kept.get('segment.bytes'), '10000000')
    const long = valuesOf({ retentionMs: 365 * 86_400_000, retentionBytes: 1e12 })
    assert.deepEqual([long.has('segment.ms'), long.has('segment.bytes')], [false, false])
    assert.equal(valuesOf({ retentionBytes: 1000 }).get('segment.bytes'), `${1024 * 1024}`)
  })

  it('need no more than makes the topic what it is', () => {
    const names = configsOf(defaultTopicSettings).needed.map(({ name }) => name)
    const expected = ['cleanup.policy', 'max.message.bytes', 'retention.ms', 'retention.bytes']
    assert.deepEqual(names, expected)
  })

  it('are understood of topics that others made', () => {
    const made = settingsOf([
      { name: 'cleanup.policy', value: 'delete, compact' },
      { name: 'retention.ms', value: '604800000' },
      { name: 'retention.bytes', value: '-1' },
      { name: 'max.message.bytes', value: '100' },
      { name: 'compression.type', value: 'uncompressed' },
    ])
    assert.deepEqual(made, {
      ...{ cleanup: 'compact', retentionMs: 604_800_000, retentionBytes: undefined },
      ...{ maxMessageBytes: 1, compression: 'none', isSplit: false },
    })
    const { maxMessageBytes } = settingsOf([])
    assert.equal(maxMessageBytes, defaultTopicSettings.maxMessageBytes, 'where nothing may be seen')
    const compacted = settingsOf([
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'retention.ms', value: '604800000' },
    ])
    assert.equal(compacted.retentionMs, undefined, 'the retention of a compacted topic is not used')
  })

  it('tell a topic that only holds offsets from one of messages', () => {
    assert.equal(settingsOf(splitConfigs.needed).isSplit, true)
    assert.equal(readBack({ ...defaultTopicSettings, maxMessageBytes: 1 }).isSplit, false)
  })
})
