import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BatchBuilder } from '../core/batch-builder.ts'
import { systemClock } from '../core/clock.ts'
import { createMemoryLog } from '../log/memory.ts'
import { FiguresReader, FiguresTeller, figuresTopic } from './figures.ts'

const app = { about: 'a test', plans: [{ name: 'score', hash: 'h' }] }
const told = { pipelines: {}, figures: { accuracy: 0.9 } }

describe('figures through the log', () => {
  it('come to a reader as they were told, the application at first and at the end', async () => {
    const log = createMemoryLog()
    const problems: string[] = []
    const problem = (words: string) => void problems.push(words)
    const reader = new FiguresReader({ log, sinceMs: 0, tailMessages: 10 })
    assert.deepEqual(await reader.read(), [], 'before anybody told anything')
    const teller = new FiguresTeller({ log, clock: systemClock, app, problem })
    await teller.tell(told)
    await teller.tell(told)
    await teller.end(told)
    const [first, second, last] = await reader.read()
    assert.deepEqual([first!.app, first!.figures, first!.pid], [app, told.figures, process.pid])
    assert.deepEqual([second!.app, second!.id], [undefined, first!.id])
    assert.deepEqual([last!.ended, last!.app], [true, app])
    assert.deepEqual(await reader.read(), [])
    assert.deepEqual(problems, [])
  })

  it('pass over what is no figures, and start anew with a new topic', async () => {
    const log = createMemoryLog()
    const teller = new FiguresTeller({ log, clock: systemClock, app, problem: assert.fail })
    await teller.tell(told)
    const builder = new BatchBuilder(figuresTopic, 0)
    for (const value of ['{', '{"v":2}', null, '[]']) builder.append('x', value, 0)
    await log.commit({ outputs: [{ topic: figuresTopic, partition: 0, batch: builder.build() }] })
    const reader = new FiguresReader({ log, sinceMs: 0, tailMessages: 10 })
    assert.equal((await reader.read()).length, 1)
    await log.deleteTopic(figuresTopic)
    const other = new FiguresTeller({ log, clock: systemClock, app, problem: assert.fail })
    await other.tell(told)
    assert.equal((await reader.read()).length, 1)
  })

  it('read a tail first: what is recent, but some messages in any case', async () => {
    const log = createMemoryLog()
    let nowMs = 0
    const clock = { ...systemClock, now: () => nowMs }
    const teller = new FiguresTeller({ log, clock, app, problem: assert.fail })
    for (nowMs = 1000; nowMs <= 20_000; nowMs += 1000) await teller.tell(told)
    const read = async (sinceMs: number, tailMessages: number) => {
      const all = await new FiguresReader({ log, sinceMs, tailMessages }).read()
      return all.length
    }
    assert.equal(await read(15_000, 2), 6)
    assert.equal(await read(90_000, 2), 2)
  })

  it('that cannot be written are a word for people, once', async () => {
    const log = { ...createMemoryLog() }
    const problems: string[] = []
    const teller = new FiguresTeller({
      ...{ clock: systemClock, app, problem: (words: string) => void problems.push(words) },
      log: { ...log, topic: () => Promise.reject(new Error('the disk is full')) },
    })
    await teller.tell(told)
    await teller.tell(told)
    assert.deepEqual(problems, ['figures are not told: the disk is full'])
  })
})
