/** Messages that failed, by error: to look at, to send through again, or to drop. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { PipelineState, State } from '../../src/server/state.ts'
import { Empty, Load, WithState } from '../components/states.tsx'
import { deadLettersOf } from '../data/api.ts'
import { useLoaded } from '../data/hooks.ts'
import { go, hrefOf } from '../data/route.ts'
import { counted, shortNumber } from '../format.ts'
import { DeadLetterGroupCard } from './dead-letter-group.tsx'

/** The state's count is that old at most: so long what was loaded may know of more. */
const countedEveryMs = 10_000

export function DeadLettersView({ words }: { words: URLSearchParams }) {
  return (
    <WithState>
      {(state) => {
        const chosen = chosenOf(state, words.get('pipeline'))
        if (chosen === undefined) {
          return <Empty title="No pipeline ran here yet">So nothing can have failed.</Empty>
        }
        return (
          <>
            <PipelineChoice pipelines={state.pipelines} chosen={chosen} />
            <Letters key={chosen.name} pipeline={chosen} nowMs={state.atMs} />
          </>
        )
      }}
    </WithState>
  )
}

/** The one in the address, else the one with most dead letters. */
function chosenOf({ pipelines }: State, name: string | null): PipelineState | undefined {
  const named = pipelines.find((pipeline) => pipeline.name === name)
  return named ?? [...pipelines].sort((a, b) => b.deadLetters - a.deadLetters)[0]
}

function PipelineChoice(props: { pipelines: readonly PipelineState[]; chosen: PipelineState }) {
  const { pipelines, chosen } = props
  return (
    <div class="bar">
      <label>
        Pipeline
        <select
          value={chosen.name}
          onChange={(event) => go(hrefOf('dead-letters', { pipeline: event.currentTarget.value }))}
        >
          {pipelines.map(({ name, deadLetters }) => (
            <option key={name} value={name}>
              {`${name} (${shortNumber(deadLetters)})`}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}

function Letters({ pipeline, nowMs }: { pipeline: PipelineState; nowMs: number }) {
  const { name, deadLetters } = pipeline
  const { loaded, reload } = useLoaded(name, () => deadLettersOf(name))
  const [done, setDone] = useState<string>()
  const result = useRef<HTMLParagraphElement>(null)
  useEffect(() => {
    // The buttons that were used may be gone: the outcome takes the focus, and is read out by that.
    if (done !== undefined) result.current?.focus()
  }, [done])
  const finished = (sentence: string) => {
    setDone(sentence)
    reload()
  }
  return (
    <>
      {done !== undefined && (
        <p ref={result} class="notice" tabIndex={-1}>
          {done}
        </p>
      )}
      <Load of={loaded} what="the dead letters" retry={reload}>
        {({ groups, isComplete }, atMs) => {
          const shown = groups.reduce((sum, { count }) => sum + count, 0)
          const isOther =
            deadLetters > shown || (deadLetters < shown && Date.now() - atMs > countedEveryMs)
          return (
            <>
              {!isComplete && (
                <p class="quiet">There are more than were counted here; work on these first.</p>
              )}
              {isComplete && isOther && (
                <p class="quiet">
                  {`${counted(deadLetters, 'dead letter')} now, ${shortNumber(shown)} when this was loaded. `}
                  <button type="button" onClick={reload}>
                    Load again
                  </button>
                </p>
              )}
              {groups.length === 0 && (
                <Empty title={`No dead letter of ${name} waits`}>
                  What a step or a model cannot take is kept here with its error, until somebody
                  replays or drops it.
                </Empty>
              )}
              {groups.map((group) => (
                <DeadLetterGroupCard
                  key={`${group.step} ${group.error}`}
                  pipeline={name}
                  group={group}
                  nowMs={nowMs}
                  finished={finished}
                />
              ))}
            </>
          )
        }}
      </Load>
    </>
  )
}
