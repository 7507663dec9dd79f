/** A chart with its title, what the colours mean, and the same as a table. */
import { type ComponentChildren, createContext } from 'preact'
import { useContext, useMemo, useState } from 'preact/hooks'
import { type LineStyle, linesOption, type Share, sharesOption } from '../charts/options.ts'
import { newest, type Series, sampledTimes, type TimeSeries } from '../charts/series.ts'
import { seriesIndex, type Theme } from '../charts/theme.ts'
import { clockTime, fullNumber, percent } from '../format.ts'
import { Canvas } from './canvas.tsx'
import { Table } from './table.tsx'

/** Of which rank the titles of cards are: below a heading that stands over them, one more. */
export const CardLevel = createContext<2 | 3 | 4>(2)

export interface CardProps {
  readonly title: string
  readonly note?: string
  readonly aside?: ComponentChildren
  /** Below all else: where it comes from. */
  readonly footer?: ComponentChildren
  readonly wide?: boolean
}

export function Card(props: CardProps & { readonly children: ComponentChildren }) {
  const { title, note, aside, footer, wide = false, children } = props
  const Title = `h${useContext(CardLevel)}` as 'h2' | 'h3' | 'h4'
  return (
    <section class={wide ? 'card card-wide' : 'card'}>
      <header>
        <Title>{title}</Title>
        {note !== undefined && <p class="quiet">{note}</p>}
        {aside}
      </header>
      {children}
      {footer !== undefined && <footer class="quiet">{footer}</footer>}
    </section>
  )
}

interface LegendEntry {
  readonly name: string
  readonly value: string
  readonly isDashed?: boolean
  /** Default: by its place. */
  readonly colour?: number | undefined
}

export function Legend({ entries }: { entries: readonly LegendEntry[] }) {
  return (
    <ul class="legend">
      {entries.map(({ name, value, isDashed = false, colour }, index) => (
        <li key={name}>
          <span
            class={`swatch series-${colour ?? seriesIndex(index)}${isDashed ? ' swatch-dashed' : ''}`}
            aria-hidden="true"
          />
          <span class="legend-name">{name}</span> <span class="figure">{value}</span>
        </li>
      ))}
    </ul>
  )
}

/** Made only when somebody opens it: it changes with each second. */
export function AsTable({ title, children }: { title: string; children: () => ComponentChildren }) {
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

/** Lines with their axes; what is to be seen is said in words, too. */
export function Lines(props: {
  readonly title: string
  readonly data: TimeSeries
  readonly style: LineStyle
  /** Said where there is nothing to draw. */
  readonly empty: string
}) {
  const { title, data, style, empty } = props
  const option = useMemo(() => (theme: Theme) => linesOption(data, style, theme), [data])
  const entries = newestOf(data, style.write)
  const newestWords = entries.map(({ name, value }) => `${name} ${value}`).join(', ')
  const hasValues = data.series.some((series) => newest(series) !== null)
  return (
    <div class="chart">
      <Canvas
        label={`${title}, over time. Newest: ${newestWords === '' ? 'nothing' : newestWords}.`}
        option={option}
      />
      {!hasValues && <p class="over quiet">{empty}</p>}
    </div>
  )
}

/** The newest value of each line, for the legend. */
export const newestOf = ({ series }: TimeSeries, write: LineStyle['write']) =>
  series.map((one) => {
    const value = newest(one)
    return {
      name: one.name,
      value: value === null ? '-' : write(value),
      isDashed: one.isDashed ?? false,
      colour: one.colour,
    }
  })

/** A line, as a column of a table. */
interface LineColumn {
  readonly series: Series
  readonly write: LineStyle['write']
}

/** Some moments, the newest first. */
export function LinesTable(props: {
  readonly title: string
  readonly timesMs: readonly number[]
  readonly columns: readonly LineColumn[]
  readonly writeTime: (timeMs: number) => string
}) {
  const { title, timesMs, columns, writeTime } = props
  return (
    <Table
      label={title}
      keyOf={(index) => String(timesMs[index])}
      rows={sampledTimes(timesMs.length, 15)}
      columns={[
        { title: 'Time', cell: (index) => writeTime(timesMs[index]!) },
        ...columns.map(({ series, write }) => ({
          title: series.name,
          isNumber: true,
          cell: (index: number) => {
            const value = series.values[index]
            return value === null || value === undefined ? '-' : write(value)
          },
        })),
      ]}
    />
  )
}

export interface LineChartProps extends LineStyle, Pick<CardProps, 'title' | 'note' | 'wide'> {
  readonly data: TimeSeries
  /** Said where there is nothing to draw. */
  readonly empty: string
}

export function LineChart({ title, note, wide, data, empty, ...style }: LineChartProps) {
  const { write } = style
  return (
    <Card title={title} {...(note === undefined ? {} : { note })} wide={wide ?? false}>
      <Lines title={title} data={data} style={style} empty={empty} />
      <Legend entries={newestOf(data, write)} />
      <AsTable title={title}>
        {() => (
          <LinesTable
            title={title}
            timesMs={data.timesMs}
            columns={data.series.map((series) => ({ series, write }))}
            writeTime={clockTime}
          />
        )}
      </AsTable>
    </Card>
  )
}

export interface ShareChartProps extends CardProps {
  readonly shares: readonly Share[]
  readonly empty: string
  /** What the columns of the table are called. Default: `Class` and `Predictions`. */
  readonly words?: { readonly name: string; readonly count: string }
}

export function ShareChart({ shares, empty, words, ...card }: ShareChartProps) {
  const { title } = card
  const { name: nameWord, count: countWord } = words ?? { name: 'Class', count: 'Predictions' }
  const total = shares.reduce((sum, { count }) => sum + count, 0)
  const shareOf = (count: number) => (total === 0 ? '-' : percent(count / total))
  const option = useMemo(() => (theme: Theme) => sharesOption(shares, theme), [shares])
  const spoken = shares.map(({ name, count }) => `${name} ${shareOf(count)}`).join(', ')
  return (
    <Card {...card}>
      <div class="chart">
        <Canvas
          size="pie"
          label={`${title}: ${spoken === '' ? 'nothing' : spoken}.`}
          option={option}
        />
        {total === 0 && <p class="over quiet">{empty}</p>}
      </div>
      <Legend
        entries={shares.map(({ name, count, colour }) => ({ name, value: shareOf(count), colour }))}
      />
      <AsTable title={title}>
        {() => (
          <Table
            label={title}
            keyOf={({ name }) => name}
            rows={shares}
            columns={[
              { title: nameWord, cell: ({ name }) => name },
              { title: countWord, isNumber: true, cell: ({ count }) => fullNumber(count) },
              { title: 'Share', isNumber: true, cell: ({ count }) => shareOf(count) },
            ]}
          />
        )}
      </AsTable>
    </Card>
  )
}
