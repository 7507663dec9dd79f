/** What an operator looks at first: how much, how fast, how right, and whether anything is wrong. */
import { useMemo, useState } from 'preact/hooks'
import type { HistoryPoint, State } from '../../src/server/state.ts'
import { grouped, predictionSeries, type Series, seriesOf, shownLabels } from '../charts/series.ts'
import { LineChart, ShareChart } from '../components/chart.tsx'
import { WithState } from '../components/states.tsx'
import { labelsOf } from '../data/history.ts'
import { useKnown } from '../data/hooks.ts'
import { percent, shortDuration, shortNumber } from '../format.ts'
import { accuracyIn, qualitiesOf } from './figures.ts'
import {
  BigNumbers,
  FigureTable,
  HealthWords,
  PipelineTable,
  ProcessTable,
} from './overview-parts.tsx'

export function OverviewView() {
  const { points } = useKnown()
  return (
    <WithState>
      {(state) => (
        <>
          {state.about !== null && <p class="about">{state.about}</p>}
          <HealthWords health={state.health} />
          <BigNumbers state={state} />
          <div class="cards">
            <Throughput state={state} points={points} />
            <Latency state={state} points={points} />
            <Predictions state={state} points={points} />
            <Accuracy state={state} points={points} />
            <Lag state={state} points={points} />
          </div>
          <PipelineTable state={state} />
          <FigureTable figures={state.figures} />
          <ProcessTable state={state} />
        </>
      )}
    </WithState>
  )
}

interface ChartProps {
  readonly state: State
  readonly points: readonly HistoryPoint[]
}

const pipelineNames = (state: State) => state.pipelines.map(({ name }) => name)

function Throughput({ state, points }: ChartProps) {
  const names = pipelineNames(state)
  const data = useMemo(
    () => seriesOf(points, names, (point) => point.messagesPerSecond),
    [points, names.join()],
  )
  return (
    <LineChart
      title="Throughput"
      note="messages a second, the pipelines one upon the other"
      isStacked
      data={data}
      write={shortNumber}
      empty="Nothing was read yet."
    />
  )
}

function Latency({ state, points }: ChartProps) {
  const names = pipelineNames(state)
  const data = useMemo(
    () => seriesOf(points, names, (point) => point.p99Ms),
    [points, names.join()],
  )
  return (
    <LineChart
      title="Latency, p99"
      note="99 of 100 messages took less, from being read to their commit"
      data={data}
      write={shortDuration}
      empty="Nothing was committed in the last seconds."
    />
  )
}

function Lag({ state, points }: ChartProps) {
  const names = pipelineNames(state)
  const data = useMemo(
    () => seriesOf(points, names, (point) => point.lagMessages),
    [points, names.join()],
  )
  return (
    <LineChart
      title="Waiting"
      note="messages that are there and not yet processed"
      data={data}
      write={shortNumber}
      empty="Nobody reads anything yet."
    />
  )
}

/** Of one `predict` step; where there are several, which one is chosen by hand. */
function Predictions({ state, points }: ChartProps) {
  const totals = labelsOf(state)
  const [chosen, choose] = useState<string>()
  const step = chosen !== undefined && totals.has(chosen) ? chosen : [...totals.keys()][0]
  const counts = (step === undefined ? undefined : totals.get(step)) ?? {}
  const labels = shownLabels(counts)
  const data = useMemo(
    () => predictionSeries(points, step ?? '', labels),
    [points, step, labels.join()],
  )
  const shares = useMemo(
    () => Object.entries(grouped(counts, labels)).map(([name, count]) => ({ name, count })),
    [counts, labels.join()],
  )
  if (step === undefined) return null
  return (
    <>
      {totals.size > 1 && (
        <label class="card-wide choice">
          Predictions of step
          <select value={step} onChange={(event) => choose(event.currentTarget.value)}>
            {[...totals.keys()].map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <LineChart
        title="Predictions by class"
        note={`a second, of ${step}`}
        data={data}
        isStacked
        write={shortNumber}
        empty="Nothing was predicted in the last seconds."
      />
      <ShareChart
        title="Share of the classes"
        note="since the processes started"
        shares={shares}
        empty="Nothing was predicted yet."
      />
    </>
  )
}

function Accuracy({ state, points }: ChartProps) {
  const qualities = qualitiesOf(state.figures)
  const keys = qualities.map(({ accuracyKey }) => accuracyKey).join()
  const data = useMemo(() => {
    const series = qualities.flatMap((quality) => {
      const prefix = quality.name === '' ? '' : `${quality.name}: `
      const found = points.map((point) => accuracyIn(point.figures, quality))
      const accuracy: Series = {
        name: `${prefix}accuracy`,
        values: found.map((one) => one?.accuracy ?? null),
      }
      const majority: Series = {
        name: `${prefix}always the commonest`,
        values: found.map((one) => one?.majority ?? null),
        isDashed: true,
      }
      return quality.majorityKey === undefined ? [accuracy] : [accuracy, majority]
    })
    return { timesMs: points.map((point) => point.atMs), series }
  }, [points, keys])
  if (qualities.length === 0) return null
  return (
    <LineChart
      title="Accuracy so far"
      note="against always answering the commonest label"
      data={data}
      isShare
      write={percent}
      empty="No prediction was compared with the truth yet."
    />
  )
}
