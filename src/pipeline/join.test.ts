import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as pathOf } from 'node:path'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { BatchBuilder } from '../core/batch-builder.ts'
import { newLog } from '../log/log-testing.ts'
import { createMemoryLog } from '../log/memory.ts'
import { file } from '../sinks/index.ts'
import { replayDeadLetters } from './dead-letter-store.ts'
import { decodeRows } from './decode.ts'
import { JoinState, type JoinStep, Joins } from './join.ts'
import { Counters } from './ledger.ts'
import { pipeline } from './pipeline.ts'
import { Rows } from './rows.ts'
import type { StepContext } from './step-context.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const one = { partitions: 1 }
const step: JoinStep = { kind: 'join', name: 'other', other: topic<never>('right') }

function rowsOf(keys: readonly string[]): Rows {
  const builder = new BatchBuilder('t', 0)
  for (const key of keys) builder.append(key, JSON.stringify({ key }), 0)
  const rows = new Rows(builder.build())
  decodeRows(rows, undefined)
  return rows
}

const contextOf = () =>
  ({ counters: new Counters(['join']), failures: [] }) as unknown as StepContext

describe('the state of a join', () => {
  it('finds what waits also when its commit ends while the log is asked', async () => {
    const log = createMemoryLog()
    const asked = Promise.withResolvers<void>()
    const slow = { ...log, state: () => asked.promise.then(() => new Map<string, Buffer>()) }
    const join = new JoinState(slow, 'store', 0, step)
    const context = contextOf()
    const left = join.apply(rowsOf(['a']), 'left', 0, context)
    asked.resolve()
    await left
    join.take()
    const later = Promise.withResolvers<void>()
    slow.state = () => later.promise.then(() => new Map())
    const right = rowsOf(['a', 'b'])
    const joined = join.apply(right, 'right', 0, context)
    join.committed(1)
    later.resolve()
    await joined
    assert.equal(right.count, 1)
    await log.close()
  })

  it('keeps what is not committed also when it was made while an earlier commit is under way', async () => {
    const log = createMemoryLog()
    const joins = new Joins(log, 'p')
    joins.take()
    await joins.of(step, 1).apply(rowsOf(['a']), 'left', 0, contextOf())
    joins.committed()
    const right = rowsOf(['a'])
    await joins.of(step, 1).apply(right, 'right', 0, contextOf())
    assert.equal(right.count, 1)
    assert.deepEqual(
      joins.take().map(({ partition, key, value }) => [partition, key, value]),
      [[1, 'left:a', null]],
    )
    await log.close()
  })

  it('is found again when a sink that takes all partitions is added', async () => {
    const folder = mkdtempSync(pathOf(tmpdir(), 'millrace-join-'))
    const log = await newLog()
    for (const name of ['left', 'right']) await log.createTopic(name, { partitions: 2 })
    const joined = pipeline('p')
      .from(topic<{ id: string }>('left', { partitions: 2 }))
      .join('other', topic<{ b: number }>('right', { partitions: 2 }))
      .to(topic<{ id: string; other: { b: number } }>('both', one))
    await appendAll(log, 'left', [{ key: 'k', value: { id: 'k' }, partition: 1 }])
    await runUntilCaughtUp(log, [joined], folder)
    const wider = joined.to(file({ path: pathOf(folder, 'both.ndjson') }))
    await appendAll(log, 'right', [{ key: 'k', value: { b: 1 }, partition: 1 }])
    const { audits } = await runUntilCaughtUp(log, [wider], folder)
    assert.deepEqual(await readValues(log, 'both'), [{ id: 'k', other: { b: 1 } }])
    assert.deepEqual(audits.get('p')!.imbalances, [])
    rmSync(folder, { recursive: true })
  })
})

