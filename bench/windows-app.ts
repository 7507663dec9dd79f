/** The work of bench/windows.ts as an application; topics and group are named by the environment. */
import { pipeline, rolling, topic } from 'millrace'
import { tumbling } from 'millrace/transforms'

interface Payment {
  readonly card: string
  readonly amount: number
  readonly terminal: string
}

const named = (name: string) => {
  const value = process.env[name]
  if (value === undefined) throw new Error(`bench: ${name} is not set; run npm run bench:windows`)
  return value
}

const lateness = '10s'

/** What a card spent in an hour goes on with each payment; how often it paid, a minute at a time. */
export const windows = pipeline(named('BENCH_GROUP'))
  .from(topic<Payment>(named('BENCH_INPUT')))
  .add({ spent1h: rolling.sum('amount', { over: '1h' }) }, { lateness })
  .to(topic(named('BENCH_OUTPUT')))
  .keyBy()
  .window(tumbling('1m', { lateness }))
  .aggregate('per-minute', (over) => ({ payments: over.count() }))
  .to(topic(named('BENCH_COUNTS')))
