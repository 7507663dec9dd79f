/** Measures along the time of the messages; those of different units stand below each other. */
import { useMemo } from 'preact/hooks'
import type { TimeLineView, Unit } from '../../src/server/state.ts'
import { colourAt } from '../charts/colours.ts'
import { windowOfPoints, withGaps } from '../charts/gaps.ts'
import type { LineStyle, TimeStyle } from '../charts/options.ts'
import { AsTable, Card, Legend, Lines, LinesTable, newestOf } from '../components/chart.tsx'
import { durationWords, isInUtc, pointTime, tickTime } from '../dates.ts'
import { writers } from './panel-layout.ts'
import { emptyWords, Origin, type PanelProps } from './panel-origin.tsx'

export function TimeLineCard({ panel, wide }: PanelProps<TimeLineView>) {
  const { title, note, timesMs, everyMs } = panel
  const plots = useMemo(() => plotsOf(panel), [panel])
  return (
    <Card
      title={title}
      {...(note === null ? {} : { note })}
      wide={wide}
      footer={<Origin of={panel} more={timesWords(panel)} />}
    >
      {timesMs.length === 0 ? (
        <p class="quiet">{emptyWords(panel)}</p>
      ) : (
        <>
          {plots.map(({ unit, drawn, style }) => (
            <Lines
              key={unit}
              title={plots.length === 1 ? title : `${title}, ${unitWords[unit]}`}
              data={drawn}
              style={style}
              empty={emptyWords(panel)}
            />
          ))}
          <Legend entries={plots.flatMap(({ data, style }) => newestOf(data, style.write))} />
          <AsTable title={title}>
            {() => (
              <LinesTable
                title={title}
                timesMs={timesMs}
                columns={plots.flatMap(({ data, style: { write } }) =>
                  data.series.map((series) => ({ series, write })),
                )}
                writeTime={(timeMs) => pointTime(timeMs, everyMs)}
              />
            )}
          </AsTable>
        </>
      )}
    </Card>
  )
}

const unitWords: Readonly<Record<Unit, string>> = {
  count: 'messages',
  share: 'shares',
  number: 'numbers',
}

function timesWords({ timesMs, everyMs }: TimeLineView): string[] {
  const [first, last] = [timesMs[0], timesMs.at(-1)]
  if (first === undefined || last === undefined) return []
  const days = pointTime(first, everyMs)
  const range = first === last ? days : `${days} to ${pointTime(last, everyMs)}`
  return [range, `a point covers ${durationWords(everyMs)}`]
}

/** A drawing for each unit: lines of 5,000 messages and of 3 % have no scale in common. */
function plotsOf({ timesMs, everyMs, series }: TimeLineView) {
  const window = windowOfPoints(timesMs, everyMs)
  const isUtc = isInUtc(everyMs)
  const spanMs = window.toMs - window.fromMs
  const times: TimeStyle = {
    isUtc,
    atAxis: (timeMs) => tickTime(timeMs, spanMs, isUtc),
    inFull: (timeMs) => pointTime(timeMs, everyMs),
  }
  const lines = series.map((one, place) => ({ ...one, colour: colourAt(place) }))
  return [...new Set(series.map(({ unit }) => unit))].map((unit) => {
    const data = { timesMs, window, series: lines.filter((one) => one.unit === unit) }
    const { write, atAxis } = writers[unit]
    const style: LineStyle = {
      ...{ write, writeAxis: atAxis, times },
      isShare: unit === 'share',
      isClose: unit === 'number',
    }
    return { unit, data, drawn: withGaps(data, everyMs), style }
  })
}
