/** Numbers that people read, with the full one in the title. */
import { fullNumber, shortDuration, shortNumber } from '../format.ts'

export const Count = ({ of }: { of: number }) => (
  <span class="figure" title={fullNumber(of)}>
    {shortNumber(of)}
  </span>
)

export const Duration = ({ ms }: { ms: number | null | undefined }) =>
  ms === null || ms === undefined ? (
    <span class="quiet">-</span>
  ) : (
    <span class="figure" title={`${fullNumber(ms)} ms`}>
      {shortDuration(ms)}
    </span>
  )

/** One figure of the overview. Its place does not depend on how long the number is. */
export function BigNumber(props: {
  readonly name: string
  readonly value: string
  readonly unit?: string
  readonly title?: string
  /** What it is compared with, or where it is from. */
  readonly note: string
  readonly tone?: 'good' | 'bad' | undefined
}) {
  const { name, value, unit, title, note, tone } = props
  return (
    <div class={tone === undefined ? 'big' : `big big-${tone}`}>
      <dt>{name}</dt>
      <dd class="big-value" title={title}>
        {value}
        {unit !== undefined && <span class="unit"> {unit}</span>}
      </dd>
      <dd class="big-note">{note}</dd>
    </div>
  )
}
