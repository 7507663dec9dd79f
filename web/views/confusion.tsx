/** The confusion matrix: a row for each truth, shaded by the share of the row. */
import type { RegisteredVersion } from '../../src/server/state.ts'
import { Card } from '../components/chart.tsx'
import { fullNumber, percent, shortNumber } from '../format.ts'
import { confusionOf } from './model-facts.ts'

const shades = 5

export function ConfusionCard({ version }: { version: RegisteredVersion }) {
  const confusion = confusionOf(version)
  if (confusion === undefined) {
    return (
      <Card title="Confusion matrix">
        <p class="quiet">
          It was not stored with this version: nothing was held back to test it, or it has too many
          labels.
        </p>
      </Card>
    )
  }
  const { labels, counts } = confusion
  return (
    <Card
      title="Confusion matrix"
      note="rows: the truth; columns: the answer; shade: share of the row"
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so it must be reachable by keyboard */}
      <section class="scroll" aria-label="Confusion matrix" tabIndex={0}>
        <table class="matrix">
          <thead>
            <tr>
              <td />
              {labels.map((label) => (
                <th key={label} scope="col" class="number">
                  {label}
                </th>
              ))}
              <th scope="col" class="number">
                recall
              </th>
            </tr>
          </thead>
          <tbody>
            {labels.map((label, truth) => (
              <Row
                key={label}
                label={label}
                labels={labels}
                truth={truth}
                counts={counts[truth]!}
              />
            ))}
          </tbody>
        </table>
      </section>
    </Card>
  )
}

function Row(props: {
  readonly label: string
  readonly labels: readonly string[]
  readonly truth: number
  readonly counts: readonly number[]
}) {
  const { label, labels, truth, counts } = props
  const total = counts.reduce((sum, count) => sum + count, 0)
  const shareOf = (count: number) => (total === 0 ? 0 : count / total)
  return (
    <tr>
      <th scope="row">{label}</th>
      {counts.map((count, answer) => {
        const share = shareOf(count)
        const shade = count === 0 ? 0 : Math.max(1, Math.ceil(share * shades))
        return (
          <td
            key={labels[answer]}
            class={`number ${truth === answer ? 'right' : 'wrong'}-${shade}`}
            title={`${fullNumber(count)} ${label} answered as ${labels[answer]}: ${percent(share)}`}
          >
            {shortNumber(count)}
          </td>
        )
      })}
      <td class="number quiet">{total === 0 ? '-' : percent(shareOf(counts[truth]!))}</td>
    </tr>
  )
}
