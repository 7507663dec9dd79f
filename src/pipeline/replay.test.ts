import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import type { Log } from '../log/log.ts'
import { newLog } from '../log/log-testing.ts'
import { deadLetters, dropDeadLetters, replayDeadLetters } from './dead-letter-store.ts'
import { pipeline } from './pipeline.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const one = { partitions: 1 }
const given = topic<{ n: number }>('given', one)
const raw = topic<{ n: number }>('raw', one)
const out = topic<{ n: number }>('out', one)

async function logOf(...topics: readonly string[]) {
  const log = await newLog()
  for (const name of topics) await log.createTopic(name, one)
  return log
}

async function lettersOf(log: Log, name = 'p') {
  const letters: string[][] = []
  for await (const { step, id, message, tries } of deadLetters(log, name)) {
    letters.push([step, id, message, String(tries)])
  }
  return letters
}

type Pipelines = Parameters<typeof runUntilCaughtUp>[1]

/** Replays everything and runs until that is through. */
async function replayAll(log: Log, ...pipelines: Pipelines) {
  const { done } = await replayDeadLetters(log, 'p', {})
  const { audits } = await runUntilCaughtUp(log, pipelines)
  for (const audit of audits.values()) assert.deepEqual(audit.imbalances, [])
  return done
}

describe('a replay behind a join', () => {
  const left = topic<{ id: string; a: number }>('left', one)
  const right = topic('right', { schema: z.object({ at: z.coerce.date() }), partitions: 1 })
  const both = topic<{ id: string; year: number }>('both', one)
  let isBroken = true
  const start = pipeline('p').from(left).join('other', right)
  const year = (value: { id: string; other: { at: Date } }) => {
    if (isBroken) throw new Error('broken')
    return { id: value.id, year: value.other.at.getUTCFullYear() }
  }
  const chains = {
    'right after it': start.map('year', year).to(both),
    'some steps on': start
      .filter('all', () => true)
      .map('year', year)
      .to(both),
    'behind a flatMap': start
      .flatMap('both', (value) => [value, value])
      .filter('all', () => true)
      .map('year', year)
      .to(both),
  }

  for (const [where, joined] of Object.entries(chains)) {
    it(`goes on with the pair, its id and its time, however often it fails: ${where}`, async () => {
      const log = await logOf('left', 'right')
      isBroken = true
      await appendAll(log, 'left', [{ key: 'k', value: { id: 'k', a: 1 }, time: 9 }])
      await runUntilCaughtUp(log, [joined])
      await appendAll(log, 'right', [{ key: 'k', value: { at: '2020-01-01' }, time: 2 }])
      await runUntilCaughtUp(log, [joined])
      const ids = (await lettersOf(log)).map(([, id]) => id)
      await replayAll(log, joined)
      const again = await lettersOf(log)
      assert.deepEqual(again.map(([, id]) => id).sort(), ids.sort())
      assert.ok(again.every(([, , , tries]) => tries === '2'))
      isBroken = false
      await replayAll(log, joined)
      const found = await readAll(log, 'both')
      assert.deepEqual(found.map(({ id }) => id).sort(), ids)
      assert.match(ids[0]!, /^[\w-]+\/0\/0\+[\w-]+\/0\/0(\/both\/0)?$/)
      assert.ok(found.every(({ time }) => time === 9))
      assert.deepEqual(JSON.parse(String(found[0]!.value)), { id: 'k', year: 2020 })
      assert.deepEqual(await lettersOf(log), [])
    })
  }

  it('stays a dead letter when the join is gone', async () => {
    const log = await logOf('left', 'right')
    isBroken = true
    await appendAll(log, 'left', [{ key: 'k', value: { id: 'k', a: 1 } }])
    await appendAll(log, 'right', [{ key: 'k', value: { at: '2020-01-01' } }])
    await runUntilCaughtUp(log, [chains['some steps on']])
    const gone = pipeline('p')
      .from(left)
      .map('year', ({ id, a }) => ({ id, year: a }))
      .to(both)
    await replayAll(log, gone)
    assert.match((await lettersOf(log))[0]![2]!, /step 'other' is there no more: rename it back/)
    isBroken = false
    await replayAll(log, chains['some steps on'])
    assert.deepEqual(await readValues(log, 'both'), [{ id: 'k', year: 2020 }])
  })
})

