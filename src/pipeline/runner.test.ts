import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { newLog } from '../log/log-testing.ts'
import { textClassifier } from '../models/index.ts'
import { deadLetterTopic, readDeadLetter, replayTopic } from './dead-letters.ts'
import { model } from './model-use.ts'
import { pipeline } from './pipeline.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const texts = topic('texts', {
  schema: z.object({ n: z.number(), text: z.string() }),
  partitions: 2,
})
const lengths = topic<{ n: number; text: string; length: number }>('lengths', { partitions: 2 })

const measure = pipeline('measure')
  .from(texts)
  .filter('even', (value) => value.n % 2 === 0)
  .map('measured', (value) => {
    if (value.text === 'boom') throw new RangeError('cannot measure boom')
    return { ...value, length: value.text.length }
  })
  .to(lengths)

describe('a pipeline over a log', () => {
  it('keeps ids, filters, maps and balances its ledger', async () => {
    const log = await newLog()
    const info = await log.createTopic('texts', { partitions: 2 })
    const rows = Array.from({ length: 10 }, (_, n) => ({
      value: { n, text: 'a'.repeat(n) },
      partition: n % 4 < 2 ? 0 : 1,
    }))
    await appendAll(log, 'texts', rows)
    const { audits } = await runUntilCaughtUp(log, [measure])
    const messages = await readAll(log, 'lengths')
    const found = messages.map(
      (one) => (JSON.parse(String(one.value)) as { length: number }).length,
    )
    assert.deepEqual(found.sort(), [0, 2, 4, 6, 8])
    assert.ok(
      messages.every((one) => one.id.startsWith(`${info.identity}/`)),
      messages[0]!.id,
    )
    assert.equal(new Set(messages.map((one) => one.id)).size, 5)
    assert.deepEqual(audits.get('measure')!.imbalances, [])
    assert.equal(audits.get('measure')!.steps.get('even')!.filtered, 5)
  })

  it('goes on where it stopped, and does nothing twice', async () => {
    const log = await newLog()
    await log.createTopic('texts', { partitions: 2 })
    await appendAll(log, 'texts', [{ value: { n: 2, text: 'first' } }])
    await runUntilCaughtUp(log, [measure])
    await appendAll(log, 'texts', [{ value: { n: 4, text: 'second' } }])
    const { audits } = await runUntilCaughtUp(log, [measure])
    assert.equal((await readAll(log, 'lengths')).length, 2)
    assert.deepEqual(audits.get('measure')!.imbalances, [])
  })

  it('makes what a step or the decoder cannot take a dead letter, with origin and reason', async () => {
    const log = await newLog()
    await log.createTopic('texts', { partitions: 2 })
    await appendAll(log, 'texts', [
      { key: 'k', value: { n: 2, text: 'boom' }, time: 5 },
      { value: Buffer.from('{"n": 2, "text"') },
      { value: { n: 'two', text: 'x' } },
      { value: Buffer.from([0x22, 0xff, 0x22]) },
      { value: { n: 4, text: 'fine' } },
    ])
    const { audits } = await runUntilCaughtUp(log, [measure])
    assert.equal((await readAll(log, 'lengths')).length, 1)
    const batch = (await log.read(deadLetterTopic('measure'), 0, 0))!
    const dead = Array.from({ length: batch.count }, (_, index) => readDeadLetter(batch, index))
    const by = (offset: number) => dead.find((one) => one.offset === offset)!
    assert.equal(dead.length, 4)
    assert.equal(by(0).step, 'measured')
    assert.equal(by(0).error, 'RangeError')
    assert.equal(by(0).timeMs, 5)
    assert.equal(String(by(0).value), '{"n":2,"text":"boom"}')
    assert.equal(by(1).error, 'SyntaxError')
    assert.match(by(2).message, /^n: /)
    assert.match(by(3).message, /UTF-8/)
    assert.deepEqual(audits.get('measure')!.imbalances, [])
  })

  it('stops before most of a topic becomes dead letters', async () => {
    const log = await newLog()
    await log.createTopic('texts', { partitions: 2 })
    const bad = Array.from({ length: 1500 }, () => ({ value: { n: 2, text: 'boom' } }))
    await appendAll(log, 'texts', bad)
    await assert.rejects(runUntilCaughtUp(log, [measure]), {
      code: 'TOO_MANY_DEAD_LETTERS',
      message: /RangeError: cannot measure boom/,
    })
    assert.equal((await readAll(log, deadLetterTopic('measure'))).length, 0)
  })

  it('spreads one message over several with ids of their own', async () => {
    const log = await newLog()
    await log.createTopic('texts', { partitions: 2 })
    await appendAll(log, 'texts', [
      { value: { n: 1, text: 'a b c' } },
      { value: { n: 2, text: '' } },
    ])
    const words = topic<{ word: string }>('words')
    const split = pipeline('split')
      .from(texts)
      .flatMap('words', ({ text }) =>
        text
          .split(' ')
          .filter(Boolean)
          .map((word) => ({ word })),
      )
      .to(words, { name: 'out' })
    const { audits } = await runUntilCaughtUp(log, [split])
    const ids = (await readAll(log, 'words')).map((one) => one.id)
    assert.equal(ids.length, 3)
    assert.match(ids[2]!, /\/0\/0\/words\/2$/)
    const counts = audits.get('split')!.steps.get('words')!
    assert.deepEqual([counts.in, counts.passed, counts.filtered, counts.emitted], [2, 1, 1, 3])
    assert.deepEqual(audits.get('split')!.imbalances, [])
  })

  it('narrows a failing model batch down to the input that fails', async () => {
    const log = await newLog()
    await log.createTopic('texts', { partitions: 2 })
    const calls: number[] = []
    const fussy = model('fussy', {
      predict(inputs: readonly string[]) {
        calls.push(inputs.length)
        if (inputs.includes('bad')) throw new Error('cannot take bad')
        return inputs.map((text) => text.length)
      },
    })
    const scored = topic<{ n: number; text: string; score: number }>('scored')
    const score = pipeline('score')
      .from(texts)
      .predict('score', fussy, { input: (v) => v.text })
      .to(scored)
    const rows = ['one', 'two', 'bad', 'four', 'five'].map((text, n) => ({ value: { n, text } }))
    await appendAll(log, 'texts', rows)
    const { audits } = await runUntilCaughtUp(log, [score])
    assert.deepEqual(
      (await readValues(log, 'scored')).map((v) => (v as { n: number }).n),
      [0, 1, 3, 4],
    )
    assert.ok(calls.length > 3)
    assert.equal(audits.get('score')!.steps.get('score')!.deadLettered, 1)
    assert.deepEqual(audits.get('score')!.imbalances, [])
  })

  it('makes dead letters of what a model refuses, and asks it for the others', async () => {
    const log = await newLog()
    await log.createTopic('untyped', { partitions: 1 })
    const classifier = textClassifier().fit(['good fine', 'bad poor'], ['up', 'down'])
    const scored = topic<{ text: string; mood: { label: string } }>('scored')
    const score = pipeline('score')
      .from(topic<{ text: string }>('untyped', { partitions: 1 }))
      .predict('mood', model('mood', classifier), { input: (value) => value.text })
      .to(scored)
    await appendAll(log, 'untyped', [
      { value: { text: 'good' } },
      { value: {} },
      { value: { text: 7 } },
      { value: { text: '' } },
      { value: { text: 'bad' } },
    ])
    const { audits } = await runUntilCaughtUp(log, [score])
    assert.equal((await readAll(log, 'scored')).length, 3)
    assert.equal(audits.get('score')!.steps.get('mood')!.deadLettered, 2)
    assert.deepEqual(audits.get('score')!.imbalances, [])
  })

  it('tells apart a promise in a step', async () => {
    const log = await newLog()
    await log.createTopic('texts', { partitions: 2 })
    await appendAll(log, 'texts', [{ value: { n: 1, text: 'a' } }])
    const wrong = pipeline('wrong')
      .from(texts)
      .map('later', async (value) => value)
      .to(topic('later'), { name: 'out' })
    await assert.rejects(runUntilCaughtUp(log, [wrong]), { code: 'STEP_ASYNCHRONOUS' })
  })
})

