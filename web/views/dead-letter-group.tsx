/** Dead letters with the same step and error. */
import { useState } from 'preact/hooks'
import type { DeadLetterGroup, DeadLetterResult } from '../../src/server/state.ts'
import { Card } from '../components/chart.tsx'
import { Confirm } from '../components/dialog.tsx'
import { Problem } from '../components/states.tsx'
import { workDeadLetters } from '../data/api.ts'
import { ageText, counted, fullNumber } from '../format.ts'
import { LetterRow } from './dead-letter-row.tsx'

type Work = 'replay' | 'drop'

export function DeadLetterGroupCard(props: {
  readonly pipeline: string
  readonly group: DeadLetterGroup
  readonly nowMs: number
  readonly finished: (sentence: string) => void
}) {
  const { pipeline, group, nowMs, finished } = props
  const { step, error, count, letters, newestAtMs } = group
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [asked, ask] = useState<Work>()
  const ids = letters.map(({ id }) => id).filter((id) => chosen.size === 0 || chosen.has(id))
  const which = chosen.size > 0 ? 'the chosen' : letters.length < count ? 'these' : 'all'
  const toggle = (id: string) => {
    const next = new Set(chosen)
    if (!next.delete(id)) next.add(id)
    setChosen(next)
  }
  return (
    <Card
      title={error}
      note={`step ${step}; ${counted(count, 'dead letter')}, the newest ${ageText(newestAtMs, nowMs)}`}
      wide
    >
      <div class="buttons">
        <button type="button" onClick={() => ask('replay')}>
          {`Replay ${which} ${fullNumber(ids.length)}`}
        </button>
        <button type="button" onClick={() => ask('drop')}>
          {`Drop ${which} ${fullNumber(ids.length)}`}
        </button>
      </div>
      {letters.length < count && (
        <p class="quiet">{`The newest ${fullNumber(letters.length)} of ${fullNumber(count)} are shown.`}</p>
      )}
      <ul class="letters">
        {letters.map((letter) => (
          <LetterRow
            key={`${letter.id} ${letter.atMs}`}
            letter={letter}
            nowMs={nowMs}
            isChosen={chosen.has(letter.id)}
            toggle={() => toggle(letter.id)}
          />
        ))}
      </ul>
      {asked !== undefined && (
        <Question
          work={asked}
          pipeline={pipeline}
          step={step}
          ids={ids}
          close={() => ask(undefined)}
          finished={(sentence) => {
            ask(undefined)
            setChosen(new Set())
            finished(sentence)
          }}
        />
      )}
    </Card>
  )
}

function Question(props: {
  readonly work: Work
  readonly pipeline: string
  readonly step: string
  readonly ids: readonly string[]
  readonly close: () => void
  readonly finished: (sentence: string) => void
}) {
  const { work, pipeline, step, ids, close, finished } = props
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const letters = counted(ids.length, 'dead letter')
  const act = () => {
    setBusy(true)
    workDeadLetters(pipeline, work, { ids, step }).then(
      (result) => finished(outcomeOf(work, result)),
      (error: Error) => {
        setBusy(false)
        setProblem(error.message)
      },
    )
  }
  return (
    <Confirm
      title={work === 'replay' ? `Replay ${letters}?` : `Drop ${letters}?`}
      action={work === 'replay' ? 'Replay' : 'Drop'}
      isDanger={work === 'drop'}
      isBusy={isBusy}
      confirm={act}
      cancel={close}
    >
      <p>
        {work === 'replay'
          ? `They go through pipeline ${pipeline} again, with their ids and times, up to step ${step} and on. What fails again comes back here.`
          : 'They are taken away for good. Nobody can replay them afterwards.'}
      </p>
      {problem !== undefined && <Problem message={problem} />}
    </Confirm>
  )
}

function outcomeOf(work: Work, { done, cut }: DeadLetterResult): string {
  const what = `${counted(done, 'dead letter')} ${done === 1 ? 'was' : 'were'} ${work === 'replay' ? 'sent through the pipeline again' : 'dropped'}.`
  if (cut.length === 0) return what
  return `${what} Of ${fullNumber(cut.length)} only the beginning was kept: they stay here.`
}
