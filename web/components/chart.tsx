/** A chart with its title, what the colours mean, and the same as a table. */
import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { type LineStyle, linesOption, type Share, sharesOption } from '../charts/options.ts'
import { newest, sampledTimes, type TimeSeries } from '../charts/series.ts'
import { seriesIndex, type Theme } from '../charts/theme.ts'
import { clockTime, fullNumber, percent } from '../format.ts'
import { Canvas } from './canvas.tsx'
import { Table } from './table.tsx'

export function Card(props: {
  readonly title: string
  readonly note?: string
  readonly aside?: ComponentChildren
  readonly wide?: boolean
  readonly children: ComponentChildren
}) {
  const { title, note, aside, wide = false, children } = props
  return (
    <section class={wide ? 'card card-wide' : 'card'}>
      <header>
        <h2>{title}</h2>
        {note !== undefined && <p class="quiet">{note}</p>}
        {aside}
      </header>
      {children}
    </section>
  )
}

interface LegendEntry {
  readonly name: string
  readonly value: string
  readonly isDashed?: boolean
}

function Legend({ entries }: { entries: readonly LegendEntry[] }) {
  return (
    <ul class="legend">
      {entries.map(({ name, value, isDashed = false }, index) => (
        <li key={name}>
          <span
            class={`swatch series-${seriesIndex(index)}${isDashed ? ' swatch-dashed' : ''}`}
            aria-hidden="true"
          />
          <span class="legend-name">{name}</span> <span class="figure">{value}</span>
        </li>
      ))}
    </ul>
  )
}

/** Made only when somebody opens it: it changes with each second. */
function AsTable({ title, children }: { title: string; children: () => ComponentChildren }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        As a table<span class="hidden">: {title}</span>
      </summary>
      {isOpen && children()}
    </details>
  )
}

export interface LineChartProps extends LineStyle {
  readonly title: string
  readonly note?: string
  readonly wide?: boolean
  readonly data: TimeSeries
  /** Said where there is nothing to draw. */
  readonly empty: string
}

export function LineChart({ title, note, wide, data, empty, ...style }: LineChartProps) {
  const { write } = style
  const option = useMemo(() => (theme: Theme) => linesOption(data, style, theme), [data])
  const hasValues = data.series.some((series) => newest(series) !== null)
  const entries = data.series.map((series) => {
    const value = newest(series)
    return {
      name: series.name,
      value: value === null ? '-' : write(value),
      isDashed: series.isDashed ?? false,
    }
  })
  const now = entries.map(({ name, value }) => `${name} ${value}`).join(', ')
  return (
    <Card title={title} {...(note === undefined ? {} : { note })} wide={wide ?? false}>
      <div class="chart">
        <Canvas
          label={`${title}, over time. Now: ${now === '' ? 'nothing' : now}.`}
          option={option}
        />
        {!hasValues && <p class="over quiet">{empty}</p>}
      </div>
      <Legend entries={entries} />
      <AsTable title={title}>
        {() => (
          <Table
            label={title}
            keyOf={(index) => String(data.timesMs[index])}
            rows={sampledTimes(data.timesMs.length, 15)}
            columns={[
              { title: 'Time', cell: (index) => clockTime(data.timesMs[index]!) },
              ...data.series.map(({ name, values }) => ({
                title: name,
                isNumber: true,
                cell: (index: number) => {
                  const value = values[index]
                  return value === null || value === undefined ? '-' : write(value)
                },
              })),
            ]}
          />
        )}
      </AsTable>
    </Card>
  )
}

export function ShareChart(props: {
  readonly title: string
  readonly note?: string
  readonly shares: readonly Share[]
  readonly empty: string
}) {
  const { title, note, shares, empty } = props
  const total = shares.reduce((sum, { count }) => sum + count, 0)
  const shareOf = (count: number) => (total === 0 ? '-' : percent(count / total))
  const option = useMemo(() => (theme: Theme) => sharesOption(shares, theme), [shares])
  const words = shares.map(({ name, count }) => `${name} ${shareOf(count)}`).join(', ')
  return (
    <Card title={title} {...(note === undefined ? {} : { note })}>
      <div class="chart">
        <Canvas
          size="pie"
          label={`${title}: ${words === '' ? 'nothing' : words}.`}
          option={option}
        />
        {total === 0 && <p class="over quiet">{empty}</p>}
      </div>
      <Legend entries={shares.map(({ name, count }) => ({ name, value: shareOf(count) }))} />
      <AsTable title={title}>
        {() => (
          <Table
            label={title}
            keyOf={({ name }) => name}
            rows={shares}
            columns={[
              { title: 'Class', cell: ({ name }) => name },
              { title: 'Predictions', isNumber: true, cell: ({ count }) => fullNumber(count) },
              { title: 'Share', isNumber: true, cell: ({ count }) => shareOf(count) },
            ]}
          />
        )}
      </AsTable>
    </Card>
  )
}
