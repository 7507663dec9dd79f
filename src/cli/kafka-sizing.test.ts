import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { kafkaBills } from './kafka-bills.ts'
import { amount, defaultBroker, type KafkaLoad, sizeKafka } from './kafka-sizing.ts'

const load: KafkaLoad = {
  messagesPerSecond: 20_000,
  averageMessagesPerSecond: 5000,
  messageBytes: 500,
  retentionMs: 7 * 24 * 3_600_000,
  replication: 3,
  consumers: 3,
  compressionRatio: 2,
  headroom: 0.25,
  partitionBytesPerSecond: 10_000_000,
  consumerBytesPerSecond: 1_000_000,
  workers: 4,
  growth: 2,
  broker: defaultBroker,
}

/** Whole or binary fractions, so that a doubled load is exactly the double. */
const loads = fc
  .record({
    messagesPerSecond: fc.integer({ min: 1, max: 5_000_000 }),
    messageBytes: fc.integer({ min: 1, max: 1_048_576 }),
    retentionMs: fc.integer({ min: 1, max: 400 * 24 * 3_600_000 }),
    replication: fc.integer({ min: 1, max: 9 }),
    consumers: fc.integer({ min: 0, max: 50 }),
    compressionRatio: fc.constantFrom(1, 1.5, 2, 4, 10),
    headroom: fc.constantFrom(0, 0.2, 0.25, 0.3, 0.9),
    consumerBytesPerSecond: fc.integer({ min: 1000, max: 100_000_000 }),
    workers: fc.integer({ min: 1, max: 1000 }),
    share: fc.constantFrom(0, 0.25, 1),
  })
  .map(({ share, ...given }): KafkaLoad => {
    const averageMessagesPerSecond = given.messagesPerSecond * share
    return { ...load, ...given, averageMessagesPerSecond }
  })

describe('sizeKafka', () => {
  test('a load worked out by hand', () => {
    const { throughput, partitions, storage, brokers } = sizeKafka(load)
    assert.deepEqual(throughput, {
      inBytesPerSecond: 5_000_000,
      outBytesPerSecond: 15_000_000,
      brokersInBytesPerSecond: 15_000_000,
      brokersOutBytesPerSecond: 25_000_000,
      averageInBytesPerSecond: 1_250_000,
      averageOutBytesPerSecond: 3_750_000,
    })
    // 20,000 x 500 B x 2 = 20 MB/s: over 10 MB/s, over 1 MB/s, four workers.
    assert.deepEqual(
      partitions.reasons.map(({ count }) => count),
      [2, 20, 4],
    )
    assert.equal(partitions.count, 20)
    // 1.25 MB/s for 604,800 s.
    assert.equal(storage.oneCopyBytes, 756_000_000_000)
    assert.equal(storage.copiesBytes, 2_268_000_000_000)
    assert.equal(storage.diskBytes, 3_024_000_000_000)
    // Network, writing, disk, and (20 + 100) x 3 replicas: one bears each, and one more; three copies.
    assert.deepEqual(
      brokers.reasons.map(({ count }) => count),
      [1, 1, 1, 1],
    )
    assert.equal(brokers.count, 3)
  })

  test('each limit of a broker can be the one that counts', () => {
    const counts = (broker: Partial<KafkaLoad['broker']>) => {
      const { brokers } = sizeKafka({ ...load, broker: { ...defaultBroker, ...broker } })
      return [...brokers.reasons.map(({ count }) => count), brokers.count]
    }
    assert.deepEqual(counts({ networkBytesPerSecond: 10_000_000 }), [4, 1, 1, 1, 5])
    assert.deepEqual(counts({ diskBytesPerSecond: 5_000_000 }), [1, 4, 1, 1, 5])
    assert.deepEqual(counts({ diskBytes: 1_000_000_000_000 }), [1, 1, 4, 1, 5])
    assert.deepEqual(counts({ replicas: 100 }), [1, 1, 1, 4, 5])
  })

  test('what it says is enough, also with one broker away', () => {
    fc.assert(
      fc.property(loads, (given) => {
        const { throughput, partitions, storage, brokers } = sizeKafka(given)
        const target = given.messagesPerSecond * given.messageBytes * given.growth
        const almost = 1 + 1e-6
        assert.ok(partitions.count * given.consumerBytesPerSecond * almost >= target)
        assert.ok(partitions.count >= given.workers)
        assert.ok(brokers.count >= given.replication)
        const left = Math.max(1, brokers.count - 1) * almost
        const { networkBytesPerSecond, diskBytes, replicas } = given.broker
        const network = networkBytesPerSecond * (1 - given.headroom)
        assert.ok(left * network >= throughput.brokersInBytesPerSecond)
        assert.ok(left * network >= throughput.brokersOutBytesPerSecond)
        assert.ok(left * diskBytes >= storage.diskBytes)
        assert.ok(left * replicas >= partitions.count * given.replication)
        assert.ok(storage.diskBytes * (1 - given.headroom) * almost >= storage.copiesBytes)
      }),
    )
  })

  test('twice the load takes twice the disk, and never less of anything', () => {
    fc.assert(
      fc.property(loads, (given) => {
        const { messagesPerSecond, averageMessagesPerSecond } = given
        const small = sizeKafka(given)
        const large = sizeKafka({
          ...given,
          messagesPerSecond: messagesPerSecond * 2,
          averageMessagesPerSecond: averageMessagesPerSecond * 2,
        })
        assert.ok(Math.abs(large.storage.oneCopyBytes - 2 * small.storage.oneCopyBytes) <= 1)
        assert.ok(large.partitions.count >= small.partitions.count)
        assert.ok(large.brokers.count >= small.brokers.count)
      }),
    )
  })
})

