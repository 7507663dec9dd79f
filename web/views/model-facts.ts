/** What a version says about itself, read with care: its metrics and details are whatever was stored. */
import type { ModelRecord, RegisteredVersion, RegistryChange } from '../../src/server/state.ts'
import { fullNumber, percent } from '../format.ts'

export interface Confusion {
  readonly labels: readonly string[]
  /** A row for each truth, a column for each prediction. */
  readonly counts: readonly (readonly number[])[]
}

/** Undefined where it was not stored: there were too many labels, or another hand registered it. */
export function confusionOf({ details }: RegisteredVersion): Confusion | undefined {
  const found = details.confusion as Partial<Confusion> | null | undefined
  const { labels, counts } = found ?? {}
  if (!Array.isArray(labels) || !Array.isArray(counts) || labels.length === 0) return undefined
  const isSquare =
    counts.length === labels.length &&
    counts.every((row) => Array.isArray(row) && row.length === labels.length)
  return isSquare ? { labels, counts } : undefined
}

const metricNames: Readonly<Record<string, string>> = {
  count: 'rows evaluated on',
  accuracy: 'accuracy',
  majorityShare: 'always the commonest label',
  macroF1: 'macro F1',
  weightedF1: 'weighted F1',
  balancedAccuracy: 'balanced accuracy',
  rocAuc: 'ROC AUC',
  averagePrecision: 'average precision',
  logLoss: 'log loss',
  brier: 'Brier score',
  ece: 'calibration error',
  crossValidation: 'cross-validation',
  coverage: 'share answered',
  answeredAccuracy: 'accuracy of those',
}

const shareMetrics = new Set([
  'accuracy',
  'majorityShare',
  'balancedAccuracy',
  'coverage',
  'answeredAccuracy',
])

export interface Metric {
  readonly name: string
  readonly text: string
  readonly full: string
}

export function metricsOf({ metrics }: RegisteredVersion): Metric[] {
  return Object.entries(metricNames).flatMap(([key, name]) => {
    const value = metrics[key]
    if (typeof value !== 'number') return []
    const text =
      key === 'count'
        ? fullNumber(value)
        : shareMetrics.has(key)
          ? percent(value)
          : value.toFixed(4)
    return [{ name, text, full: String(value) }]
  })
}

export const metricOf = ({ metrics }: RegisteredVersion, name: string): number | undefined =>
  typeof metrics[name] === 'number' ? metrics[name] : undefined

export function aliasesOf(model: Pick<ModelRecord, 'aliases'>, { version }: RegisteredVersion) {
  return model.aliases.filter((one) => one.version === version).map(({ alias }) => alias)
}

/** One change of the aliases in words. */
export function changeWords(model: ModelRecord, change: RegistryChange): string {
  const name = (hash: string | null) => {
    if (hash === null) return 'nothing'
    const known = model.versions.find(({ version }) => version === hash)
    return known === undefined ? `${hash.slice(0, 12)} (deleted)` : `version ${known.number}`
  }
  const { alias, version, previous, number } = change
  if (alias === null) return `version ${number ?? String(previous).slice(0, 12)} was deleted`
  return `${alias}: from ${name(previous)} to ${name(version)}`
}

export function warningsOf({ details }: RegisteredVersion): string[] {
  return Array.isArray(details.warnings) ? details.warnings.map(String) : []
}
