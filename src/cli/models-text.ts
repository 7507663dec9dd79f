/** What the commands about models say in the same words: figures, ages, changes. */
import { alignedLines } from '../evaluation/text-table.ts'
import type { RegisteredVersion, RegistryChange } from '../registry/entries.ts'
import type { ModelRecord } from '../registry/records.ts'
import { durationText } from './duration.ts'
import { timeText } from './table.ts'

/** A metric of a version, where it is a number. */
export function figureOf({ metrics }: RegisteredVersion, name: string): number | undefined {
  const value = metrics[name]
  return typeof value === 'number' ? value : undefined
}

/** '3 d 4 h'; the clock of another machine may be ahead. */
export function ageText(timeMs: number, nowMs = Date.now()): string {
  if (timeMs === 0) return 'not known'
  const seconds = Math.max(0, Math.floor((nowMs - timeMs) / 1000))
  return seconds === 0 ? 'now' : durationText(seconds * 1000)
}

/** `version 3 (1a2b3c4d5e6f)`, or what a deleted one had for a hash. */
export function hashText({ versions }: ModelRecord, hash: string | null): string {
  if (hash === null) return 'nothing'
  const known = versions.find(({ version }) => version === hash)
  const short = hash.slice(0, 12)
  return known === undefined ? `${short} (deleted)` : `version ${known.number} (${short})`
}

/** One change of the history on one line. */
export function changeText(model: ModelRecord, change: RegistryChange): string {
  const { revision, alias, version, previous, atMs, by, reason, number } = change
  const what =
    alias === null
      ? `version ${number ?? ''} (${String(previous).slice(0, 12)}) deleted`
      : `${alias}: ${hashText(model, previous)} -> ${hashText(model, version)}`
  const why = reason === '' ? '' : `: ${reason}`
  return `${String(revision).padStart(3)}  ${timeText(atMs)}  ${what}, by ${by}${why}`
}

/** By name, in words and in an order that people look for. */
const figureNames: Readonly<Record<string, string>> = {
  accuracy: 'accuracy',
  macroF1: 'macro F1',
  weightedF1: 'weighted F1',
  balancedAccuracy: 'balanced accuracy',
  majorityShare: 'of always the commonest label',
  rocAuc: 'ROC AUC',
  averagePrecision: 'average precision',
  logLoss: 'log loss',
  brier: 'Brier score',
  ece: 'calibration error',
  crossValidation: 'cross-validation',
  coverage: 'share answered',
  answeredAccuracy: 'accuracy of those',
  count: 'rows evaluated on',
}

/** The metrics of one version or several, a column each; no lines where there are none. */
export function metricLines(versions: readonly RegisteredVersion[]): string[] {
  const rows = Object.entries(figureNames)
    .map(([name, words]) => [words, ...versions.map((version) => cellOf(version, name))])
    .filter(([, ...cells]) => cells.some((cell) => cell !== '-'))
  if (rows.length === 0) return []
  const heading =
    versions.length === 1 ? [] : [['', ...versions.map(({ number }) => `version ${number}`)]]
  return alignedLines([...heading, ...rows])
}

function cellOf(version: RegisteredVersion, name: string): string {
  const value = figureOf(version, name)
  if (value === undefined) return '-'
  return Number.isInteger(value) && name === 'count' ? String(value) : value.toFixed(4)
}

/** Whether two versions' metrics are of the same rows, as far as is known. */
export function isSameTest(one: RegisteredVersion, other: RegisteredVersion): boolean {
  const testOf = ({ data }: RegisteredVersion) => {
    const { train, test } = data as Readonly<Record<string, { sha256?: string } | undefined>>
    // A part held back is the same rows only of the same file.
    return JSON.stringify(test?.sha256 ?? [test, train?.sha256])
  }
  return testOf(one) === testOf(other)
}