describe('a pair', () => {
  const Dated = z.object({ at: z.coerce.date() })
  const Both = z.object({ left: z.string(), right: z.string(), hidden: z.boolean() })
  const pair = pipeline('p')
    .from(topic('left', { schema: Dated, partitions: 1 }))
    .map('hide', (value) => ({ ...value, hidden: undefined }))
    .join('other', topic('right', { schema: Dated, partitions: 1 }))
    .map('look', (value) => ({
      left: value.at,
      right: value.other.at.toISOString(),
      hidden: 'hidden' in value,
    }))
    .to(topic('both', { schema: Both, partitions: 1 }))
  const sides = {
    left: [{ key: 'k', value: { at: '2020-01-01' }, time: 5 }],
    right: [{ key: 'k', value: { at: '2021-01-01' }, time: 7 }],
  }

  it('is the same whichever side came first, and when both come at once', async () => {
    for (const order of [['left', 'right'], ['right', 'left'], ['both']] as const) {
      const log = await newLog()
      for (const name of ['left', 'right']) await log.createTopic(name, one)
      for (const name of order) {
        if (name !== 'right') await appendAll(log, 'left', sides.left)
        if (name !== 'left') await appendAll(log, 'right', sides.right)
        await runUntilCaughtUp(log, [pair])
      }
      const [message, ...others] = await readAll(log, 'both')
      assert.deepEqual(JSON.parse(String(message?.value)), {
        left: '2020-01-01T00:00:00.000Z',
        right: '2021-01-01T00:00:00.000Z',
        hidden: false,
      })
      assert.deepEqual([message?.time, others], [7, []])
    }
  })

  it('cannot be made of what JSON cannot hold: that is a dead letter, also where it fails later', async () => {
    const log = await newLog()
    for (const name of ['left', 'right']) await log.createTopic(name, one)
    const circle: { [name: string]: unknown } = {}
    circle.self = circle
    const values: readonly unknown[] = [{ n: 1n }, circle, 'text', undefined, { n: 5 }]
    const odd = pipeline('odd')
      .from(topic<number>('left', one))
      .map('become', (n) => values[n] as { n: number })
      .join('other', topic<{ b: number }>('right', one))
      .map('big', (value) => ({ ...value, big: 1n }))
      .map('fail', (): { n: number } => {
        throw new Error('later')
      })
      .to(topic<{ n: number }>('out', one))
    const keys = ['a', 'b', 'c', 'd', 'e']
    await appendAll(
      log,
      'left',
      keys.map((key, value) => ({ key, value })),
    )
    await appendAll(
      log,
      'right',
      keys.map((key) => ({ key, value: { b: 1 } })),
    )
    const { audits } = await runUntilCaughtUp(log, [odd])
    const letters = await readAll(log, 'odd.dead-letters')
    const steps = letters.map(
      ({ headers }) => `${headers.find(({ key }) => key === 'millrace.dead.step')?.value}`,
    )
    assert.deepEqual(steps.sort(), ['fail', 'other', 'other', 'other', 'other'])
    assert.ok(letters.some(({ value }) => String(value) === '{"n":5,"other":{"b":1}}'))
    assert.deepEqual(audits.get('odd')!.imbalances, [])
  })

  it('is not made of a side that no longer fits: it waits on, and the one that came can be replayed', async () => {
    const log = await newLog()
    for (const name of ['left', 'right']) await log.createTopic(name, one)
    const withRight = (schema: z.ZodType<{ b: unknown }, { b: unknown }>) =>
      pipeline('p')
        .from(topic<{ a: number }>('left', one))
        .join('other', topic('right', { schema, partitions: 1 }))
        .to(topic<{ a: number }>('out', one))
    await appendAll(log, 'right', [{ key: 'k', value: { b: 1 } }])
    await runUntilCaughtUp(log, [withRight(z.object({ b: z.unknown() }))])
    await appendAll(log, 'left', [{ key: 'k', value: { a: 1 } }])
    await runUntilCaughtUp(log, [withRight(z.object({ b: z.string() }))])
    assert.equal((await readAll(log, 'p.dead-letters')).length, 1)
    assert.equal((await log.state('p.other', 0, ['right:k'])).size, 1)
    await replayDeadLetters(log, 'p', {})
    await runUntilCaughtUp(log, [withRight(z.object({ b: z.number() }))])
    assert.deepEqual(await readValues(log, 'out'), [{ a: 1, other: { b: 1 } }])
  })
})
