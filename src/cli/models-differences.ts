/** What differs between a version and the same recipe followed again, from the outside in. */
import { libraryVersion } from '../models/artefact.ts'
import type { CompiledTextClassifier } from '../models/compiled-scorer.ts'
import type { PlainObject, RegisteredVersion } from '../registry/entries.ts'
import type { StoredFile } from '../training/data-rows.ts'
import type { Trained } from '../training/training-facts.ts'

interface DataFacts {
  readonly sha256?: string
  readonly rows?: number
  readonly files?: readonly StoredFile[]
}

/** At least one sentence, for people. `stored` is the registered model, where it is at hand. */
export function differencesOf(
  version: RegisteredVersion,
  trained: Trained,
  stored: CompiledTextClassifier | undefined,
): string[] {
  const causes = [
    ...dataDifferences(version.data, trained.facts?.data ?? {}),
    ...libraryDifference(version.libraryVersion),
    ...estimatorDifference(version.estimator, trained.facts?.estimator ?? ''),
  ]
  const again = (trained.classifier as Partial<CompiledTextClassifier>).model
  const found =
    stored === undefined || again === undefined ? [] : modelDifferences(stored.model, again)
  const all = [...causes, ...found]
  if (causes.length > 0) return all
  const why =
    'data, estimator and version of Millrace are the same: another release of Node, or changed code'
  return [...all, why]
}

function dataDifferences(before: PlainObject, now: PlainObject): string[] {
  return Object.entries(now).flatMap(([part, facts]) => {
    const old = (before[part] ?? {}) as DataFacts
    const { sha256, rows, files } = facts as DataFacts
    if (sha256 === old.sha256) return []
    const changed = (files ?? []).flatMap((file, index) => {
      const was = old.files?.[index]
      if (was === undefined || was.sha256 === file.sha256) return []
      const short = (one: StoredFile) => `${one.sizeBytes} bytes, sha256 ${one.sha256.slice(0, 12)}`
      return [`${file.name} was ${short(was)}, is ${short(file)}`]
    })
    const counts =
      rows === old.rows ? '' : ` (${old.rows ?? 'not known how many'} rows then, ${rows} now)`
    const named = changed.length === 0 ? '' : `: ${changed.join('; ')}`
    return [`the ${part} data is not what it was${counts}${named}`]
  })
}

function libraryDifference(then: string): string[] {
  const now = libraryVersion()
  return then === now || then === '' ? [] : [`it was trained by Millrace ${then}; this is ${now}`]
}

function estimatorDifference(then: string, now: string): string[] {
  return then === now || then === '' ? [] : [`it was ${then}; it is ${now} now`]
}

type Model = CompiledTextClassifier['model']

function modelDifferences(before: Model, now: Model): string[] {
  if (before.labels.join('\n') !== now.labels.join('\n')) return ['the labels differ']
  const columns = [before, now].map(
    ({ coefficients, labels }) => coefficients.length / labels.length,
  )
  if (columns[0] !== columns[1]) return [`it had ${columns[0]} features; it has ${columns[1]} now`]
  let most = 0
  let count = 0
  for (let index = 0; index < now.coefficients.length; index++) {
    const difference = Math.abs(now.coefficients[index]! - before.coefficients[index]!)
    if (difference > 0) count++
    if (difference > most) most = difference
  }
  if (count === 0) return ['all weights are the same; what is said of the training differs']
  return [
    `${count} of ${now.coefficients.length} weights differ, by ${most.toExponential(1)} at most`,
  ]
}
