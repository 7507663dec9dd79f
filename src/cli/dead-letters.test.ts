import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BatchBuilder } from '../core/batch-builder.ts'
import { codeOf } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import { appendDeadLetter } from '../pipeline/dead-letters.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { deadLettersCommand } from './dead-letters.ts'

async function bury(log: Log, ids: readonly string[], step: string, value: string, room: number) {
  const input = new BatchBuilder('mails', 0)
  for (const id of ids) input.append(id, value, Date.UTC(2026, 0, 1))
  const batch = input.build()
  const builder = new BatchBuilder('score.dead-letters', 0)
  ids.forEach((id, origin) => {
    const failure = { origin, id, step: 1, error: 'TypeError', message: 'no text\nat all' }
    appendDeadLetter(builder, batch, failure, { step, nowMs: 1000, maxMessageBytes: room })
  })
  await log.commit({ outputs: [{ topic: builder.topic, partition: 0, batch: builder.build() }] })
}

describe('millrace dead-letters', () => {
  let shop: Workshop
  const run = (...words: string[]) => shop.run(deadLettersCommand(shop.context), ...words)
  const ids = async () => {
    const lines = await run('list', 'score', '--json')
    return lines === '' ? [] : lines.split('\n').map((line) => JSON.parse(line).id)
  }

  before(async () => {
    shop = await openWorkshop()
    assert.equal(await run('list'), '')
    await shop.log(async (log) => {
      await log.createTopic('score.dead-letters', { partitions: 1, cleanup: 'compact' })
      await log.createTopic('score.replay', { partitions: 1 })
      await bury(log, ['a', 'b', 'c'], 'parse', '{"n":1}', 1024 * 1024)
      await bury(log, ['big'], 'parse', 'x'.repeat(8000), 4000)
    })
  })
  after(() => shop.close())

  test('are listed by step and error, or one a line', async () => {
    const text = await run('list')
    assert.match(
      text,
      /score +parse +TypeError +4 +1970-01-01T00:00:01.000Z +big +no text\\nat all$/,
    )
    assert.deepEqual(await ids(), ['a', 'b', 'c', 'big'])
    const [line] = (await run('list', '--json', '--limit', '1')).split('\n')
    const letter = JSON.parse(line!)
    assert.deepEqual([letter.pipeline, letter.message], ['score', 'no text\nat all'])
    assert.deepEqual(letter.value, { n: 1 })
    await assert.rejects(run('list', 'scoer'), /did you mean 'score'/)
  })

  test('are shown whole', async () => {
    const text = await run('show', 'score', 'b')
    assert.match(text, /came from +mails\/0, offset 1, time 2026-01-01T00:00:00.000Z\n/)
    assert.match(text, /\n {2}millrace\.dead\.key: b\n/)
    assert.match(text, /value, 7 B \(7 bytes\)\n {2}\{\n {4}"n": 1\n {2}\}$/)
    assert.match(await run('show', 'score', 'big'), /of 8000 bytes with SHA-256 \w{64}: too big/)
    const unknown = run('show', 'score', 'nobody')
    await assert.rejects(unknown, (error) => codeOf(error) === 'DEAD_LETTER_UNKNOWN')
  })

  test('are not replayed or dropped without saying which', async () => {
    for (const verb of ['replay', 'drop']) {
      await assert.rejects(run(verb, 'score'), /--id, --step and --all/)
      await assert.rejects(run(verb, 'score', '--all', '--id', 'a'), /--id, --step and --all/)
      const unknown = run(verb, 'score', '--id', 'nobody')
      await assert.rejects(unknown, (error) => codeOf(error) === 'DEAD_LETTER_UNKNOWN')
    }
    await assert.rejects(run('drop', 'score', '--all'), /4 dead letters found; .* add --yes/)
    assert.equal((await ids()).length, 4)
  })

  test('are replayed, but for those that were cut', async () => {
    await run('replay', 'score', '--step', 'parse', '--dry-run')
    assert.match(shop.said[0]!, /^3 dead letters would be replayed/)
    assert.match(shop.said[1]!, /^1 were too big .*: big$/)
    const cut = run('replay', 'score', '--id', 'big')
    await assert.rejects(cut, (error) => codeOf(error) === 'DEAD_LETTER_CUT')
    const one = JSON.parse(await run('replay', 'score', '--id', 'b', '--json'))
    assert.deepEqual(one, { pipeline: 'score', replayed: 1, found: 1, cut: [] })
    assert.deepEqual(await ids(), ['a', 'c', 'big'])
    const rest = JSON.parse(await run('replay', 'score', '--all', '--json'))
    assert.deepEqual(rest, { pipeline: 'score', replayed: 2, found: 2, cut: ['big'] })
    assert.deepEqual(await ids(), ['big'])
    await shop.log(async (log) => {
      assert.deepEqual(await log.offsets('score.replay', 0), { start: 0, end: 3 })
      assert.deepEqual(await log.groups(), [])
    })
  })

  test('are dropped', async () => {
    const dropped = await run('drop', 'score', '--id', 'big', '--yes', '--json')
    assert.equal(dropped, '{"pipeline":"score","dropped":1}')
    assert.deepEqual(await ids(), [])
    await run('list')
    assert.deepEqual(shop.said, ['no dead letters'])
  })
})
