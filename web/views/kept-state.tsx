/** What the steps of a pipeline keep: how far event time has come, what came too late, how much there is. */
import type { KeptState, PipelineState, StepState } from '../../src/server/state.ts'
import { Card } from '../components/chart.tsx'
import { Count, Duration } from '../components/number.tsx'
import { type Column, Table } from '../components/table.tsx'
import { fullTime, shortBytes } from '../format.ts'

type KeepingStep = StepState & { readonly kept: KeptState }

/** Nothing where no step keeps anything. */
export function Kept({ pipeline }: { pipeline: PipelineState }) {
  const { name, steps, waiting, standby } = pipeline
  const keeping = steps.filter((step): step is KeepingStep => step.kept !== null)
  if (keeping.length === 0) return null
  const restoring = waiting.filter((words) => words.startsWith('restoring state'))
  const copies = standby === null ? [] : [copiesText(standby)]
  const note = [...restoring, ...copies].join('; ') || 'event time where it is furthest behind'
  return (
    <Card title="Event time and state" note={note} wide>
      <Table
        label={`Event time and state of ${name}`}
        keyOf={(step) => step.name}
        rows={keeping}
        columns={columns}
      />
    </Card>
  )
}

const copiesText = ({ copies, lag }: NonNullable<PipelineState['standby']>) =>
  copies === 0 ? 'no copies elsewhere yet' : `copies elsewhere: ${copies}, ${lag} changes behind`

const none = <span class="quiet">-</span>

const columns: readonly Column<KeepingStep>[] = [
  { title: 'Step', cell: ({ name }) => name },
  {
    title: 'windows closed up to',
    cell: ({ kept: { watermarkMs } }) =>
      watermarkMs === null ? none : <span class="figure">{fullTime(watermarkMs)}</span>,
  },
  {
    title: 'behind the newest',
    isNumber: true,
    cell: ({ kept: { behindMs } }) => <Duration ms={behindMs} />,
  },
  { title: 'late', isNumber: true, cell: ({ late }) => <Count of={late} /> },
  {
    title: 'keys',
    isNumber: true,
    cell: ({ kept: { keys } }) => (keys === null ? none : <Count of={keys} />),
  },
  {
    title: 'state',
    isNumber: true,
    cell: ({ kept: { sizeBytes } }) =>
      sizeBytes === null ? none : <span class="figure">{shortBytes(sizeBytes)}</span>,
  },
]
