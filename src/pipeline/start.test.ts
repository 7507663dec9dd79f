import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newLog } from '../log/log-testing.ts'
import { generate } from '../sources/index.ts'
import { ensureTopics } from './ensure-topics.ts'
import { type FromOptions, pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import type { Position } from './position.ts'
import { rolling } from './rolling-feature.ts'
import { checkStart, placeStarts, type StartChoice } from './start.ts'
import { table } from './table.ts'
import { appendAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const hourMs = 3_600_000
const nowMs = Date.UTC(2026, 10, 1)
const numbers = topic<{ n: number }>('numbers', { partitions: 2 })
const copies = topic<{ n: number }>('copies', { partitions: 2 })
const copyFrom = (options?: FromOptions) =>
  (options === undefined
    ? pipeline('copy').from(numbers)
    : pipeline('copy').from(numbers, options)
  ).to(copies)
const copy = copyFrom()
const latest: Position = { kind: 'end' }

/** Two partitions with three messages each, an hour apart, the last one an hour ago. */
async function filled() {
  const log = await newLog()
  await ensureTopics(log, planOf([copy['~pipeline']]))
  const messages = [0, 1].flatMap((partition) =>
    [3, 2, 1].map((hours) => ({
      value: { n: partition * 10 + hours },
      time: nowMs - hours * hourMs,
      partition,
    })),
  )
  await appendAll(log, 'numbers', messages)
  return log
}

type Log = Awaited<ReturnType<typeof filled>>

/** Gives back what is said. On Kafka the end of a transaction takes an offset too. */
async function place(log: Log, asked: readonly StartChoice[], one = copy): Promise<string[]> {
  const said: string[] = []
  const say = (words: string) => said.push(words.replace(/\d+ offsets/, 'N offsets'))
  await placeStarts(log, [one['~pipeline']], { asked, nowMs, say })
  return said
}

/** Runs to the end; the ledger has to balance, whatever was left out. */
async function copied(log: Log, one = copy): Promise<number[]> {
  const { audits } = await runUntilCaughtUp(log, [one])
  assert.deepEqual(audits.get('copy')!.imbalances, [])
  const found = (await readValues(log, 'copies')) as { n: number }[]
  return found.map(({ n }) => n).sort((a, b) => a - b)
}

describe('where a pipeline begins', () => {
  it('is the earliest message, as long as nobody says otherwise', async () => {
    const log = await filled()
    assert.deepEqual(await place(log, []), [])
    assert.deepEqual(await place(log, [{ position: { kind: 'start' } }]), [])
    assert.deepEqual(await copied(log), [1, 2, 3, 11, 12, 13])
  })

  it('may be latest: what comes later is read, also after a restart', async () => {
    const log = await filled()
    assert.deepEqual(await place(log, [{ position: latest }]), [
      'copy begins numbers at latest: N offsets before are left out',
    ])
    assert.deepEqual(await copied(log), [])
    await appendAll(log, 'numbers', [{ value: { n: 7 } }])
    const [said, ...more] = await place(log, [{ position: latest }])
    assert.match(said!, /^--start has no effect there: copy goes on in numbers from its checkp/)
    assert.match(said!, /\(millrace groups reset copy moves them\)$/)
    assert.deepEqual(more, [])
    assert.deepEqual(await copied(log), [7], 'decided once, before anything was read')
  })

  it('may be a time, or so long ago', async () => {
    const timeMs = nowMs - 2 * hourMs
    for (const position of [
      { kind: 'time', timeMs },
      { kind: 'ago', agoMs: 2 * hourMs },
    ] as const) {
      const log = await filled()
      await place(log, [{ position }])
      assert.deepEqual(await copied(log), [1, 2, 11, 12])
    }
    const log = await filled()
    await place(log, [{ position: { kind: 'ago', agoMs: 1 } }])
    assert.deepEqual(await copied(log), [], 'later than all is the end')
  })

  it('may be an offset of a partition, others as something else says, within their bounds', async () => {
    const log = await filled()
    const one = { topic: 'numbers', partition: 1, position: { kind: 'offset', offset: 2 } } as const
    assert.deepEqual(await place(log, [{ topic: 'numbers', position: latest }, one]), [
      'copy begins numbers at latest: N offsets before are left out',
      'copy begins numbers at offset 2: N offsets before are left out',
    ])
    assert.deepEqual(await copied(log), [11])
    const far = { ...one, partition: 0, position: { kind: 'offset', offset: 99 } } as const
    const other = await filled()
    await place(other, [far])
    assert.deepEqual(await copied(other), [11, 12, 13])
  })

  it('is what the code says, which a command may overrule', async () => {
    const late = copyFrom({ start: 'latest' })
    const log = await filled()
    assert.equal((await place(log, [], late)).length, 1)
    assert.deepEqual(await copied(log, late), [])
    assert.deepEqual(await place(log, [], late), [], 'nobody is told at every start')
    const other = await filled()
    await place(other, [{ position: { kind: 'start' } }], late)
    assert.deepEqual(await copied(other, late), [1, 2, 3, 11, 12, 13])
    const hash = (one: typeof late) => planOf([one['~pipeline']]).pipelines[0]!.hash
    assert.equal(hash(late), hash(copy), 'the plan is the same one')
    const since = copyFrom({ start: new Date(nowMs - hourMs) })
    const third = await filled()
    await place(third, [], since)
    assert.deepEqual(await copied(third, since), [1, 11])
  })

  it('is the earliest in a partition that came later, so that nothing is missed', async () => {
    const log = await filled()
    const checkpoint = { topic: 'numbers', partition: 0, offset: 1 }
    const metadata = '{"v":1,"from":1,"plan":"","ledger":{}}'
    await log.resetGroup('copy', [{ ...checkpoint, metadata }])
    const [said] = await place(log, [{ position: latest }])
    assert.match(said!, /^--start has no effect there/)
    assert.deepEqual(await copied(log), [1, 2, 11, 12, 13])
  })

  it('is the earliest of what messages are looked up in, unless that very topic is named', async () => {
    const of = (name: string) => topic<{ k: string; n: number }>(name, { partitions: 1 })
    const looking = pipeline('looking')
      .from(of('asking'), { start: 'latest' })
      .keyBy()
      .join('row', table(of('rows')))
      .add({ sum: rolling.sum('n', { by: 'k', over: '1h', from: of('history') }) })
      .to(topic<object>('looked', { partitions: 1 }))
    const begin = async (asked: readonly StartChoice[]) => {
      const log = await newLog()
      await ensureTopics(log, planOf([looking['~pipeline']]))
      const put = (name: string, n: number) =>
        appendAll(log, name, [{ key: 'x', value: { k: 'x', n }, time: nowMs }])
      await put('rows', 7)
      await put('history', 8)
      await put('asking', 1)
      await placeStarts(log, [looking['~pipeline']], { asked, nowMs, say: () => undefined })
      await put('asking', 2)
      await runUntilCaughtUp(log, [looking])
      const found = await readValues(log, 'looked')
      await log.close()
      return found
    }
    const known = { k: 'x', n: 2, row: { k: 'x', n: 7 }, sum: 8 }
    assert.deepEqual(await begin([]), [known])
    assert.deepEqual(await begin([{ position: latest }]), [known])
    assert.deepEqual(await begin([{ topic: 'rows', position: latest }]), [{ ...known, row: null }])
  })

  it('is not moved while another process runs the pipeline', async () => {
    const log = await filled()
    const member = await log.join('copy', { topics: [{ name: 'numbers', partitions: 2 }] })
    await member.heartbeat()
    assert.deepEqual(await place(log, [{ position: latest }]), [
      '--start has no effect on copy: another process runs it already',
    ])
    await member.leave()
    assert.equal((await copied(log)).length, 6)
  })

  it('has to be a place of a topic that is read', async () => {
    const log = await filled()
    const definitions = [copy['~pipeline']]
    checkStart(definitions, [{ position: latest }, { topic: 'numbers', position: latest }])
    assert.throws(() => checkStart(definitions, [{ topic: 'number', position: latest }]), {
      code: 'OPTIONS_INVALID',
      message: /--start: no pipeline here reads a topic 'number'; did you mean 'numbers'\?/,
    })
    await assert.rejects(place(log, [{ topic: 'numbers', partition: 2, position: latest }]), {
      code: 'OPTIONS_INVALID',
      message: /topic numbers has the partitions 0 to 1, and no 2/,
    })
    const wrong: [() => unknown, RegExp][] = [
      [() => copyFrom({ start: 'lately' }), /from\(\): start is 'lately'; give 'earliest', 'lat/],
      [() => copyFrom({ start: '5' }), /start is '5'/],
      [() => copyFrom({ begin: 'latest' } as FromOptions), /unknown option 'begin'/],
      [
        () =>
          pipeline('x').from(generate({ name: 'n', count: 1, value: () => 1 }), { start: '-1h' }),
        /start is for topics; a source begins where/,
      ],
    ]
    for (const [make, message] of wrong) {
      assert.throws(make, { code: 'OPTIONS_INVALID', message })
    }
  })
})
