import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Batch } from '../core/batch.ts'
import type { Clock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { KafkaState } from './kafka-state.ts'
import { output, refusedWith } from './log.contract.support.ts'
import { defaultTopicSettings, type TopicInfo } from './log.ts'

/** A changelog of one partition, of which everything can be set by hand. */
class FakeChangelog {
  readonly messages: [key: string, value: string | null][] = []
  written = 0
  decided = 0
  reads = 0
  identity = 'first'
  isGone = false
  nowMs = 0
  whileReading: (() => void) | undefined
  readonly state: KafkaState

  constructor() {
    const clock: Clock = {
      now: () => this.nowMs,
      sleep: async (waitMs) => {
        this.nowMs += waitMs
      },
    }
    this.state = new KafkaState({
      topics: {
        topic: async (name) => this.#info(name),
        topics: async () => ['s.changelog', 'posts'].flatMap((name) => this.#info(name) ?? []),
        partitionSizes: async () => [0, undefined, 7],
        writtenEnd: async () => this.written,
        ensureTopic: async () => undefined,
        deleteTopic: async () => undefined,
      },
      read: async (_topic, _partition, offset) => this.#read(offset),
      offsets: async () => ({ start: 0, end: this.decided }),
      clock,
    })
  }

  async values(...keys: string[]) {
    const found = await this.state.state('s', 0, keys)
    return Object.fromEntries([...found].map(([key, value]) => [key, value.toString()]))
  }

  write(...messages: [key: string, value: string | null][]): void {
    this.messages.push(...messages)
    this.written = this.messages.length
  }

  #info(name: string): TopicInfo | undefined {
    const { identity } = this
    return this.isGone ? undefined : { ...defaultTopicSettings, name, identity, partitions: 1 }
  }

  /** All that is there, also what was decided after the call asked for the end. */
  #read(offset: number): Batch | undefined {
    this.reads++
    this.whileReading?.()
    if (this.isGone) throw fail('TOPIC_UNKNOWN', 'it is gone')
    const rest = this.messages.slice(offset, this.decided)
    if (rest.length === 0) return undefined
    const sent = rest.map(([key, value]) => ({ key, value }))
    const { batch } = output('s.changelog', 0, sent)
    for (let index = 0; index < rest.length; index++) batch.offsets[index] = offset + index
    return Object.assign(batch, { nextOffset: this.decided })
  }
}

describe('keyed state on Kafka, its copy', () => {
  it('takes no part of a commit that comes while it is read', async () => {
    const changelog = new FakeChangelog()
    changelog.write(['a', '1'], ['b', '1'])
    changelog.decided = 2
    changelog.whileReading = () => {
      changelog.write(['a', '2'])
      changelog.decided = 3
      changelog.whileReading = undefined
    }
    assert.deepEqual(await changelog.values('a', 'b'), { a: '1', b: '1' })
    changelog.write(['b', null])
    changelog.decided = 4
    assert.deepEqual(await changelog.values('a', 'b'), { a: '2' })
  })

  it('reads only what is new, once for all who ask meanwhile', async () => {
    const changelog = new FakeChangelog()
    changelog.write(['a', '1'])
    changelog.decided = 1
    const asked = Array.from({ length: 50 }, () => changelog.values('a'))
    changelog.write(['a', '2'])
    changelog.decided = 2
    const found = (await Promise.all(asked)).map(({ a }) => a)
    assert.deepEqual(new Set(found), new Set(['2']))
    assert.equal(changelog.reads, 1)
  })

  it('gives values that their reader may change', async () => {
    const changelog = new FakeChangelog()
    changelog.write(['a', 'kept'])
    changelog.decided = 1
    const found = await changelog.state.state('s', 0, ['a'])
    found.get('a')!.fill(0)
    assert.deepEqual(await changelog.values('a'), { a: 'kept' })
  })

  it('says so when a transaction does not end, and goes on when it has', async () => {
    const changelog = new FakeChangelog()
    changelog.write(['a', '1'], ['a', '2'])
    changelog.decided = 1
    await refusedWith('LOG_BUSY', changelog.values('a'))
    assert.ok(changelog.nowMs > 20_000, 'it waited longer than a transaction may take')
    changelog.decided = 2
    assert.deepEqual(await changelog.values('a'), { a: '2' })
  })

  it('is empty where the changelog goes while it is read, and reads a new one from its start', async () => {
    const changelog = new FakeChangelog()
    changelog.write(['a', '1'], ['b', '1'])
    changelog.decided = 2
    await changelog.values('a')
    changelog.write(['a', '2'])
    changelog.decided = 3
    changelog.whileReading = () => {
      changelog.isGone = true
    }
    assert.deepEqual(await changelog.values('a', 'b'), {})
    Object.assign(changelog, { isGone: false, identity: 'second', whileReading: undefined })
    changelog.messages.length = 0
    changelog.write(['b', 'x'], ['b', 'y'], ['c', 'z'])
    assert.deepEqual(await changelog.values('a', 'b', 'c'), { b: 'y', c: 'z' })
  })

  it('is scanned in the order of keys, as it is now', async () => {
    const changelog = new FakeChangelog()
    const scan = async (from: string, limit: number) => {
      changelog.decided = changelog.written
      const found = await changelog.state.scan('s', 0, { from, limit, to: 'y' })
      return found.map(([key, value]) => `${key}${value}`)
    }
    changelog.write(['b', '1'], ['d', '1'], ['z', '1'])
    assert.deepEqual(await scan('', 9), ['b1', 'd1'])
    changelog.write(['c', '2'], ['b', null], ['d', '3'], ['a', '2'], ['y', '2'])
    assert.deepEqual(await scan('', 2), ['a2', 'c2'])
    assert.deepEqual(await scan('b', 9), ['c2', 'd3'])
    changelog.write(['b', '4'])
    assert.deepEqual(await scan('a\0', 1), ['b4'])
    Object.assign(changelog, { identity: 'second' })
    changelog.messages.length = 0
    changelog.write(['k', '5'], ['j', '5'])
    assert.deepEqual(await scan('', 9), ['j5', 'k5'])
  })

  it('tells which stores there are, and what it knows of their sizes', async () => {
    const { state } = new FakeChangelog()
    assert.deepEqual(await state.stores(), ['s'])
    assert.deepEqual(await state.sizes('s'), [
      { partition: 1, keys: undefined, sizeBytes: undefined },
      { partition: 2, keys: undefined, sizeBytes: 7 },
    ])
  })

  it('is dropped when nobody asked for it for long', async () => {
    const changelog = new FakeChangelog()
    changelog.write(['a', '1'])
    changelog.decided = 1
    await changelog.values('a')
    await changelog.values('a')
    assert.equal(changelog.reads, 1)
    changelog.nowMs += 3_600_000
    assert.deepEqual(await changelog.values('a'), { a: '1' })
    assert.equal(changelog.reads, 2)
  })
})
