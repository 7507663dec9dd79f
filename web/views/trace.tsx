/** What happened to one message: its way through all topics. */
import type { Trace } from '../../src/server/state.ts'
import { Card } from '../components/chart.tsx'
import { Value } from '../components/message-table.tsx'
import { Empty, Load } from '../components/states.tsx'
import { traceOf } from '../data/api.ts'
import { useLoaded } from '../data/hooks.ts'
import { hrefOf } from '../data/route.ts'
import { fullTime } from '../format.ts'

export function TraceView({ id }: { id: string }) {
  const { loaded, reload } = useLoaded(id, () => traceOf(id))
  return (
    <Card
      title="What happened to this one?"
      note={`the message with the id ${id}`}
      aside={
        <button type="button" onClick={() => history.back()}>
          Back
        </button>
      }
    >
      <Sides id={id} />
      <Load of={loaded} what="its way" retry={reload}>
        {(trace) => <Way trace={trace} />}
      </Load>
    </Card>
  )
}

/** A join makes `left+right` of the ids of its sides: each has a way of its own before it. */
function Sides({ id }: { id: string }) {
  const sides = id.split('+')
  if (sides.length < 2) return null
  return (
    <p>
      {'Its id is of a join. Before that: '}
      {sides.map((side, index) => (
        <span key={side}>
          {index > 0 && ', '}
          <a href={hrefOf('messages', { trace: side })}>{side}</a>
        </span>
      ))}
    </p>
  )
}

const notAllSearched =
  'The search ended by its bounds: there may be more of it among older messages.'

function Way({ trace }: { trace: Trace }) {
  const { stops, deadLetters } = trace
  if (stops.length + deadLetters.length === 0) {
    return (
      <Empty title="No message with this id is kept">
        {trace.searched.isComplete
          ? 'It may never have come, or retention took it.'
          : notAllSearched}
      </Empty>
    )
  }
  return (
    <>
      <p>{sentenceOf(trace)}</p>
      {!trace.searched.isComplete && <p class="quiet">{notAllSearched}</p>}
      <ol class="way">
        {stops.map(({ topic, writtenBy, message }) => (
          <li key={`${topic} ${message.partition} ${message.offset}`}>
            <h3>
              <a href={hrefOf('messages', { topic, id: message.id ?? trace.id })}>{topic}</a>
            </h3>
            <p class="quiet">
              {writtenBy.length === 0
                ? 'written from outside'
                : `written by ${writtenBy.join(', ')}`}
              {`; partition ${message.partition}, offset ${message.offset}, ${fullTime(message.timeMs)}`}
            </p>
            {message.value === null ? (
              <p>A delete.</p>
            ) : (
              <Value value={message.value} isCut={message.isCut} />
            )}
          </li>
        ))}
        {deadLetters.map((letter) => (
          <li key={`dead ${letter.pipeline} ${letter.step}`} class="way-dead">
            <h3>
              Dead letter of{' '}
              <a href={hrefOf('dead-letters', { pipeline: letter.pipeline })}>{letter.pipeline}</a>
            </h3>
            <p class="quiet">
              {`step ${letter.step}, ${fullTime(letter.atMs)}, ${letter.tries === 1 ? 'tried once' : `tried ${letter.tries} times`}`}
            </p>
            <p>{letter.error}</p>
          </li>
        ))}
      </ol>
    </>
  )
}

function sentenceOf({ stops, deadLetters }: Trace): string {
  const last = stops.at(-1)
  const came =
    last === undefined
      ? 'It is in no topic any more'
      : `It came into ${stops.length === 1 ? 'one topic' : `${stops.length} topics`}, at last into ${last.topic}`
  if (deadLetters.length === 0) return `${came}; nothing went wrong with it.`
  const failed = deadLetters.map(({ pipeline, step }) => `${pipeline} / ${step}`).join(', ')
  return `${came}; it failed at ${failed} and waits there as a dead letter.`
}
