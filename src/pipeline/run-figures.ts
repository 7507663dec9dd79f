/** The figures of a run's last line: cumulative from the ledger, so kills and restarts change nothing. */
import type { Audit } from './audit.ts'
import type { Definition } from './definition.ts'
import type { Disposition } from './ledger.ts'

export interface RunFigures {
  /** Messages that the predicting pipelines took in; without any, those that entered the run. */
  readonly messages: number
  readonly predictions: number
  readonly filtered: number
  readonly late: number
  readonly deadLetters: number
  readonly ledger: 'balanced' | 'unbalanced'
  /** Of this run alone. */
  readonly seconds: number
  readonly messagesPerSecond: number
  readonly [own: string]: unknown
}

export function runFigures(
  definitions: readonly Definition[],
  before: readonly Audit[],
  audits: readonly Audit[],
  seconds: number,
): RunFigures {
  const counted = countedPipelines(definitions)
  const isCounted = (audit: Audit) => counted.has(audit.pipeline)
  const messages = messagesOf(audits.filter(isCounted))
  const worked = messages - messagesOf(before.filter(isCounted))
  return {
    messages,
    predictions: predictionsOf(definitions, audits),
    filtered: totalOf(audits, 'filtered'),
    late: totalOf(audits, 'late'),
    deadLetters: totalOf(audits, 'deadLettered'),
    ledger: audits.every((audit) => audit.imbalances.length === 0) ? 'balanced' : 'unbalanced',
    seconds: Number(seconds.toFixed(3)),
    messagesPerSecond: seconds === 0 ? 0 : Math.round(worked / seconds),
  }
}

/** Pipelines that predict; else those at the sources; else all. */
function countedPipelines(definitions: readonly Definition[]): Set<string> {
  const predicting = definitions.filter((one) => one.steps.some((step) => step.kind === 'predict'))
  const reading = definitions.filter((one) => one.inputs.some((input) => input.kind === 'source'))
  const counted = [predicting, reading, definitions].find((some) => some.length > 0) ?? []
  return new Set(counted.map((definition) => definition.name))
}

/** Messages that pipelines took in. */
export const messagesOf = (audits: readonly Audit[]) =>
  audits.reduce((sum, { messages }) => sum + messages, 0)

function predictionsOf(definitions: readonly Definition[], audits: readonly Audit[]): number {
  let predictions = 0
  for (const definition of definitions) {
    const audit = audits.find((one) => one.pipeline === definition.name)
    for (const step of definition.steps) {
      if (step.kind === 'predict') predictions += audit?.steps.get(step.name)?.passed ?? 0
    }
  }
  return predictions
}

/** How often all steps of all pipelines gave a disposition. */
export const totalOf = (audits: readonly Audit[], name: Disposition) =>
  audits.reduce(
    (sum, audit) => sum + [...audit.steps.values()].reduce((part, step) => part + step[name], 0),
    0,
  )
