/** The ledger's rule: each message that comes in has one disposition, and what goes out comes in. */
import type { PipelineState, StepState } from '../../src/server/state.ts'

export const dispositions = [
  ['passed', 'passed'],
  ['filtered', 'filtered'],
  ['duplicate', 'duplicate'],
  ['absorbed', 'absorbed'],
  ['late', 'late'],
  ['deadLettered', 'dead-lettered'],
  ['expired', 'expired'],
] as const

/** Messages of a step that have no disposition; 0 when it is balanced. */
export const unaccounted = (step: StepState) =>
  step.in - dispositions.reduce((sum, [name]) => sum + step[name], 0)

export interface EdgeBalance {
  readonly from: string
  readonly to: string
  /** What the step before sent, and what entered from elsewhere. */
  readonly sent: number
  readonly entered: number
  readonly came: number
}

/** The first edge gives away what enters at later steps: replayed messages, the other side of a join. */
export function edgesOf({ steps }: PipelineState): EdgeBalance[] {
  const enteredInAll = steps.reduce((sum, step) => sum + step.entered, 0)
  return steps.slice(1).map((step, index) => {
    const before = steps[index]!
    const sent = index === 0 ? before.emitted - enteredInAll : before.emitted
    return { from: before.name, to: step.name, sent, entered: step.entered, came: step.in }
  })
}

export const edgeDifference = ({ sent, entered, came }: EdgeBalance) => sent + entered - came