describe('a replay before a join', () => {
  it('comes to it as the side that it was', async () => {
    const log = await logOf('left', 'right')
    const withSchema = (schema: z.ZodType<{ b: unknown }, { b: unknown }>) =>
      pipeline('p')
        .from(topic<{ a: number }>('left', one))
        .join('other', topic('right', { schema, partitions: 1 }))
        .to(topic<{ a: number }>('both', one))
    await appendAll(log, 'left', [{ key: 'k', value: { a: 1 } }])
    await appendAll(log, 'right', [{ key: 'k', value: { b: 2 } }])
    await runUntilCaughtUp(log, [withSchema(z.object({ b: z.string() }))])
    assert.equal((await lettersOf(log))[0]![0], 'read')
    assert.equal(await replayAll(log, withSchema(z.object({ b: z.number() }))), 1)
    assert.deepEqual(await readValues(log, 'both'), [{ a: 1, other: { b: 2 } }])
    assert.equal((await log.state('p.other', 0, ['left:k', 'right:k'])).size, 0)
  })
})

describe('a replay behind a flatMap', () => {
  const texts = topic<{ text: string }>('texts', one)
  const words = topic<{ word: string }>('words', one)
  let isMended = false
  const split = (name: string) =>
    pipeline('p')
      .from(texts)
      .flatMap(name, ({ text }) => text.split(' ').map((word) => ({ word })))
      .map('first', (value) => {
        if (value.word.startsWith('bad')) throw new Error(value.word)
        return value
      })
      .filter('wanted', ({ word }) => !(isMended && word === 'filtered'))
      .map('second', (value) => {
        if (!isMended && value.word !== 'fine') throw new Error('second')
        return value
      })
      .to(words)

  it('leaves siblings alone, dropped ones too', async () => {
    const log = await logOf('texts')
    isMended = false
    await appendAll(log, 'texts', [{ value: { text: 'bad1 bad2 fine good filtered' } }])
    await runUntilCaughtUp(log, [split('words')])
    assert.equal((await dropDeadLetters(log, 'p', { step: 'first' })).done, 2)
    isMended = true
    assert.equal(await replayAll(log, split('words')), 2)
    assert.deepEqual(await lettersOf(log), [])
    assert.deepEqual(await readValues(log, 'words'), [{ word: 'fine' }, { word: 'good' }])
  })

  it('stays a dead letter when the flatMap has another name', async () => {
    const log = await logOf('texts')
    isMended = false
    await appendAll(log, 'texts', [{ value: { text: 'fine good' } }])
    await runUntilCaughtUp(log, [split('words')])
    isMended = true
    await replayAll(log, split('terms'))
    const [letter] = await lettersOf(log)
    assert.match(letter!.slice(0, 3).join(' '), /^second \S+\/words\/1 .* a flatMap before it/)
    await replayAll(log, split('words'))
    assert.deepEqual(await readValues(log, 'words'), [{ word: 'fine' }, { word: 'good' }])
  })

  it('that fails sooner now keeps its step and id', async () => {
    const log = await logOf('texts')
    isMended = false
    await appendAll(log, 'texts', [{ value: { text: 'fine good' } }])
    await runUntilCaughtUp(log, [split('words')])
    const [before] = await lettersOf(log)
    const broken = pipeline('p')
      .from(texts)
      .flatMap('words', (): { word: string }[] => {
        throw new Error('sooner')
      })
      .map('second', (value) => value)
      .to(words)
    await replayAll(log, broken)
    assert.deepEqual(await lettersOf(log), [[before![0]!, before![1]!, 'sooner', '2']])
    isMended = true
    await replayAll(log, split('words'))
    assert.deepEqual(await readValues(log, 'words'), [{ word: 'fine' }, { word: 'good' }])
  })
})

