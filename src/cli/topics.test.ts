import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { openWorkshop, put, type Workshop } from './cli-testing.ts'
import { topicsCommand } from './topics.ts'

describe('millrace topics', () => {
  let shop: Workshop
  const run = (...words: string[]) => shop.run(topicsCommand(shop.context), ...words)

  before(async () => {
    shop = await openWorkshop()
  })
  after(() => shop.close())

  test('make no directory by looking', async () => {
    assert.equal(await run('list'), '')
    assert.match(shop.said[0]!, /no topics/)
    assert.equal(await run('list', '--json'), '[]')
    await assert.rejects(run('show', 'orders'), (error) => codeOf(error) === 'DIRECTORY_MISSING')
    assert.equal(existsSync(join(shop.directory, 'log')), false)
  })

  test('create, with what is typed', async () => {
    const made = await run(
      ...['create', 'orders', '--partitions', '2', '--cleanup', 'compact', '--retention', '7d'],
      ...['--retention-bytes', '1GiB', '--max-message-bytes', '64k', '--compression', 'zstd'],
      '--json',
    )
    const { identity, ...settings } = JSON.parse(made)
    assert.match(identity, /^\w{8}$/)
    assert.deepEqual(settings, {
      name: 'orders',
      partitions: 2,
      cleanup: 'compact',
      retentionMs: 604_800_000,
      retentionBytes: 1024 ** 3,
      maxMessageBytes: 65_536,
      compression: 'zstd',
    })
    await assert.rejects(run('create', 'orders'), (error) => codeOf(error) === 'TOPIC_EXISTS')
    await assert.rejects(run('create', 'no', '--retention', 'soon'), /a duration such as/)
    await run('create', 'score.dead-letters', '--cleanup', 'compact')
  })

  test('list and show what is there', async () => {
    await shop.log(async (log) => {
      await put(log, 'orders', 0, ['{"n":0}', '{"n":1}'])
      await put(log, 'orders', 1, ['{"n":2}'])
    })
    const [row, ...others] = JSON.parse(await run('list', '--json'))
    assert.deepEqual(others, [])
    assert.deepEqual(
      [row.name, row.partitions, row.messages, row.cleanup],
      ['orders', 2, 3, 'compact'],
    )
    assert.ok(row.sizeBytes > 100)
    assert.match(await run('list'), /^topic .*\norders +2 +3 +compact /)
    assert.match(shop.said[0]!, /^1 of Millrace's own/)
    assert.match(await run('list', '--all'), /score\.dead-letters +4 +0/)
    const text = await run('show', 'orders')
    assert.match(text, /retention +7 d\n/)
    assert.match(text, /\n +0 +0 +2 +2\n +1 +0 +1 +1$/)
    const json = JSON.parse(await run('show', 'orders', '--json'))
    assert.deepEqual(json.offsets[1], {
      partition: 1,
      start: 0,
      end: 1,
      messages: 1,
      isExact: true,
    })
    await assert.rejects(run('show', 'ordres'), /did you mean 'orders'/)
  })

  test('are deleted for good only with --yes', async () => {
    await assert.rejects(run('delete', 'orders'), /3 messages; to delete it for good, add --yes/)
    assert.equal(JSON.parse(await run('list', '--json')).length, 1)
    await assert.rejects(
      run('delete', 'other', '--yes'),
      (error) => codeOf(error) === 'TOPIC_UNKNOWN',
    )
    await run('delete', 'orders', '--yes')
    assert.match(shop.said[0]!, /topic orders deleted, with 3 messages/)
    assert.deepEqual(JSON.parse(await run('list', '--json')), [])
  })
})
