/** One dead letter: where it is from, what it holds, as it was read and as it came. */
import { useState } from 'preact/hooks'
import type { DeadLetterView } from '../../src/server/state.ts'
import { Value } from '../components/message-table.tsx'
import { hrefOf } from '../data/route.ts'
import { ageText, fullTime, oneLine, rawText } from '../format.ts'

export function LetterRow(props: {
  readonly letter: DeadLetterView
  readonly nowMs: number
  readonly isChosen: boolean
  readonly toggle: () => void
}) {
  const { letter, nowMs, isChosen, toggle } = props
  const { id, topic, partition, offset, tries, atMs } = letter
  const [isOpen, setOpen] = useState(false)
  return (
    <li>
      <input type="checkbox" checked={isChosen} onChange={toggle} aria-label={`Choose ${id}`} />
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span class="code letter-id">{id}</span>
          <span class="quiet" title={fullTime(atMs)}>
            {`${topic} ${partition}/${offset}, ${tries === 1 ? 'tried once' : `tried ${tries} times`}, ${ageText(atMs, nowMs)}`}
          </span>
          {/* Opened, it stands below in full. */}
          {!isOpen && letter.message !== '' && (
            <span class="quiet letter-why">{oneLine(letter.message, 300)}</span>
          )}
        </summary>
        {isOpen && <Contents letter={letter} />}
      </details>
    </li>
  )
}

function Contents({ letter }: { letter: DeadLetterView }) {
  const raw = rawText(letter.raw)
  // So much of it is sent at most.
  const isCut = letter.raw.length * 0.75 >= 4096
  return (
    <div class="letter">
      {letter.message !== '' && <p class="letter-message">{letter.message}</p>}
      <div>
        <h3>As it was read</h3>
        {letter.value === null ? (
          <p class="quiet">It could not be read as a value, or it is a delete.</p>
        ) : (
          <Value value={letter.value} isCut={isCut} />
        )}
      </div>
      <div>
        <h3>{raw.isText ? 'As it came' : 'As it came: no text, so its bytes'}</h3>
        <Value value={raw.text} isCut={isCut} />
      </div>
      <p>
        <a href={hrefOf('messages', { trace: letter.id })}>What happened to this one?</a>
      </p>
    </div>
  )
}
