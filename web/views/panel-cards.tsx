/** One panel as a card: a share chart, bars, a gauge, a table, words. */
import { useMemo, useRef } from 'preact/hooks'
import type {
  BarsView,
  GaugeView,
  PanelView,
  PieView,
  Slice,
  TableView,
  TextView,
} from '../../src/server/state.ts'
import { coloursFor } from '../charts/colours.ts'
import type { Share } from '../charts/options.ts'
import { namedColours, restColour } from '../charts/theme.ts'
import { Card, ShareChart } from '../components/chart.tsx'
import { type Column, Table } from '../components/table.tsx'
import { fullNumber, oneLine } from '../format.ts'
import { cellText, isNumeric, placeOn, widestColumn, writers } from './panel-layout.ts'
import { emptyWords, Origin, type PanelProps } from './panel-origin.tsx'
import { TimeLineCard } from './panel-time-line.tsx'

export function PanelCard({ panel, wide }: PanelProps<PanelView>) {
  switch (panel.kind) {
    case 'pie':
      return <PieCard panel={panel} wide={wide} />
    case 'bars':
      return <BarsCard panel={panel} wide={wide} />
    case 'gauge':
      return <GaugeCard panel={panel} wide={wide} />
    case 'timeLine':
      return <TimeLineCard panel={panel} wide={wide} />
    case 'table':
      return <TableCard panel={panel} wide={wide} />
    case 'text':
      return <TextCard panel={panel} wide={wide} />
  }
}

const noteOf = ({ note }: PanelView) => (note === null ? {} : { note })

function PieCard({ panel, wide }: PanelProps<PieView>) {
  const colours = useRef<ReadonlyMap<string, number>>(new Map())
  const shares = useMemo(() => {
    const { slices, others } = panel
    const named = slices.slice(0, namedColours.length)
    colours.current = coloursFor(
      colours.current,
      named.map(({ name }) => name),
    )
    const rest = slices.slice(named.length).reduce((sum, { value }) => sum + value, others)
    const shown: Share[] = named.map(({ name, value }) => ({
      name,
      count: value,
      colour: colours.current.get(name)!,
    }))
    if (rest > 0) shown.push({ name: 'all others', count: rest, colour: restColour })
    return shown
  }, [panel])
  return (
    <ShareChart
      title={panel.title}
      {...noteOf(panel)}
      wide={wide}
      shares={shares}
      empty={emptyWords(panel)}
      words={{ name: 'Value', count: 'Messages' }}
      footer={<Origin of={panel} />}
    />
  )
}

function BarsCard({ panel, wide }: PanelProps<BarsView>) {
  const { title, slices } = panel
  const values = slices.map(({ value }) => value)
  const scale = { from: Math.min(0, ...values), to: Math.max(0, ...values) }
  return (
    <Card title={title} {...noteOf(panel)} wide={wide} footer={<Origin of={panel} />}>
      {slices.length === 0 ? (
        <p class="quiet">{emptyWords(panel)}</p>
      ) : (
        <table class="bars" aria-label={title}>
          {/* Here, not at cells: a head that is hidden takes no part in the layout. */}
          <colgroup>
            <col class="bar-names" />
            <col />
            <col class="bar-figures" />
          </colgroup>
          <thead class="hidden">
            <tr>
              <th scope="col">Value</th>
              <th scope="col">Bar</th>
              <th scope="col">Figure</th>
            </tr>
          </thead>
          <tbody>
            {slices.map((slice) => (
              <Bar key={slice.name} slice={slice} scale={scale} unit={panel.unit} />
            ))}
          </tbody>
        </table>
      )}
    </Card>
  )
}

interface BarProps {
  readonly slice: Slice
  readonly scale: { readonly from: number; readonly to: number }
  readonly unit: BarsView['unit']
}

function Bar({ slice: { name, value }, scale: { from, to }, unit }: BarProps) {
  // A scale without a length: all values are zero.
  const placeOf = (number: number) => (from === to ? 0 : placeOn(number, from, to) * 100)
  const [zero, end] = [placeOf(0), placeOf(value)]
  return (
    <tr>
      <th scope="row" title={name}>
        <span class="bar-name">{oneLine(name)}</span>
      </th>
      <td>
        {/* Lengths as attributes: the Content-Security-Policy allows no style in the markup. */}
        <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
          <rect
            class={value < 0 ? 'against' : 'for'}
            x={Math.min(zero, end)}
            y={0}
            width={Math.abs(end - zero)}
            height={10}
          />
          <line x1={zero} x2={zero} y1={0} y2={10} />
        </svg>
      </td>
      <td class="number" title={fullNumber(value)}>
        {writers[unit].write(value)}
      </td>
    </tr>
  )
}

/** The half circle of the gauge; its length counts as 100. */
const arc = 'M 10 60 A 50 50 0 0 1 110 60'

function GaugeCard({ panel, wide }: PanelProps<GaugeView>) {
  const { title, value, min, max, unit } = panel
  const { write, atAxis } = writers[unit]
  const filled = value === null ? 0 : placeOn(value, min, max) * 100
  return (
    <Card title={title} {...noteOf(panel)} wide={wide} footer={<Origin of={panel} />}>
      <div class="gauge">
        <svg viewBox="0 0 120 66" aria-hidden="true">
          <path class="gauge-scale" d={arc} />
          {filled > 0 && (
            <path class="gauge-value" d={arc} pathLength={100} stroke-dasharray={`${filled} 200`} />
          )}
        </svg>
        <p class="gauge-number" title={value === null ? undefined : fullNumber(value)}>
          {value === null ? '-' : write(value)}
        </p>
        <p class="gauge-ends quiet">
          <span class="hidden">on a scale from </span>
          <span>{atAxis(min)}</span>
          <span class="hidden"> to </span>
          <span>{atAxis(max)}</span>
        </p>
      </div>
      {value === null && <p class="quiet gauge-words">{emptyWords(panel)}</p>}
    </Card>
  )
}

interface Row {
  readonly place: number
  readonly cells: TableView['rows'][number]
}

function TableCard({ panel, wide }: PanelProps<TableView>) {
  const { title, columns, rows } = panel
  const widest = widestColumn(rows, columns.length)
  // A column that was named twice is shown once.
  const shown = columns.flatMap((name, column): Column<Row>[] => {
    if (columns.indexOf(name) !== column) return []
    const isNumber = isNumeric(rows, column)
    return [
      {
        title: name,
        isNumber,
        isWide: column === widest,
        cell: ({ cells }) => {
          const text = cellText(cells[column])
          return isNumber ? text : oneLine(text, column === widest ? 300 : 60)
        },
        full: ({ cells }) => String(cells[column] ?? ''),
      },
    ]
  })
  return (
    <Card title={title} {...noteOf(panel)} wide={wide} footer={<Origin of={panel} />}>
      {rows.length === 0 ? (
        <p class="quiet">{emptyWords(panel)}</p>
      ) : (
        <Table
          label={title}
          // By place: what is new pushes the texts down, not the rows.
          keyOf={({ place }) => String(place)}
          rows={rows.map((cells, place) => ({ place, cells }))}
          columns={shown}
        />
      )}
    </Card>
  )
}

function TextCard({ panel, wide }: PanelProps<TextView>) {
  return (
    <Card title={panel.title} {...noteOf(panel)} wide={wide}>
      <div class="prose">
        {panel.paragraphs.map((paragraph, place) => (
          <p key={`${place} ${paragraph}`}>{paragraph}</p>
        ))}
      </div>
    </Card>
  )
}