describe('a replay in a pipeline that has changed', () => {
  const failing = (name: string) =>
    pipeline('p')
      .from(given)
      .to(raw)
      .map(name, (): { n: number } => {
        throw new Error('broken')
      })
      .to(out)

  async function failed() {
    const log = await logOf('given')
    await appendAll(log, 'given', [{ key: 'k', value: { n: 1 } }])
    await runUntilCaughtUp(log, [failing('parse')])
    return log
  }
  const mended = pipeline('p')
    .from(given)
    .to(raw)
    .map('parse', (value) => value)
    .to(out)

  async function staysDead(log: Log, changed: Pipelines[number], words: RegExp) {
    await replayAll(log, changed)
    const [letter] = await lettersOf(log)
    assert.equal(letter?.[0], 'parse')
    assert.match(letter![2]!, words)
    await replayAll(log, mended)
    assert.equal((await readAll(log, 'raw')).length, 1)
    assert.deepEqual(await readValues(log, 'out'), [{ n: 1 }])
    assert.deepEqual(await lettersOf(log), [])
  }

  it('stays a dead letter when the step is gone', async () => {
    const renamed = pipeline('p')
      .from(given)
      .to(raw)
      .map('parse2', (value) => value)
      .to(out)
    await staysDead(await failed(), renamed, /step 'parse' is there no more: rename it back/)
  })

  it('stays a dead letter when a join was put before the step', async () => {
    const log = await failed()
    await log.createTopic('right', one)
    await appendAll(log, 'right', [{ key: 'k', value: { b: 1 } }])
    const joined = pipeline('p')
      .from(given)
      .join('other', topic<{ b: number }>('right', one))
      .to(raw)
      .map('parse', (value) => value)
      .to(out)
    await staysDead(log, joined, /join 'other' was put before step 'parse'/)
  })

  it('stays a dead letter when its input is gone', async () => {
    const log = await failed()
    await log.createTopic('other', one)
    const moved = pipeline('p')
      .from(topic<{ n: number }>('other', one))
      .to(raw)
      .map('parse', (value) => value)
      .to(out)
    await staysDead(log, moved, /input 'given' is there no more/)
  })

  it('shows steps the message as it came, and writes nothing of the dead letter on', async () => {
    const log = await failed()
    const look = pipeline('p')
      .from(given)
      .to(raw)
      .map('parse', (_, { topic, partition, offset }) => ({ n: offset, topic, partition }))
      .to(out)
    await replayAll(log, look)
    const [message] = await readAll(log, 'out')
    assert.deepEqual(JSON.parse(String(message!.value)), { n: 0, topic: 'given', partition: 0 })
    const names = message!.headers.map(({ key }) => key)
    assert.deepEqual(names, ['millrace.id', 'millrace.version'])
  })
})

describe('a dead letter', () => {
  it('of one who reads the dead letters of another says where it came from itself', async () => {
    const log = await logOf('given')
    const fails = (): { n: number } => {
      throw new Error('broken')
    }
    const first = pipeline('first').from(given).map('fails', fails).to(out)
    const watch = pipeline('p')
      .from(topic<{ n: number }>('first.dead-letters', one))
      .map('fails', fails)
      .to(raw)
    await appendAll(log, 'given', [{ value: { n: 1 } }])
    await runUntilCaughtUp(log, [first])
    await runUntilCaughtUp(log, [watch])
    for await (const letter of deadLetters(log, 'p')) {
      assert.deepEqual([letter.topic, letter.tries], ['first.dead-letters', 1])
    }
    assert.equal(await replayAll(log, watch), 1)
    assert.equal((await lettersOf(log))[0]![3], '2')
  })
})
