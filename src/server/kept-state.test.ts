/** What the page and Prometheus are told of state and event time, from a pipeline that has run. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import { createMemoryLog } from '../log/memory.ts'
import { FiguresTeller } from '../monitoring/figures.ts'
import { Meter } from '../monitoring/meter.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { planOf } from '../pipeline/plan.ts'
import { appendAll, runUntilCaughtUp } from '../pipeline/testing.ts'
import { topic } from '../pipeline/topic.ts'
import { tumbling } from '../transforms/window.ts'
import { StateAmounts } from './kept-state.ts'
import { testServer } from './server-testing.ts'

const minute = 60_000
const posts = topic<{ author: string }>('posts', { partitions: 2 })
const counts = pipeline('counts')
  .from(posts)
  .join('other', topic('other', { partitions: 2 }))
  .keyBy((post) => post.author)
  .window(tumbling('1m', { lateness: '30s' }))
  .aggregate('per-minute', (over) => ({ posts: over.count() }))
  .to(topic('counted'))
const alone = pipeline('alone')
  .from(posts)
  .keyBy()
  .window(tumbling('1m'))
  .aggregate('own', (over) => ({ posts: over.count() }))
  .to(topic('own-counted'))
const pipelines = [counts, alone]

async function worked(): Promise<Log> {
  const log = createMemoryLog()
  for (const name of ['posts', 'other']) await log.createTopic(name, { partitions: 2 })
  const at = (partition: number, time: number) => {
    return { partition, time, key: `${time}`, value: { author: 'ann' } }
  }
  const times = [0, 5 * minute, 3 * minute, 1].map((time) => at(0, time))
  const all = [...times, at(1, 0), at(1, 4 * minute)]
  await appendAll(log, 'posts', all)
  await appendAll(log, 'other', [at(0, 0), at(0, 5 * minute), at(1, 4 * minute)])
  await runUntilCaughtUp(log, pipelines)
  const plans = planOf(pipelines.map((one) => one['~pipeline'])).pipelines.map((one) => ({
    ...one,
  }))
  const app = { about: null, plans }
  const teller = new FiguresTeller({ log, clock: systemClock, app, problem: assert.fail })
  const meter = new Meter()
  const told = { ...meter.figures(), waiting: [] }
  meter.standsBy({ copies: 2, lag: 12 })
  const standing = { ...meter.figures(), waiting: [] }
  await teller.tell({ pipelines: { counts: standing, alone: told }, figures: {} })
  return log
}

describe('what steps keep', () => {
  it('is told by step: how much, and how far event time has come', async () => {
    const log = await worked()
    const { monitor, ask } = testServer({ log })
    await monitor.look()
    const kept = new Map(
      monitor.state.pipelines.flatMap(({ name, steps }) =>
        steps.map((step) => [`${name} ${step.name}`, step] as const),
      ),
    )
    assert.deepEqual(kept.get('alone own')!.kept, {
      // Both partitions have three windows at most, and what they were written by.
      ...{ watermarkMs: 4 * minute, behindMs: minute },
      ...{ keys: 4, sizeBytes: kept.get('alone own')!.kept!.sizeBytes },
    })
    assert.equal(kept.get('alone own')!.late, 2)
    const { watermarkMs, behindMs, keys, sizeBytes } = kept.get('counts per-minute')!.kept!
    assert.deepEqual([watermarkMs, behindMs], [4 * minute, minute])
    assert.ok(keys! > 0 && sizeBytes! > keys!)
    const join = kept.get('counts other')!.kept!
    assert.deepEqual([join.watermarkMs, join.behindMs, join.keys], [null, null, 3])
    assert.equal(kept.get('counts read')!.kept, null)
    assert.equal(kept.get('counts to-counted')!.kept, null)
    const standby = monitor.state.pipelines.map(({ name, standby }) => [name, standby])
    assert.deepEqual(new Map(standby as [string, unknown][]).get('counts'), { copies: 2, lag: 12 })
    const text = await (await ask('/metrics')).text()
    assert.doesNotMatch(text, /standby_copies{pipeline="alone"}/)
    const has = (line: string) => assert.ok(text.includes(`\n${line}\n`), line)
    has(`millrace_watermark_seconds{pipeline="alone",step="own"} ${4 * 60}`)
    has('millrace_watermark_behind_seconds{pipeline="alone",step="own"} 60')
    has('millrace_late_total{pipeline="alone",step="own"} 2')
    has('millrace_state_keys{pipeline="counts",step="other"} 3')
    has('millrace_standby_copies{pipeline="counts"} 2')
    has('millrace_standby_lag_messages{pipeline="counts"} 12')
    has(`millrace_state_bytes{pipeline="counts",step="per-minute"} ${sizeBytes}`)
  })

  it('is asked for seldom, and stays what it was where it cannot be asked', async () => {
    const log = await worked()
    const plans = planOf(pipelines.map((one) => one['~pipeline'])).pipelines
    const amounts = new StateAmounts()
    let asked = 0
    let isAway = false
    const counting: Log = Object.assign(Object.create(log), {
      async stateSizes(store: string) {
        asked++
        if (isAway) throw fail('LOG_UNREACHABLE', 'away')
        return store === 'alone.own' ? [{ partition: 0, sizeBytes: 7 }] : log.stateSizes(store)
      },
    })
    const first = await amounts.look(counting, plans, 0)
    assert.deepEqual(
      { ...first.get('alone.own'), againAtMs: 0 },
      { keys: null, sizeBytes: 7, againAtMs: 0 },
    )
    assert.equal(asked, 3)
    await amounts.look(counting, plans, 4000)
    assert.equal(asked, 3)
    isAway = true
    const later = await amounts.look(counting, plans, 600_000)
    assert.equal(asked, 6)
    assert.equal(later.get('counts.other')!.keys, first.get('counts.other')!.keys)
  })
})
