import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { parseCheckpoint } from '../pipeline/checkpoint.ts'
import { openWorkshop, put, type Workshop } from './cli-testing.ts'
import { groupsCommand } from './groups.ts'

/** What a pipeline would have committed after 2 of 3 messages: one passed, one a dead letter. */
const metadata = JSON.stringify({
  ...{ v: 1, from: 0, plan: 'abc', source: { line: 2 }, sinks: { file: 9 }, sinkCommits: 4 },
  wrote: { halves: 1, 'score.dead-letters': 1 },
  ledger: { read: [2, 2, 0, 2], half: [2, 1, 0, 1, 0, 0, 0, 0, 1] },
})

describe('millrace groups', () => {
  let shop: Workshop
  const run = (...words: string[]) => shop.run(groupsCommand(shop.context), ...words)

  before(async () => {
    shop = await openWorkshop()
    assert.equal(await run('list', '--json'), '[]')
    await shop.log(async (log) => {
      for (const topic of ['orders', 'score.replay'])
        await log.createTopic(topic, { partitions: 2 })
      await put(log, 'orders', 0, ['1', '2', '3'])
      await put(log, 'orders', 1, ['4', '5'])
      await log.resetGroup('score', [
        { topic: 'orders', partition: 0, offset: 2, metadata },
        {
          topic: 'score.replay',
          partition: 0,
          offset: 0,
          metadata: '{"v":1,"from":0,"ledger":{}}',
        },
        { topic: 'score.files', partition: 0, offset: 2, metadata },
      ])
      await log.resetGroup('other', [{ topic: 'orders', partition: 0, offset: 0, metadata: 'x' }])
    })
  })
  after(() => shop.close())

  test('are listed with state and lag', async () => {
    const rows = JSON.parse(await run('list', '--json'))
    assert.partialDeepStrictEqual(rows, [
      { name: 'other', state: 'idle', members: 0, lag: 5 },
      { name: 'score', state: 'idle', members: 0, lag: 3 },
    ])
    // The messages have times of 2026-01-01 and the seconds after.
    const sinceSeconds = (Date.now() - Date.UTC(2026, 0, 1)) / 1000
    for (const { lagSeconds } of rows) assert.ok(Math.abs(lagSeconds - sinceSeconds) < 100)
    assert.match(await run('list'), /^group +state +members +lag +behind\n/)
    assert.match(await run('list'), /\nscore +idle +0 +3 +\d+ d/)
  })

  test('are shown with partitions and ledger', async () => {
    const text = await run('show', 'score')
    assert.match(text, /^group score: idle, 0 members, lag 3, \d+ d.* behind\n/)
    assert.match(
      text,
      /orders +0 +2 +3 +1 +\d+ d.* -\norders +1 +- +2 +2 +\d+ d.* -\nscore\.files +0 +2 +- +- +- +-\n/,
    )
    assert.match(
      text,
      /step +in +passed +dead letters +emitted\nread +4 +4 +0 +4\nhalf +4 +2 +2 +2$/,
    )
    const json = JSON.parse(await run('show', 'score', '--json'))
    assert.equal(json.ledger.half.deadLettered, 2)
    assert.deepEqual(json.partitions[2].source, { line: 2 })
    assert.match(await run('show', 'other'), /orders\/0: the checkpoint was not written by this/)
    await assert.rejects(run('show', 'scoer'), /did you mean 'score'/)
  })

  test('are paused and resumed', async () => {
    await run('pause', 'score')
    assert.equal(JSON.parse(await run('list', '--json'))[1].state, 'paused')
    await run('pause', 'score')
    assert.match(shop.said[0]!, /it was already/)
    assert.equal(await run('resume', 'score', '--json'), '{"group":"score","paused":false}')
    await assert.rejects(run('pause', 'scoer'), (error) => codeOf(error) === 'GROUP_UNKNOWN')
  })

  test('with members are not reset', async () => {
    await shop.log(async (log) => {
      const member = await log.join('score', { topics: [{ name: 'orders', partitions: 2 }] })
      await member.heartbeat()
      assert.match(
        await run('show', 'score'),
        /running, 1 members.*\n {2}member \w{8} \(\S+, process \d+\) owns 2/,
      )
      const reset = run('reset', 'score', '--to', 'start')
      await assert.rejects(reset, /GROUP_ACTIVE|end the run \(Ctrl-C\), reset, start it again/)
      await member.leave()
    })
  })

  test('are reset: a new ledger, sinks go on, replays are left alone', async () => {
    await assert.rejects(run('reset', 'score'), /--to/)
    await assert.rejects(run('reset', 'score', '--to', 'end'), /score\.files is a source/)
    await assert.rejects(run('reset', 'score', '--to', 'end', '--topic', 'ordres'), /did you mean/)
    const moved = JSON.parse(
      await run('reset', 'score', '--to', '1', '--topic', 'orders', '--json'),
    )
    assert.deepEqual(moved.partitions, [
      { topic: 'orders', partition: 0, from: 2, to: 1 },
      { topic: 'orders', partition: 1, to: 1 },
    ])
    assert.match(await run('reset', 'score', '--to', 'start'), /orders +0 +1 +0\n/)
    assert.match(shop.said[0]!, /reads 4 offsets again, .* and skips 0$/)
    await shop.log(async (log) => {
      const { checkpoints } = (await log.group('score'))!
      const places = checkpoints.map(({ topic, partition, offset }) => [topic, partition, offset])
      assert.deepEqual(places.sort(), [
        ['orders', 0, 0],
        ['orders', 1, 0],
        ['score.files', 0, 0],
        ['score.replay', 0, 0],
      ])
      const saved = checkpoints.find((one) => one.topic === 'orders' && one.partition === 0)!
      assert.deepEqual(parseCheckpoint('here', saved.metadata), {
        ...{ v: 1, from: 0, plan: '', ledger: {}, sinks: { file: 9 }, sinkCommits: 4 },
        wrote: { halves: 1, 'score.dead-letters': 1 },
        before: { halves: 1, 'score.dead-letters': 1 },
      })
    })
  })

  test('go to a time, within the bounds of each partition', async () => {
    const place = ['--to', '2026-01-01T00:00:02Z', '--topic', 'orders', '--json']
    const moved = JSON.parse(await run('reset', 'score', ...place))
    assert.deepEqual(
      moved.partitions.map(({ to }: { to: number }) => to),
      [2, 2],
    )
  })
})