describe('a join', () => {
  const left = topic<{ id: string; a: number }>('left', { key: (v) => v.id, partitions: 2 })
  const right = topic<{ id: string; b: number }>('right', { key: (v) => v.id, partitions: 2 })
  const both = topic<{ id: string; a: number; other: { b: number } }>('both')
  const join = pipeline('pair').from(left).join('other', right).to(both)

  it('pairs messages by key in whichever order they come, each once', async () => {
    const log = await newLog()
    await log.createTopic('left', { partitions: 2 })
    await log.createTopic('right', { partitions: 2 })
    await appendAll(log, 'left', [
      { key: 'x', value: { id: 'x', a: 1 } },
      { key: 'y', value: { id: 'y', a: 2 } },
    ])
    await runUntilCaughtUp(log, [join])
    assert.equal((await readAll(log, 'both')).length, 0)
    await appendAll(log, 'right', [
      { key: 'x', value: { b: 10 } },
      { key: 'z', value: { b: 30 } },
    ])
    await appendAll(log, 'left', [{ key: 'z', value: { id: 'z', a: 3 } }])
    const { audits } = await runUntilCaughtUp(log, [join])
    const found = (await readValues(log, 'both')) as { id: string; other: { b: number } }[]
    assert.deepEqual(found.map((v) => [v.id, v.other.b]).sort(), [
      ['x', 10],
      ['z', 30],
    ])
    const ids = (await readAll(log, 'both')).map((one) => one.id)
    assert.ok(ids.every((id) => id.split('+').length === 2))
    assert.deepEqual(audits.get('pair')!.imbalances, [])
    assert.equal(audits.get('pair')!.steps.get('other')!.absorbed, 3)
  })

  it('refuses topics with different numbers of partitions', async () => {
    const odd = topic<{ b: number }>('odd', { partitions: 3 })
    const wrong = pipeline('wrong').from(left).join('other', odd)
    await assert.rejects(runUntilCaughtUp(await newLog(), [wrong]), { code: 'PIPELINE_INVALID' })
  })
})

