/** The ledger: where every message went, step by step, and whether it adds up. */
import type { PipelineState, State, StepState } from '../../src/server/state.ts'
import { Card } from '../components/chart.tsx'
import { Empty, WithState } from '../components/states.tsx'
import { type Column, Table } from '../components/table.tsx'
import { counted, fullNumber } from '../format.ts'
import { dispositions, type EdgeBalance, edgeDifference, edgesOf, unaccounted } from './balance.ts'

export function LedgerView() {
  return (
    <WithState>
      {(state) =>
        state.pipelines.length === 0 ? (
          <Empty title="No pipeline ran here yet">There is nothing to account for.</Empty>
        ) : (
          <>
            <p>{sentenceOf(state)}</p>
            {state.pipelines.map((pipeline) => (
              <PipelineLedger key={pipeline.name} pipeline={pipeline} />
            ))}
          </>
        )
      }
    </WithState>
  )
}

function sentenceOf({ pipelines }: State): string {
  const wrong = pipelines.filter(({ isBalanced }) => !isBalanced).map(({ name }) => name)
  if (wrong.length > 0) {
    return `Not balanced: ${wrong.join(', ')}. Messages may be missing or counted twice; below it says where.`
  }
  return 'Balanced: in every pipeline each message that came in has exactly one disposition, and what one step sent the next one took.'
}

function PipelineLedger({ pipeline }: { pipeline: PipelineState }) {
  const { name, isBalanced, imbalances, steps } = pipeline
  const taken = steps[0]?.in ?? 0
  return (
    <Card
      title={name}
      note={
        isBalanced
          ? `balanced: all ${counted(taken, 'message')} that were read are accounted for`
          : 'NOT balanced'
      }
      wide
    >
      {imbalances.length > 0 && (
        <ul class="notice notice-bad">
          {imbalances.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      {steps.length === 0 ? (
        <p class="quiet">It has counted nothing yet.</p>
      ) : (
        <div class="ledger">
          <Table
            label={`Steps of ${name}`}
            keyOf={(step) => step.name}
            rows={steps}
            columns={stepColumns}
          />
          <Table
            label={`Edges of ${name}`}
            keyOf={({ from, to }) => `${from} ${to}`}
            rows={edgesOf(pipeline)}
            columns={edgeColumns}
          />
        </div>
      )}
    </Card>
  )
}

/** In full, for it is to be added up; what is 0 steps back, so that what happened is seen. */
const Cell = ({ of }: { of: number }) => (
  <span class={of === 0 ? 'quiet figure' : 'figure'}>{fullNumber(of)}</span>
)

const Balance = ({ difference }: { difference: number }) =>
  difference === 0 ? (
    <span class="good">0</span>
  ) : (
    <strong class="bad">{fullNumber(difference)}</strong>
  )

const stepColumns: readonly Column<StepState>[] = [
  { title: 'Step', cell: ({ name }) => name },
  { title: 'in', isNumber: true, cell: (step) => <Cell of={step.in} /> },
  ...dispositions.map(([key, title]) => ({
    title,
    isNumber: true,
    cell: (step: StepState) => <Cell of={step[key]} />,
  })),
  {
    title: 'missing',
    isNumber: true,
    cell: (step) => <Balance difference={unaccounted(step)} />,
  },
  { title: 'emitted', isNumber: true, cell: (step) => <Cell of={step.emitted} /> },
]

const edgeColumns: readonly Column<EdgeBalance>[] = [
  { title: 'Edge', cell: ({ from, to }) => `${from} to ${to}` },
  { title: 'sent', isNumber: true, cell: ({ sent }) => <Cell of={sent} /> },
  { title: 'entered here', isNumber: true, cell: ({ entered }) => <Cell of={entered} /> },
  { title: 'came in', isNumber: true, cell: ({ came }) => <Cell of={came} /> },
  {
    title: 'difference',
    isNumber: true,
    cell: (edge) => <Balance difference={edgeDifference(edge)} />,
  },
]
