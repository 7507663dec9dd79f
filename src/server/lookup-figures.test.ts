import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Clock, systemClock } from '../core/clock.ts'
import { createMemoryLog } from '../log/memory.ts'
import { http } from '../lookups/http.ts'
import { FiguresTeller } from '../monitoring/figures.ts'
import { Meter } from '../monitoring/meter.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { planOf } from '../pipeline/plan.ts'
import { topic } from '../pipeline/topic.ts'
import { Metrics } from './metrics.ts'
import { Monitor } from './monitor.ts'

const price = pipeline('price')
  .from(topic<{ currency: string }>('orders'))
  .lookup('rate', http({ url: 'https://rates.invalid/{key}' }), { by: (one) => one.currency })
  .to(topic('priced'))

describe('figures of look-ups', () => {
  it('are in the state and in /metrics; what a process that ended remembered counts no more', async () => {
    const log = createMemoryLog()
    let nowMs = 1_000_000
    const clock: Clock = { ...systemClock, now: () => nowMs }
    const plans = planOf([price['~pipeline']]).pipelines.map((one) => ({ ...one }))
    const monitor = new Monitor({ log, clock, version: '1', directory: undefined })
    const tell = async (hits: number, entries: number, ends: boolean) => {
      const meter = new Meter()
      meter.lookedUp('rate', { hits, misses: 2, entries })
      const teller = new FiguresTeller({
        log,
        clock,
        app: { about: null, plans },
        problem: assert.fail,
      })
      const pipelines = { price: { ...meter.figures(), waiting: [] } }
      await teller.tell({ pipelines, figures: {} })
      if (ends) await teller.end({ pipelines, figures: {} })
    }
    await tell(10, 7, true)
    nowMs += 1000
    await tell(5, 3, false)
    await monitor.look()
    const [one] = monitor.state.pipelines
    const lookups = one!.steps.map(({ name, lookup }) => [name, lookup])
    assert.deepEqual(Object.fromEntries(lookups), {
      ...{ read: null, 'to-priced': null },
      rate: { hits: 15, misses: 4, entries: 3 },
    })
    const text = await (await new Metrics(monitor, false).response()).text()
    for (const line of [
      'millrace_lookup_hits_total{pipeline="price",step="rate"} 15',
      'millrace_lookup_misses_total{pipeline="price",step="rate"} 4',
      'millrace_lookup_entries{pipeline="price",step="rate"} 3',
    ]) {
      assert.ok(text.split('\n').includes(line), line)
    }
  })
})
