/** The pipelines as a graph, and one step of it closely. */
import { Empty, WithState } from '../components/states.tsx'
import { Graph, type Selected } from './graph.tsx'
import { StepPanel } from './step-panel.tsx'

export function PipelinesView({ words }: { words: URLSearchParams }) {
  const pipeline = words.get('pipeline')
  const selected: Selected | undefined =
    pipeline === null ? undefined : { pipeline, step: words.get('step') ?? 'read' }
  return (
    <WithState>
      {(state) => {
        if (state.pipelines.length === 0) {
          return (
            <Empty title="No pipeline ran here yet">
              Run an application that exports pipelines: <code>millrace run app.ts</code>
            </Empty>
          )
        }
        return (
          <>
            <Graph state={state} selected={selected} />
            {selected === undefined ? (
              <p class="quiet hint">
                Choose a step to see its counters, its errors and what it wrote last; choose a topic
                to see its messages.
              </p>
            ) : (
              <StepPanel
                key={`${selected.pipeline} ${selected.step}`}
                state={state}
                {...selected}
              />
            )}
          </>
        )
      }}
    </WithState>
  )
}
