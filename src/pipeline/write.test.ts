import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createMemoryLog } from '../log/memory.ts'
import { model } from './model-use.ts'
import { pipeline } from './pipeline.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const given = topic<{ n?: number }>('given', { partitions: 1 })
const answered = topic<{ n?: number; answer: { is: string } }>('answered', { partitions: 1 })
const answer = model('answer', {
  predict: (inputs: readonly number[]) => inputs.map(() => ({ is: 'ja' })),
})
const ask = pipeline('ask')
  .from(given)
  .predict('answer', answer, { input: (v) => v.n ?? 0 })
  .to(answered)

async function written(raw: readonly string[]): Promise<string[]> {
  const log = createMemoryLog()
  await log.createTopic('given', { partitions: 1 })
  await appendAll(
    log,
    'given',
    raw.map((text) => ({ value: Buffer.from(text) })),
  )
  await runUntilCaughtUp(log, [ask])
  return (await readAll(log, 'answered')).map((message) => String(message.value))
}

describe('writing a value with fields added', () => {
  it('keeps the bytes of the message, numbers beyond 2^53 included', async () => {
    assert.deepEqual(
      await written(['{"n":1,"id":12345678901234567890}', ' { } \n', '{"n": 2.50 }']),
      [
        '{"n":1,"id":12345678901234567890,"answer":{"is":"ja"}}',
        '{"answer":{"is":"ja"}}',
        '{"n": 2.50 ,"answer":{"is":"ja"}}',
      ],
    )
  })

  it('is the same value as writing it anew', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 }),
        async (values) => {
          const found = await written(values.map((value) => JSON.stringify(value)))
          const expected = values.map((value) => JSON.parse(JSON.stringify(value)))
          found.forEach((text, index) => {
            const { answer: added, ...rest } = JSON.parse(text)
            const { answer: _, ...wanted } = expected[index]
            assert.deepEqual(added, { is: 'ja' })
            assert.deepEqual(rest, wanted)
          })
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('writing to a topic', () => {
  const keyed = topic<{ k: unknown; text?: string }>('keyed', {
    partitions: 4,
    key: (value) => value.k as string,
    maxMessageBytes: 2000,
  })
  const copy = pipeline('copy')
    .from(topic<{ k: unknown; text?: string }>('in', { partitions: 1 }))
    .to(keyed)

  it('makes dead letters of keys that are no text and of messages that are too large', async () => {
    const log = createMemoryLog()
    await log.createTopic('in', { partitions: 1 })
    await appendAll(log, 'in', [
      { value: { k: 'fine' } },
      { value: { k: 7 } },
      { value: Buffer.from('{"k":"\\ud800"}') },
      { value: { k: 'big', text: 'x'.repeat(3000) } },
      { value: { k: null } },
    ])
    const { audits } = await runUntilCaughtUp(log, [copy])
    assert.equal((await readValues(log, 'keyed')).length, 2)
    const dead = await readAll(log, 'copy.dead-letters')
    const reasons = dead.map((one) =>
      String(one.headers.find((h) => h.key === '__streams.errors.message')?.value),
    )
    assert.match(
      reasons.join('\n'),
      /the key is a number.*lone surrogate.*takes \d+ bytes, topic keyed takes 2000/s,
    )
    assert.deepEqual(audits.get('copy')!.imbalances, [])
  })

  it('spreads keys as Kafka does and keeps the partition of messages without a key', async () => {
    const log = createMemoryLog()
    await log.createTopic('in', { partitions: 1 })
    await appendAll(log, 'in', [{ value: { k: 'kafka' } }, { value: { k: '21' } }])
    await runUntilCaughtUp(log, [copy])
    const messages = await readAll(log, 'keyed')
    // murmur2('21') is -973932308 in Kafka's own test: its positive remainder by 4 is 0.
    const partitionOf21 = messages.find((one) => String(one.key) === '21')!.partition
    assert.equal(partitionOf21, (-973932308 & 0x7fffffff) % 4)
  })
})
