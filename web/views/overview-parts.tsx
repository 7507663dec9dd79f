/** The overview's numbers and tables. */
import type { Health, PipelineState, State } from '../../src/server/state.ts'
import { Card } from '../components/chart.tsx'
import { BigNumber, Count, Duration } from '../components/number.tsx'
import { Empty } from '../components/states.tsx'
import { Table } from '../components/table.tsx'
import { hrefOf } from '../data/route.ts'
import {
  ageText,
  counted,
  fullNumber,
  percent,
  shortBytes,
  shortDuration,
  shortNumber,
} from '../format.ts'
import { accuracyIn, isShareName, qualitiesOf, wordsOfName } from './figures.ts'

export function HealthWords({ health }: { health: Health }) {
  if (health.isReady) return null
  return (
    <div class="notice notice-bad">
      <p>Something is not as it should be:</p>
      <ul>
        {health.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </div>
  )
}

export function BigNumbers({ state }: { state: State }) {
  const { pipelines } = state
  const sum = (value: (pipeline: PipelineState) => number) =>
    pipelines.reduce((total, pipeline) => total + value(pipeline), 0)
  const rate = sum(({ messagesPerSecond }) => messagesPerSecond)
  const lag = sum(({ lagMessages }) => lagMessages)
  const dead = sum(({ deadLetters }) => deadLetters)
  const running = pipelines.filter(({ members }) => members > 0).length
  return (
    <dl class="bigs">
      <BigNumber
        name="Messages"
        value={shortNumber(rate)}
        unit="/s"
        title={`${fullNumber(rate)} a second`}
        note={`${running} of ${counted(pipelines.length, 'pipeline')} ${running === 1 ? 'runs' : 'run'}`}
      />
      <BigNumber
        name="Waiting"
        value={shortNumber(lag)}
        title={`${fullNumber(lag)} messages`}
        note={lag === 0 ? 'all is processed' : 'messages not yet processed'}
      />
      <SlowestPipeline pipelines={pipelines} />
      <BigNumber
        name="Dead letters"
        value={shortNumber(dead)}
        title={fullNumber(dead)}
        note={dead === 0 ? 'none wait' : 'wait for a decision'}
        tone={dead === 0 ? undefined : 'bad'}
      />
      <AccuracyNumber figures={state.figures} />
    </dl>
  )
}

function SlowestPipeline({ pipelines }: { pipelines: readonly PipelineState[] }) {
  const measured = pipelines.filter(({ latencyMs }) => latencyMs !== null)
  const slowest = measured.reduce<PipelineState | undefined>(
    (slow, pipeline) =>
      slow === undefined || pipeline.latencyMs!.p99 > slow.latencyMs!.p99 ? pipeline : slow,
    undefined,
  )
  if (slowest === undefined) {
    return <BigNumber name="Latency p50 / p99" value="-" note="nothing came lately" />
  }
  const { p50, p99 } = slowest.latencyMs!
  return (
    <BigNumber
      name="Latency p50 / p99"
      value={`${shortDuration(p50)} / ${shortDuration(p99)}`}
      title={`from being read to their commit half of the messages took less than ${fullNumber(p50)} ms, 99 of 100 less than ${fullNumber(p99)} ms`}
      note={`the slowest: ${slowest.name}`}
    />
  )
}

function AccuracyNumber({ figures }: { figures: State['figures'] }) {
  const quality = qualitiesOf(figures)[0]
  if (quality === undefined) {
    return <BigNumber name="Accuracy so far" value="-" note="nothing is judged here" />
  }
  const { name } = quality
  const found = accuracyIn(figures, quality)
  if (found === undefined) {
    return <BigNumber name="Accuracy so far" value="-" note="nothing is judged yet" />
  }
  const { accuracy, majority } = found
  return (
    <BigNumber
      name={name === '' ? 'Accuracy so far' : `Accuracy so far, ${name}`}
      value={percent(accuracy)}
      title={fullNumber(accuracy)}
      note={majority === undefined ? 'so far' : `always the commonest: ${percent(majority)}`}
      tone={majority === undefined ? undefined : accuracy > majority ? 'good' : 'bad'}
    />
  )
}

export function pipelineStatus({ members, isPaused, waiting }: PipelineState): string {
  if (isPaused) return 'paused'
  if (members === 0) return 'not running'
  if (waiting.length > 0) return waiting.join('; ')
  return `runs, ${counted(members, 'worker')}`
}

export function PipelineTable({ state }: { state: State }) {
  return (
    <Card title="Pipelines" wide>
      {state.pipelines.length === 0 ? (
        <Empty title="No pipeline ran here yet">
          Run an application that exports pipelines: <code>millrace run app.ts</code>
        </Empty>
      ) : (
        <Table
          label="Pipelines"
          keyOf={({ name }) => name}
          rows={state.pipelines}
          columns={[
            {
              title: 'Pipeline',
              cell: ({ name }) => <a href={hrefOf('pipelines', { pipeline: name })}>{name}</a>,
            },
            { title: 'State', cell: pipelineStatus },
            {
              title: 'Messages/s',
              isNumber: true,
              cell: ({ messagesPerSecond }) => <Count of={messagesPerSecond} />,
            },
            { title: 'Waiting', isNumber: true, cell: (one) => <Count of={one.lagMessages} /> },
            { title: 'p50', isNumber: true, cell: (one) => <Duration ms={one.latencyMs?.p50} /> },
            { title: 'p99', isNumber: true, cell: (one) => <Duration ms={one.latencyMs?.p99} /> },
            {
              title: 'Dead letters',
              isNumber: true,
              cell: (one) => <Count of={one.deadLetters} />,
            },
            { title: 'Ledger', cell: (one) => (one.isBalanced ? 'balanced' : 'NOT balanced') },
          ]}
        />
      )}
    </Card>
  )
}

export function FigureTable({ figures }: { figures: State['figures'] }) {
  const rows = Object.entries(figures)
  if (rows.length === 0) return null
  return (
    <Card title="Figures" note="told by the application's summaries" wide>
      <dl class="facts facts-columns">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{wordsOfName(name)}</dt>
            <dd class="figure" title={String(value)}>
              {isShareName(name) ? percent(value) : shortNumber(value)}
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  )
}

export function ProcessTable({ state }: { state: State }) {
  const { processes, atMs } = state
  return (
    <Card title="Processes" wide>
      {processes.length === 0 ? (
        <Empty title="No process runs pipelines here now" />
      ) : (
        <Table
          label="Processes"
          keyOf={({ id }) => id}
          rows={processes}
          columns={[
            { title: 'Process', cell: ({ pid }) => <span class="figure">{pid}</span> },
            { title: 'Started', cell: ({ startedAtMs }) => ageText(startedAtMs, atMs) },
            { title: 'Heard from', cell: ({ seenAtMs }) => ageText(seenAtMs, atMs) },
            {
              title: 'Memory',
              isNumber: true,
              cell: ({ memoryBytes }) => <span class="figure">{shortBytes(memoryBytes)}</span>,
            },
          ]}
        />
      )}
    </Card>
  )
}
