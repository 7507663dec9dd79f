import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { kafkaCommand } from './kafka.ts'

describe('millrace kafka size', () => {
  let shop: Workshop
  const run = (...words: string[]) => shop.run(kafkaCommand(shop.context), 'size', ...words)
  const load = ['--messages-per-second', '20000', '--bytes', '500']

  before(async () => {
    shop = await openWorkshop()
  })
  after(() => shop.close())

  test('prints each figure with its rule, and every service with its source', async () => {
    const printed = await run(...load, '--retention', '7d', '--replication', '3')
    assert.match(printed, /^Throughput\nin +10 MB\/s \(20,000 messages\/s of 500 B, uncompressed\)/)
    assert.match(printed, /\nPartitions: 2\n/)
    assert.match(printed, /max\(t\/p, t\/c\)/)
    assert.match(printed, /\nStorage: 24\.2 TB\n6\.05 TB kept 7 d, 3 copies 18\.1 TB, 25 % free\n/)
    assert.match(printed, /\nBrokers: 7\n/)
    for (const service of ['Basic', 'Dedicated', 'Standard brokers', 'Express', 'MSK Serverless']) {
      assert.match(printed, new RegExp(service))
    }
    for (const service of ['Redpanda Cloud Serverless', 'BYOC', 'Self-managed', 'people:']) {
      assert.match(printed, new RegExp(service))
    }
    assert.doesNotMatch(printed, /[$€£]|NaN|Infinity|undefined/)
  })

  test('as one line of JSON, with what was assumed', async () => {
    const words = ['--compression-ratio', '4', '--headroom', '20', '--consumers', '2', '--json']
    const { load: given, ...size } = JSON.parse(await run(...load, ...words))
    assert.deepEqual([given.retentionMs, given.replication, given.headroom], [604_800_000, 3, 0.2])
    assert.equal(size.throughput.outBytesPerSecond, 5_000_000)
    assert.equal(size.partitions.count, 2)
    assert.equal(size.bills.length, 8)
  })

  test('takes what one measured', async () => {
    const measured = ['--consumer-throughput', '1000000', '--growth', '1.5', '--workers', '8']
    const size = JSON.parse(
      await run(
        ...load,
        ...measured,
        '--broker-disk',
        '1TiB',
        '--average-messages-per-second',
        '0',
        '--json',
      ),
    )
    assert.equal(size.partitions.count, 15)
    assert.equal(size.storage.diskBytes, 0)
    assert.equal(size.brokers.count, 3)
  })

  test('refuses what cannot be', async () => {
    await assert.rejects(run('--bytes', '500'), /--messages-per-second/)
    await assert.rejects(run('--messages-per-second', '10'), /--bytes/)
    await assert.rejects(run(...load, '--headroom', '100'), /0 to 90/)
    await assert.rejects(run(...load, '--compression-ratio', '0.5'), /1 to 100/)
    await assert.rejects(run(...load, '--broker-disk', '0'), /more than 0/)
    await assert.rejects(run(...load, '--average-messages-per-second', '20001'), /busiest/)
  })
})
