/** `GET /metrics`: the state in Prometheus' text format, with conventional names, units and help. */
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'
import { Latency, latencyBoundsMs } from '../monitoring/latency.ts'
import { dispositions } from '../pipeline/ledger.ts'
import {
  type Family,
  family,
  groupFamilies,
  keptFamilies,
  lookupEntries,
  ofPipeline,
  ofStep,
  partitionFamilies,
  standbyFamily,
} from './metric-families.ts'
import type { Monitor } from './monitor.ts'

/** Of the fine buckets those that people expect: 0.1 ms, 0.25, 0.5, 1, 2.5, 5, ... 1,000 s. */
const boundsMs = latencyBoundsMs.filter((bound) => /^[0.]*(1|25|2\.5|5)0*(\.0*)?$/.test(`${bound}`))

/** How a disposition is written in a label. */
const written = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const families: readonly Family[] = [
  ofStep(
    'messages_total',
    'Messages that a step took in, by what became of each.',
    'disposition',
    (step) => dispositions.map((name) => [written(name), step[name]] as const),
  ),
  ofStep('emitted_messages_total', 'Messages that a step gave on.', undefined, (step) => [
    ['', step.emitted],
  ]),
  ofStep(
    'predictions_total',
    'Answers of the model of a step, by label, since the processes started.',
    'label',
    ({ labels }) => Object.entries(labels ?? {}),
  ),
  ofStep(
    'step_busy_seconds_total',
    'Time that a step worked, since the processes started.',
    undefined,
    ({ busySeconds }) => (busySeconds === null ? [] : [['', busySeconds] as const]),
  ),
  ofStep(
    'lookup_hits_total',
    'Messages that a look-up answered without a question, since the processes started.',
    undefined,
    ({ lookup }) => (lookup === null ? [] : [['', lookup.hits] as const]),
  ),
  ofStep(
    'lookup_misses_total',
    'Keys that a look-up asked another system for, since the processes started.',
    undefined,
    ({ lookup }) => (lookup === null ? [] : [['', lookup.misses] as const]),
  ),
  lookupEntries,
  ofPipeline(
    'gauge',
    'lag_messages',
    'Messages between the committed positions of a pipeline and the ends of its inputs.',
    (one) => one.lagMessages,
  ),
  ofPipeline(
    'gauge',
    'lag_seconds',
    'Age of the oldest message that a pipeline has not worked on; 0 when caught up.',
    (one) => one.lagSeconds,
  ),
  ...partitionFamilies,
  ...groupFamilies,
  ...keptFamilies,
  ofPipeline(
    'gauge',
    'dead_letters',
    'Dead letters that wait to be replayed or dropped.',
    (one) => one.deadLetters,
  ),
  ofPipeline(
    'gauge',
    'ledger_balanced',
    '1 when every message of a pipeline has one disposition and the topics hold what it says.',
    (one) => Number(one.isBalanced),
  ),
  ofPipeline(
    'gauge',
    'pipeline_members',
    'Workers in the group of a pipeline.',
    (one) => one.members,
  ),
  ofPipeline('gauge', 'pipeline_paused', '1 while the group of a pipeline is paused.', (one) =>
    Number(one.isPaused),
  ),
  standbyFamily(
    'standby_copies',
    'Copies of state that processes keep warm for each other, one a step and partition.',
    ({ copies }) => copies,
  ),
  standbyFamily(
    'standby_lag_messages',
    'Changes that the copies of state which are kept warm are behind.',
    ({ lag }) => lag,
  ),
  family('gauge', 'topic_messages', 'Messages kept in a topic.', ['topic'], (set, { topics }) => {
    for (const { name, messages } of topics) set({ topic: name }, messages)
  }),
  family(
    'gauge',
    'summary',
    'A figure of a summary of the application.',
    ['figure'],
    (set, state) => {
      for (const [figure, value] of Object.entries(state.figures)) set({ figure }, value)
    },
  ),
  family('gauge', 'processes', 'Processes that run pipelines here.', [], (set, state) =>
    set({}, state.processes.length),
  ),
  family('gauge', 'ready', '1 when /health/ready says so.', [], (set, state) =>
    set({}, Number(state.health.isReady)),
  ),
  family(
    'gauge',
    'disk_free_bytes',
    'Free space of the disk of the state directory.',
    [],
    (set, _, monitor) => {
      if (monitor.freeBytes !== undefined) set({}, monitor.freeBytes)
    },
  ),
  family(
    'gauge',
    'build_info',
    '1; the label has the version of Millrace.',
    ['version'],
    (set, state) => set({ version: state.version }, 1),
  ),
]

/** Gauges that prom-client names like counters, which promtool rightly minds. */
const misnamed = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`)

export class Metrics {
  readonly #registry = new Registry()

  /** With `ofProcess` also what prom-client knows of this process. */
  constructor(monitor: Monitor, ofProcess: boolean) {
    for (const one of families) this.#register(one, monitor)
    this.#registry.registerMetric(latencyMetric(monitor))
    if (!ofProcess) return
    collectDefaultMetrics({ register: this.#registry })
    for (const name of misnamed) this.#registry.removeSingleMetric(name)
  }

  async response(): Promise<Response> {
    const text = await this.#registry.metrics()
    const headers = { 'Content-Type': this.#registry.contentType, 'Cache-Control': 'no-store' }
    return new Response(text, { headers })
  }

  #register({ kind, name, help, labels, fill }: Family, monitor: Monitor): void {
    const shape = { name, help, labelNames: [...labels], registers: [this.#registry] }
    if (kind === 'gauge') {
      const gauge: Gauge = new Gauge({
        ...shape,
        collect() {
          gauge.reset()
          if (labels.length === 0) gauge.remove()
          fill((own, value) => gauge.set({ ...own }, value), monitor.state, monitor)
        },
      })
      return
    }
    const counter: Counter = new Counter({
      ...shape,
      collect() {
        counter.reset()
        fill((own, value) => counter.inc({ ...own }, value), monitor.state, monitor)
      },
    })
  }
}

/** A histogram that was counted elsewhere: prom-client's own only takes single observations. */
function latencyMetric(monitor: Monitor): Metric {
  const name = 'millrace_commit_latency_seconds'
  const metric = {
    name,
    help: 'From reading a message to the commit of its batch, since the processes started.',
    type: 'histogram',
    aggregator: 'sum',
    async get() {
      const values = monitor.state.pipelines.flatMap((one) =>
        histogramValues(monitor, name, one.name),
      )
      return { ...metric, values }
    },
    reset() {},
  }
  return metric as unknown as Metric
}

function histogramValues(monitor: Monitor, name: string, pipeline: string) {
  const latency = new Latency()
  const totals = monitor.book.totals(pipeline)
  if (totals !== undefined) latency.addSaved(totals.latency)
  const counts = latency.cumulative(boundsMs)
  const row = (suffix: string, value: number, labels: object = {}) => ({
    metricName: `${name}_${suffix}`,
    labels: { pipeline, ...labels },
    value,
  })
  return [
    ...boundsMs.map((bound, index) =>
      row('bucket', counts[index]!, { le: Number((bound / 1000).toPrecision(6)) }),
    ),
    row('bucket', latency.count, { le: '+Inf' }),
    row('sum', latency.sumMs / 1000),
    row('count', latency.count),
  ]
}