describe('kafkaBills', () => {
  const billOf = (service: string, given: Partial<KafkaLoad> = {}) => {
    const whole = { ...load, ...given }
    return kafkaBills(whole, sizeKafka(whole)).find((bill) => bill.service.includes(service))!
  }
  const quantities = (service: string, given: Partial<KafkaLoad> = {}) =>
    billOf(service, given).lines.map(({ quantity }) => Math.round(quantity))

  test('count a month by the average, capacity by the peak', () => {
    // 1.25 MB/s for 2,628,000 s is 3,059.4 GiB; 756 GB are 704 GiB.
    assert.deepEqual(quantities('elastic'), [730, 3059, 9178, 704])
    assert.deepEqual(quantities('Serverless'), [730, 14_600, 3059, 9178, 704])
    // 120 MB/s in, 360 out at the peak: 2 CKU, of which a quarter stays free.
    assert.equal(quantities('Dedicated', { messagesPerSecond: 480_000 })[0], 3 * 730)
    assert.deepEqual(quantities('Standard brokers'), [3 * 730, 2816])
    assert.deepEqual(quantities('Self-managed'), [3 * 730, 3 * 730, 2816, 6119])
  })

  test('choose the size of Express brokers, and tiers, by AWS and Redpanda tables', () => {
    const express = (given: Partial<KafkaLoad>) => {
      const { dimension, quantity } = billOf('Express', given).lines[0]!
      return [dimension, quantity / 730]
    }
    // The example of AWS: 45 MB/s in and 90 MB/s out are three of the smallest.
    const example = { messageBytes: 1_000_000, compressionRatio: 1, consumerBytesPerSecond: 1e8 }
    const aws = { ...example, messagesPerSecond: 45, consumers: 2 }
    assert.deepEqual(express(aws), ['brokers express.m7g.large', 3])
    assert.deepEqual(express({ ...aws, messagesPerSecond: 150 }), ['brokers express.m7g.xlarge', 6])
    // Six readers: 270 MB/s out are nine of them.
    assert.deepEqual(express({ ...aws, consumers: 6 }), ['brokers express.m7g.large', 9])
    assert.deepEqual(express({ ...aws, workers: 1500 }), ['brokers express.m7g.large', 6])
    assert.match(billOf('BYOC', aws).lines[0]!.dimension, /tier 2$/)
    assert.match(billOf('BYOC', { ...aws, messagesPerSecond: 2500 }).lines[0]!.dimension, /no tier/)
  })

  test('say where a load does not fit', () => {
    const notes = (given: Partial<KafkaLoad>) => billOf('MSK Serverless', given).notes.join()
    assert.match(notes({}), /this load fits/)
    assert.match(notes({ messagesPerSecond: 1_000_000 }), /does not fit/)
    assert.match(notes({ workers: 2401 }), /does not fit/)
  })

  test('are finite and name their source, whatever the load', () => {
    fc.assert(
      fc.property(loads, (given) => {
        for (const { lines, source } of kafkaBills(given, sizeKafka(given))) {
          assert.match(source, /^https:/)
          for (const { quantity } of lines) assert.ok(Number.isFinite(quantity) && quantity >= 0)
        }
      }),
      { numRuns: 50 },
    )
  })
})

test('amounts are decimal', () => {
  assert.deepEqual([0, 999, 1000, 1_234_567, 12e12, 5e18].map(amount), [
    ...['0 B', '999 B', '1 kB', '1.23 MB', '12 TB', '5000 PB'],
  ])
})
