import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { isOnKafka } from '../../scripts/test-kafka.ts'
import { newLog } from '../log/log-testing.ts'
import { partitionOf } from '../log/partitioner.ts'
import { files } from '../sources/files.ts'
import { replayDeadLetters } from './dead-letter-store.ts'
import { pipeline } from './pipeline.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

interface View {
  readonly ad: string
  readonly number: number
}

const partitions = 2
const views = topic<View>('views', { partitions: 3 })
const clicks = topic('clicks', { schema: z.object({ at: z.coerce.date() }), partitions })

const clicked = pipeline('clicked')
  .from(views)
  .keyBy((view) => view.ad)
  .join('click', clicks, { within: 20, how: 'left', late: topic('late') })
  .map('flat', ({ number, click }) => ({ number, clicked: click?.at.getTime() ?? null }))
  .to(topic('clicked'))

interface Told {
  readonly side: 'view' | 'click'
  readonly ad: string
  readonly time: number
}

describe('a join within a time', () => {
  it('pairs each with each that is near, and lets those go on that stay alone', async () => {
    const message = fc.record({
      side: fc.constantFrom('view' as const, 'click' as const),
      ad: fc.constantFrom('a', 'b', 'c'),
      afterMs: fc.integer({ min: 0, max: 15 }),
    })
    const runs = fc.array(fc.array(message, { maxLength: 25, size: 'max' }), {
      minLength: 1,
      maxLength: 2,
    })
    await fc.assert(
      fc.asyncProperty(runs, async (drawn) => {
        const log = await newLog()
        await log.createTopic('views', { partitions: 3 })
        await log.createTopic('clicks', { partitions })
        let time = 0
        const all: Told[] = []
        const put = async (told: Told) => {
          const { side, ad } = told
          all.push(told)
          if (side === 'view') {
            const value = { ad, number: all.length }
            await appendAll(log, 'views', [{ partition: 0, time: told.time, value }])
          } else {
            const partition = partitionOf(Buffer.from(ad), partitions, 0)
            const value = { at: new Date(told.time) }
            await appendAll(log, 'clicks', [{ key: ad, partition, time: told.time, value }])
          }
        }
        for (const run of [...drawn, []]) {
          for (const { afterMs, side, ad } of run) {
            time += afterMs
            await put({ side, ad, time })
          }
          const { audits } = await runUntilCaughtUp(log, [clicked])
          assert.deepEqual(audits.get('clicked')!.imbalances, [])
        }
        const pairs = all.flatMap((view, index) => {
          if (view.side !== 'view') return []
          return all
            .filter(({ side, ad }) => side === 'click' && ad === view.ad)
            .filter((click) => Math.abs(click.time - view.time) <= 20)
            .map((click) => [index + 1, click.time])
        })
        const found = (await readAll(log, 'clicked')).map(
          ({ value }) => JSON.parse(String(value)) as { number: number; clicked: number | null },
        )
        const both = found.filter((one) => one.clicked !== null)
        assert.deepEqual(both.map((one) => [one.number, one.clicked]).sort(), pairs.sort())
        const alone = found.filter((one) => one.clicked === null).map(({ number }) => number)
        assert.equal(new Set(alone).size, alone.length, 'told once')
        for (const number of alone) {
          assert.ok(!pairs.some(([of]) => of === number), `view ${number} is not alone`)
        }
        await log.close()
      }),
      { numRuns: isOnKafka() ? 1 : 6, endOnFailure: true },
    )
  })

  it('tells who stays alone once its time is over, and keeps ids and times', async () => {
    const log = await newLog()
    await log.createTopic('views', { partitions: 3 })
    await log.createTopic('clicks', { partitions })
    const view = (number: number, time: number) => {
      return { time, partition: 0, value: { ad: 'a', number } }
    }
    const click = (time: number) => {
      return {
        key: 'a',
        time,
        partition: partitionOf(Buffer.from('a'), partitions, 0),
        value: { at: new Date(time) },
      }
    }
    await appendAll(log, 'views', [view(1, 100), view(2, 200), view(3, 400)])
    await appendAll(log, 'clicks', [click(110), click(400)])
    const { audits } = await runUntilCaughtUp(log, [clicked])
    const audit = audits.get('clicked')!
    assert.deepEqual(audit.imbalances, [])
    const messages = await readAll(log, 'clicked')
    const identity = (await log.topic('views'))!.identity
    const clickIdentity = (await log.topic('clicks'))!.identity
    const place = partitionOf(Buffer.from('a'), partitions, 0)
    const offsets = (await readAll(log, 'clicks')).map(({ offset }) => offset)
    const firsts = (await readAll(log, 'views')).map(({ offset }) => offset)
    assert.deepEqual(
      messages.map(({ id, time }) => [id, time]).sort(),
      [
        [`${identity}/0/${firsts[0]}+${clickIdentity}/${place}/${offsets[0]}`, 110],
        [`${identity}/0/${firsts[1]}+`, 200],
        [`${identity}/0/${firsts[2]}+${clickIdentity}/${place}/${offsets[1]}`, 400],
      ].sort(),
    )
    await log.close()
  })

  it('is not made of a side that no longer fits: the message is a dead letter, once, and can be replayed', async () => {
    const log = await newLog()
    const one = { partitions: 1 }
    for (const name of ['asked', 'answered']) await log.createTopic(name, one)
    const withAnswers = (schema: z.ZodType<{ b: unknown }, { b: unknown }>) =>
      pipeline('p')
        .from(topic<{ a: number }>('asked', one))
        .keyBy(() => 'k')
        .join('answer', topic('answered', { schema, partitions: 1 }), { within: '1m' })
        .to(topic<{ a: number }>('out', one))
    const message = (time: number, value: object) => ({ key: 'k', time, value })
    await appendAll(log, 'answered', [
      message(1, { b: '1' }),
      message(2, { b: 2 }),
      message(3, { b: 3 }),
    ])
    await runUntilCaughtUp(log, [withAnswers(z.object({ b: z.unknown() }))])
    await appendAll(log, 'asked', [message(4, { a: 1 })])
    const first = await runUntilCaughtUp(log, [withAnswers(z.object({ b: z.string() }))])
    assert.deepEqual(first.audits.get('p')!.imbalances, [])
    assert.equal((await readAll(log, 'p.dead-letters')).length, 1)
    assert.deepEqual(await readValues(log, 'out'), [])
    await replayDeadLetters(log, 'p', {})
    const last = await runUntilCaughtUp(log, [withAnswers(z.object({ b: z.unknown() }))])
    assert.deepEqual(last.audits.get('p')!.imbalances, [])
    const pairs = ['1', 2, 3].map((b) => ({ a: 1, answer: { b } }))
    assert.deepEqual(await readValues(log, 'out'), pairs)
    await log.close()
  })

  it('at the end of files tells who is alone, and keeps it for what a later run brings', async () => {
    const log = await newLog()
    const folder = mkdtempSync(join(tmpdir(), 'millrace-pairs-'))
    const put = (name: string, lines: readonly object[]) => {
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
      writeFileSync(join(folder, name), text)
    }
    interface Line {
      readonly number: number
      readonly time: number
    }
    const declared = { key: () => 'k', time: ({ time }: Line) => time, partitions: 2 }
    const [asked, answered] = [topic<Line>('asked', declared), topic<Line>('answered', declared)]
    const from = (name: string) => files<Line>({ path: join(folder, name) })
    const pipelines = () => [
      pipeline('ask').from(from('ask-*.ndjson')).to(asked),
      pipeline('answer').from(from('answer-*.ndjson')).to(answered),
      pipeline('met')
        .from(asked)
        .keyBy(() => 'k')
        .join('answer', answered, { within: 10, how: 'left' })
        .map('flat', ({ number, answer }) => ({ number, answer: answer?.number ?? null }))
        .to(topic('met')),
    ]
    const told = async () => {
      const { audits } = await runUntilCaughtUp(log, pipelines(), folder)
      assert.deepEqual(audits.get('met')!.imbalances, [])
      const values = (await readValues(log, 'met')) as { number: number; answer: number | null }[]
      return values.map(({ number, answer }) => `${number} ${answer}`).sort()
    }
    put('ask-1.ndjson', [
      { number: 1, time: 100 },
      { number: 2, time: 105 },
    ])
    put('answer-1.ndjson', [{ number: 7, time: 95 }])
    const first = ['1 7', '2 7']
    assert.deepEqual(await told(), first)
    put('ask-2.ndjson', [{ number: 3, time: 106 }])
    const second = [...first, '3 null']
    assert.deepEqual(await told(), second)
    put('answer-2.ndjson', [{ number: 8, time: 107 }])
    assert.deepEqual(await told(), [...second, '1 8', '2 8', '3 8'].sort())
    rmSync(folder, { recursive: true })
    await log.close()
  })
})