describe('a replay', () => {
  it('takes a dead letter in again, without writing anything twice', async () => {
    const log = await newLog()
    await log.createTopic('texts', { partitions: 2 })
    let isMended = false
    const words = topic<{ word: string }>('words')
    const all = topic<{ n: number; text: string }>('all')
    const split = pipeline('split')
      .from(texts)
      .to(all)
      .flatMap('words', ({ text }) => text.split(' ').map((word) => ({ word })))
      .map('checked', (value) => {
        if (value.word === 'bad' && !isMended) throw new Error('bad word')
        return value
      })
      .to(words, { name: 'out' })
    await appendAll(log, 'texts', [{ value: { n: 1, text: 'good bad ugly' } }])
    await runUntilCaughtUp(log, [split])
    assert.equal((await readAll(log, 'words')).length, 2)
    isMended = true
    const [dead] = await readAll(log, deadLetterTopic('split'))
    const { BatchBuilder } = await import('../core/batch-builder.ts')
    const again = new BatchBuilder(replayTopic('split'), dead!.partition)
    again.append(null, dead!.value, dead!.time, dead!.headers)
    await log.commit({
      outputs: [{ topic: replayTopic('split'), partition: dead!.partition, batch: again.build() }],
    })
    const { audits } = await runUntilCaughtUp(log, [split])
    const found = (await readAll(log, 'words')).map((one) => [one.id.slice(-1), String(one.value)])
    assert.deepEqual(found.sort(), [
      ['0', '{"word":"good"}'],
      ['1', '{"word":"bad"}'],
      ['2', '{"word":"ugly"}'],
    ])
    assert.equal((await readAll(log, 'all')).length, 1)
    assert.deepEqual(audits.get('split')!.imbalances, [])
  })
})
