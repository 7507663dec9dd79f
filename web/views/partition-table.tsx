/** The partitions of a pipeline: who works on each, how far it came, and what waits in it. */
import type { PartitionState, PipelineState } from '../../src/server/state.ts'
import { Card } from '../components/chart.tsx'
import { Count, Duration } from '../components/number.tsx'
import { type Column, Table } from '../components/table.tsx'
import { ageText, counted, fullNumber } from '../format.ts'

export function Partitions({ pipeline, nowMs }: { pipeline: PipelineState; nowMs: number }) {
  const { name, partitions } = pipeline
  return (
    <Card title="Partitions" note={rebalancesText(pipeline, nowMs)} wide>
      {partitions.length === 0 ? (
        <p class="quiet">It has read nothing yet, and nobody works on it.</p>
      ) : (
        <Table
          label={`Partitions of ${name}`}
          keyOf={({ topic, partition }) => `${topic} ${partition}`}
          rows={partitions}
          columns={columns}
        />
      )}
    </Card>
  )
}

/** `generation 12, 3 rebalances, the last 40 s ago`: as many as this server saw. */
function rebalancesText({ rebalances }: PipelineState, nowMs: number): string {
  const { generation, count, lastAtMs } = rebalances
  const told = generation === 0 ? [] : [`generation ${generation}`]
  const times = lastAtMs === null ? 'no rebalance seen yet' : counted(count, 'rebalance')
  const last = lastAtMs === null ? [] : [`the last ${ageText(lastAtMs, nowMs)}`]
  return [...told, times, ...last].join(', ')
}

const Owner = ({ of: { member, host, pid } }: { of: PartitionState }) =>
  member === null ? (
    <span class="quiet">nobody</span>
  ) : (
    <span>{pid === null ? (host ?? member) : `${host}, process ${pid}`}</span>
  )

const Unless = ({ none, of }: { none: string; of: number | null }) =>
  of === null ? <span class="quiet">{none}</span> : <Count of={of} />

const columns: readonly Column<PartitionState>[] = [
  { title: 'Partition', cell: ({ topic, partition }) => `${topic}/${partition}` },
  {
    title: 'position',
    isNumber: true,
    cell: ({ position }) => (
      <span class="figure">{position === null ? '-' : fullNumber(position)}</span>
    ),
  },
  { title: 'lag', isNumber: true, cell: ({ lagMessages }) => <Unless none="-" of={lagMessages} /> },
  {
    title: 'behind',
    isNumber: true,
    cell: ({ lagSeconds }) =>
      lagSeconds === 0 ? (
        <span class="quiet">0 s</span>
      ) : (
        <Duration ms={lagSeconds === null ? null : lagSeconds * 1000} />
      ),
  },
  {
    title: 'Owner',
    cell: (one) => <Owner of={one} />,
    full: ({ member }) => (member === null ? undefined : `member ${member}`),
  },
]
