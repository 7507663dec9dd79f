/** One step closely: what it counted, how fast it is, its errors, and the last messages behind it. */
import type { LookupState, PipelineState, State, StepState } from '../../src/server/state.ts'
import { Card } from '../components/chart.tsx'
import { MessageTable } from '../components/message-table.tsx'
import { Empty, Load } from '../components/states.tsx'
import { Table } from '../components/table.tsx'
import { deadLettersOf, messagesOf } from '../data/api.ts'
import { useLoaded } from '../data/hooks.ts'
import { hrefOf } from '../data/route.ts'
import { ageText, fullNumber, percent, shortDuration, shortNumber } from '../format.ts'
import { kindOf } from './graph.tsx'
import { Kept } from './kept-state.tsx'
import { pipelineStatus } from './overview-parts.tsx'
import { Partitions } from './partition-table.tsx'

const refreshMs = 5000

interface StepPanelProps {
  readonly state: State
  readonly pipeline: string
  readonly step: string
}

export function StepPanel({ state, pipeline: pipelineName, step: stepName }: StepPanelProps) {
  const pipeline = state.pipelines.find(({ name }) => name === pipelineName)
  const step = pipeline?.steps.find(({ name }) => name === stepName)
  if (pipeline === undefined || step === undefined) {
    return (
      <Empty title={`There is no step '${stepName}' in a pipeline '${pipelineName}'`}>
        The plan may have changed since this address was made. Choose another step above.
      </Empty>
    )
  }
  return (
    <div class="cards step-panel">
      <Counters pipeline={pipeline} step={step} />
      <Speed pipeline={pipeline} step={step} />
      <Errors pipeline={pipeline} step={step} nowMs={state.atMs} />
      <Kept pipeline={pipeline} />
      <Partitions pipeline={pipeline} nowMs={state.atMs} />
      <LastMessages pipeline={pipeline} step={step} />
    </div>
  )
}

interface StepProps {
  readonly pipeline: PipelineState
  readonly step: StepState
}

function Fact({ name, value, title }: { name: string; value: string; title?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="figure" title={title}>
        {value}
      </dd>
    </div>
  )
}

function Counters({ pipeline, step }: StepProps) {
  const counts = [
    ['in', step.in],
    ['passed', step.passed],
    ['filtered', step.filtered],
    ['duplicate', step.duplicate],
    ['absorbed', step.absorbed],
    ['late', step.late],
    ['dead-lettered', step.deadLettered],
    ['expired', step.expired],
    ['emitted', step.emitted],
  ] as const
  return (
    <Card
      title={`${pipeline.name} / ${step.name}`}
      note={`${kindOf(pipeline, step.name)}; messages since the plan last changed`}
    >
      <dl class="facts">
        {counts.map(([name, count]) => (
          <Fact key={name} name={name} value={shortNumber(count)} title={fullNumber(count)} />
        ))}
      </dl>
    </Card>
  )
}

function Speed({ pipeline, step }: StepProps) {
  const { latencyMs } = pipeline
  const labels = Object.entries(step.labels ?? {}).sort(([, a], [, b]) => b - a)
  const answered = labels.reduce((sum, [, count]) => sum + count, 0)
  const busy = step.busySeconds
  return (
    <Card
      title="Speed"
      note={`latency: of the whole pipeline, from reading to commit (${pipelineStatus(pipeline)})`}
    >
      <dl class="facts">
        <Fact
          name="taken in a second"
          value={shortNumber(step.inPerSecond)}
          title={fullNumber(step.inPerSecond)}
        />
        <Fact
          name="emitted a second"
          value={shortNumber(step.emittedPerSecond)}
          title={fullNumber(step.emittedPerSecond)}
        />
        <Fact name="latency p50" value={latencyMs === null ? '-' : shortDuration(latencyMs.p50)} />
        <Fact name="latency p99" value={latencyMs === null ? '-' : shortDuration(latencyMs.p99)} />
        <Fact
          name="worked, in all"
          value={busy === null ? 'not measured' : shortDuration(busy * 1000)}
        />
        {step.lookup !== null && <LookupFacts {...step.lookup} />}
        {labels.slice(0, 6).map(([label, count]) => (
          <Fact
            key={label}
            name={`answered '${label}'`}
            value={percent(count / answered)}
            title={fullNumber(count)}
          />
        ))}
      </dl>
    </Card>
  )
}

function LookupFacts({ hits, misses, entries }: LookupState) {
  const all = hits + misses
  const share = all === 0 ? '-' : percent(hits / all)
  return (
    <>
      <Fact name="answered from memory" value={share} title={fullNumber(hits)} />
      <Fact name="keys asked for" value={shortNumber(misses)} title={fullNumber(misses)} />
      <Fact name="answers remembered" value={shortNumber(entries)} title={fullNumber(entries)} />
    </>
  )
}

function Errors({ pipeline, step, nowMs }: StepProps & { nowMs: number }) {
  const { loaded, reload } = useLoaded(
    `errors ${pipeline.name}`,
    () => deadLettersOf(pipeline.name),
    refreshMs,
  )
  return (
    <Card title="Errors of this step" note="dead letters that wait, by error" wide>
      <Load of={loaded} what="the dead letters" retry={reload}>
        {({ groups }) => {
          const own = groups.filter((group) => group.step === step.name)
          if (own.length === 0) return <p class="quiet">None waits.</p>
          return (
            <Table
              label="Errors of this step"
              keyOf={({ error }) => error}
              rows={own}
              columns={[
                {
                  title: 'Error',
                  isWide: true,
                  cell: ({ error }) => error,
                  full: ({ error }) => error,
                },
                { title: 'Count', isNumber: true, cell: ({ count }) => fullNumber(count) },
                { title: 'Newest', cell: ({ newestAtMs }) => ageText(newestAtMs, nowMs) },
                {
                  title: 'Decide',
                  cell: () => (
                    <a href={hrefOf('dead-letters', { pipeline: pipeline.name })}>Open</a>
                  ),
                },
              ]}
            />
          )
        }}
      </Load>
    </Card>
  )
}

/** The topic that a `to` step writes; of the others, where the pipeline's messages go in the end. */
function outputTopic({ plan }: PipelineState, { name }: StepState): string | undefined {
  const topics = (plan?.outputs ?? []).filter(({ kind }) => kind === 'topic')
  const isLast = (output: string) => !output.endsWith('.repartition')
  const last = topics.find((one) => isLast(one.name)) ?? topics[0]
  return (topics.find(({ step }) => step === name) ?? last)?.name
}

function LastMessages({ pipeline, step }: StepProps) {
  const topic = outputTopic(pipeline, step)
  if (topic === undefined) {
    return (
      <Card title="Last messages" wide>
        <p class="quiet">This pipeline writes no topic whose messages could be shown.</p>
      </Card>
    )
  }
  return <LastOf topic={topic} />
}

function LastOf({ topic }: { topic: string }) {
  const { loaded, reload } = useLoaded(
    `last ${topic}`,
    () => messagesOf(topic, { limit: 8 }),
    refreshMs,
  )
  return (
    <Card
      title={`Last messages of ${topic}`}
      aside={<a href={hrefOf('messages', { topic })}>All messages</a>}
      wide
    >
      <Load of={loaded} what="the last messages" retry={reload}>
        {({ messages }) =>
          messages.length === 0 ? (
            <p class="quiet">Nothing was written there yet.</p>
          ) : (
            <MessageTable label={`Last messages of ${topic}`} messages={messages} />
          )
        }
      </Load>
    </Card>
  )
}
