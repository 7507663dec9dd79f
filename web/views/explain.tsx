/** Why a text is answered as it is: the terms that moved the answer, as bars to both sides. */
import { useState } from 'preact/hooks'
import type { ExplainAnswer, RegisteredVersion, TermContribution } from '../../src/server/state.ts'
import { Card } from '../components/chart.tsx'
import { Problem } from '../components/states.tsx'
import { explain } from '../data/api.ts'
import { percent } from '../format.ts'

type Outcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'answered'; readonly answer: ExplainAnswer }

export function ExplainCard({ version }: { version: RegisteredVersion }) {
  const [outcome, setOutcome] = useState<Outcome>({ kind: 'none' })
  const ask = (event: SubmitEvent) => {
    event.preventDefault()
    const text = String(new FormData(event.currentTarget as HTMLFormElement).get('text') ?? '')
    setOutcome({ kind: 'busy' })
    explain(version.name, { text, version: version.number }).then(
      (answer) => setOutcome({ kind: 'answered', answer }),
      (error: Error) => setOutcome({ kind: 'failed', message: error.message }),
    )
  }
  return (
    <Card title="Ask the model" note="what it answers to a text, and which terms moved it">
      <form class="ask" onSubmit={ask}>
        <label>
          Text
          <textarea name="text" rows={4} required maxLength={100_000} spellcheck={false} />
        </label>
        <button type="submit" disabled={outcome.kind === 'busy'}>
          {outcome.kind === 'busy' ? 'Asking...' : 'Explain'}
        </button>
      </form>
      {outcome.kind === 'failed' && <Problem message={outcome.message} />}
      {outcome.kind === 'answered' && <Answer answer={outcome.answer} />}
    </Card>
  )
}

function Answer({ answer }: { answer: ExplainAnswer }) {
  const { label, score, terms, otherTerms, intercept, version } = answer
  const rest: TermContribution[] = [
    { term: 'all other terms', analyzer: '', contribution: otherTerms },
    { term: 'before any term is read', analyzer: '', contribution: intercept },
  ]
  const largest = Math.max(1e-9, ...[...terms, ...rest].map((one) => Math.abs(one.contribution)))
  return (
    <div class="answer">
      <p>
        Version {version} answers <strong>{label}</strong> with a probability of{' '}
        <strong class="figure" title={String(score)}>
          {percent(score)}
        </strong>
        .
      </p>
      {terms.length === 0 ? (
        <p class="quiet">It knows no term of this text.</p>
      ) : (
        <table class="terms">
          <caption>Bars to the right speak for {label}, bars to the left against it.</caption>
          {/* Here, not at cells: a head that is hidden takes no part in the layout. */}
          <colgroup>
            <col class="term-names" />
            <col />
            <col class="term-figures" />
          </colgroup>
          <thead class="hidden">
            <tr>
              <th scope="col">Term</th>
              <th scope="col">Bar</th>
              <th scope="col">Contribution</th>
            </tr>
          </thead>
          <tbody>
            {terms.map((one) => (
              <Bar key={`${one.analyzer} ${one.term}`} {...one} largest={largest} />
            ))}
            {rest.map((one) => (
              <Bar key={`rest ${one.term}`} {...one} largest={largest} isRest />
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

function Bar(props: TermContribution & { readonly largest: number; readonly isRest?: boolean }) {
  const { term, contribution, largest, isRest = false } = props
  // A place each for what speaks against and for: zero stands in the middle.
  const width = (Math.abs(contribution) / largest) * 50
  const x = contribution < 0 ? 50 - width : 50
  return (
    <tr class={isRest ? 'rest' : undefined}>
      <th scope="row" class={isRest ? undefined : 'code'}>
        {term}
      </th>
      <td>
        <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
          <rect class={contribution < 0 ? 'against' : 'for'} x={x} y={1} width={width} height={8} />
          <line x1={50} x2={50} y1={0} y2={10} />
        </svg>
      </td>
      <td class="number figure" title={String(contribution)}>
        {contribution < 0 ? '' : '+'}
        {contribution.toFixed(2)}
      </td>
    </tr>
  )
}
