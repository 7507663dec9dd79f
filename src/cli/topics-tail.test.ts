import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BatchBuilder } from '../core/batch-builder.ts'
import { openWorkshop, put, type Workshop } from './cli-testing.ts'
import { topicsCommand } from './topics.ts'

describe('millrace topics tail', () => {
  let shop: Workshop
  const tail = (...words: string[]) => shop.run(topicsCommand(shop.context), 'tail', ...words)
  const offsets = (lines: string) =>
    lines.split('\n').map((line) => {
      const { partition, offset } = JSON.parse(line)
      return `${partition}/${offset}`
    })

  before(async () => {
    shop = await openWorkshop()
    await shop.log(async (log) => {
      await log.createTopic('orders', { partitions: 2 })
      const values = Array.from({ length: 20 }, (_, index) => `{"n":${index}}`)
      await put(log, 'orders', 0, values.slice(0, 10))
      await put(log, 'orders', 0, values.slice(10), Date.UTC(2026, 0, 2))
      await put(log, 'orders', 1, ['{"n":20}'], Date.UTC(2026, 0, 1, 12))
      await log.createTopic('odd', { partitions: 1 })
    })
  })
  after(() => shop.close())

  test('prints the newest by default, all from a place, in the order of time', async () => {
    assert.deepEqual(offsets(await tail('orders', '--json', '--limit', '3')), [
      '0/17',
      '0/18',
      '0/19',
    ])
    assert.equal((await tail('orders')).split('\n').length, 10)
    const all = offsets(await tail('orders', '--json', '--from', 'start'))
    assert.equal(all.length, 21)
    assert.equal(all[10], '1/0')
    assert.deepEqual(offsets(await tail('orders', '--json', '--from', '18', '--partition', '0')), [
      '0/18',
      '0/19',
    ])
    assert.equal(offsets(await tail('orders', '--json', '--from', '2026-01-02')).length, 10)
    assert.deepEqual(offsets(await tail('orders', '--json', '--from', '2', '--limit', '1')), [
      '0/2',
    ])
    assert.equal(await tail('orders', '--from', 'end'), '')
  })

  test('shows time, place, key and value on one line', async () => {
    assert.equal(
      await tail('orders', '--from', '1', '--limit', '1'),
      '2026-01-01T00:00:01.000Z  0/1  key 1  {"n":1}',
    )
    const narrow = await openWorkshop(40)
    await narrow.log(async (log) => {
      await log.createTopic('orders', { partitions: 1 })
      await put(log, 'orders', 0, ['{"text":"more than fits on the line"}'])
    })
    const line = await narrow.run(topicsCommand(narrow.context), 'tail', 'orders')
    assert.equal(line, '2026-01-01T00:00:00.000Z  0/0  key 0  {…')
    await narrow.close()
  })

  test('keeps JSON as it was written and marks what is none', async () => {
    const digits = '{\n  "id": 12345678901234567890\n}'
    await shop.log(async (log) => {
      await put(log, 'odd', 0, [digits, 'plain', Buffer.from([0xff, 0xfe]), null])
      const builder = new BatchBuilder('odd', 0)
      const value = Buffer.from([0x80])
      builder.append(Buffer.from([0xc0]), '1', 0, [
        { key: 'h', value },
        { key: 'n', value: null },
      ])
      await log.commit({ outputs: [{ topic: 'odd', partition: 0, batch: builder.build() }] })
    })
    const lines = (await tail('odd', '--from', 'start', '--json')).split('\n')
    assert.match(lines[0]!, /"value":\{ {3}"id": 12345678901234567890 \},"headers"/)
    const [, text, bytes, none, odd] = lines.map((line) => JSON.parse(line))
    assert.deepEqual([text.value, text.valueEncoding], ['plain', 'text'])
    assert.deepEqual([bytes.value, bytes.valueEncoding], ['//4=', 'base64'])
    assert.equal(none.value, null)
    assert.deepEqual([odd.key, odd.keyEncoding], ['wA==', 'base64'])
    assert.deepEqual(odd.headers, [
      { key: 'h', value: 'gA==', encoding: 'base64' },
      { key: 'n', value: null },
    ])
    assert.match(odd.id, /^\w{8}\/0\/4$/)
    const people = await tail('odd', '--from', 'start')
    assert.match(people, /0\/2 {2}key 2 {2}base64:\/\/4=\n/)
    assert.match(people, /0\/3 {2}key 3 {2}\(null: a delete\)\n/)
  })

  test('follows what comes', async () => {
    const following = tail(
      ...['orders', '--partition', '1', '--follow', '--from', '1', '--limit', '2', '--json'],
    )
    await shop.log(async (log) => {
      await put(log, 'orders', 1, ['{"n":21}', '{"n":22}', '{"n":23}'])
    })
    assert.deepEqual(offsets(await following), ['1/1', '1/2'])
  })

  test('names what is wrong', async () => {
    await assert.rejects(tail('orders', '--partition', '2'), /has partitions 0 to 1/)
    await assert.rejects(
      tail('orders', '--from', 'yesterday'),
      /earliest, latest, an offset, a time/,
    )
    await assert.rejects(tail('order'), /did you mean 'orders'/)
  })
})
