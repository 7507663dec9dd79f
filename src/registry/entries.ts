/**
 * What the registry keeps in its topic: immutable versions and the history of every change, as JSON
 * under keys that compaction never takes for one another. What is true now is folded from them.
 */
import type { Batch } from '../core/batch.ts'
import { fail } from '../core/errors.ts'
import { isHash } from './store.ts'

export const registryTopic = 'millrace.registry'

export type PlainObject = Readonly<Record<string, unknown>>

/** One version of a model: where it is from and how good it is. It never changes. */
export interface RegisteredVersion {
  readonly name: string
  /** SHA-256 of the artefact. */
  readonly version: string
  /** 1, 2, 3... within the name, for people; that of a deleted version is not used again. */
  readonly number: number
  /** Milliseconds since the epoch. */
  readonly registeredAtMs: number
  /** The estimator with its options, in words; empty where it is not known. */
  readonly estimator: string
  /** The vectorisers in words, in the order of their columns. */
  readonly featureSchema: readonly string[]
  readonly labels: readonly string[]
  /** By name, as `macroF1`; of which rows, the names or `data` say. */
  readonly metrics: PlainObject
  /** What it learnt from: hashes of files, or offset ranges of a topic. */
  readonly data: PlainObject
  readonly seeds: PlainObject
  /** The version of Millrace that trained it; empty where it is not known. */
  readonly libraryVersion: string
  /** All that is needed to train it again, byte for byte; empty where that cannot be done. */
  readonly recipe: PlainObject
  /** Whatever else the training found, for people. */
  readonly details: PlainObject
}

/** What is said of a version when it is registered. Labels and library version: else the artefact's. */
export type VersionFacts = Partial<
  Omit<RegisteredVersion, 'name' | 'version' | 'number' | 'registeredAtMs'>
>

/** One change of a model's aliases, or the deletion of a version. */
export interface RegistryChange {
  /** Rises by one with each change of the model. */
  readonly revision: number
  /** Null: a version was deleted, which `previous` names. */
  readonly alias: string | null
  /** What the alias points to from now on; null: to nothing. */
  readonly version: string | null
  readonly previous: string | null
  /** Milliseconds since the epoch. */
  readonly atMs: number
  readonly reason: string
  /** What made the change, in a word: `promote`, `rollback`, `train`, `delete`... */
  readonly by: string
  /** Of a rollback: the revision whose state it brought back. */
  readonly restores?: number
  /** Of a deletion: the number that the version had. */
  readonly number?: number
}

/** An entry of the topic. A null value takes it away. */
export interface Entry {
  readonly key: string
  readonly value: object | null
}

export const versionEntry = (version: RegisteredVersion): Entry => ({
  key: versionKey(version),
  value: version,
})

export const versionTombstone = (version: RegisteredVersion): Entry => ({
  key: versionKey(version),
  value: null,
})

export const changeEntry = (name: string, change: RegistryChange): Entry => ({
  key: `change/${name}/${change.revision}`,
  value: change,
})

/** Which version was registered last, also when it was known before. */
export const latestEntry = (name: string, version: string): Entry => ({
  key: `latest/${name}`,
  value: { version },
})

/** Before there were versions side by side, an entry's key was the model's name alone. */
export const oldTombstone = (name: string): Entry => ({ key: name, value: null })

const versionKey = ({ name, version }: RegisteredVersion) => `version/${name}/${version}`

/** What one message of the topic says. */
export type Statement =
  | { readonly kind: 'version'; readonly name: string; readonly version: RegisteredVersion }
  | { readonly kind: 'no version'; readonly name: string; readonly version: string }
  | { readonly kind: 'change'; readonly name: string; readonly change: RegistryChange }
  | { readonly kind: 'latest'; readonly name: string; readonly version: string }
  | { readonly kind: 'old'; readonly name: string; readonly version: RegisteredVersion }
  | { readonly kind: 'no old'; readonly name: string }

/** Undefined for what belongs to others: rollouts keep theirs here too. Throws `MODEL_DAMAGED`. */
export function statementAt(batch: Batch, index: number): Statement | undefined {
  const key = textOf(batch.bytes, batch.keyStarts[index]!, batch.keyEnds[index]!)
  const json = textOf(batch.bytes, batch.valueStarts[index]!, batch.valueEnds[index]!)
  if (key === undefined) return undefined
  const [kind, name, rest, ...more] = key.split('/')
  if (name === undefined) return oldStatement(key, json)
  if (more.length > 0) return undefined
  const seen = `registry: offset ${batch.offsets[index]} of ${registryTopic}, key '${key}'`
  if (kind === 'version' && rest !== undefined) return versionStatement(name, rest, json, seen)
  if (json === undefined) return undefined
  if (kind === 'change' && rest !== undefined) {
    const change = parsed<RegistryChange>(json, seen)
    if (String(change.revision) !== rest || !isChange(change)) throw unreadable(seen)
    return { kind, name, change }
  }
  if (kind === 'latest' && rest === undefined) {
    return { kind, name, version: parsed<{ version: string }>(json, seen).version }
  }
  return undefined
}

function versionStatement(
  name: string,
  hash: string,
  json: string | undefined,
  seen: string,
): Statement {
  if (json === undefined) return { kind: 'no version', name, version: hash }
  const version = parsed<Omit<RegisteredVersion, 'registeredAtMs'>>(json, seen)
  const whole = { ...unknownFacts, registeredAtMs: 0, ...version }
  const fits =
    version.name === name &&
    version.version === hash &&
    isHash(hash) &&
    Number.isInteger(version.number) &&
    Number.isFinite(whole.registeredAtMs) &&
    wrongFact(whole) === undefined
  if (!fits) throw unreadable(seen)
  return { kind: 'version', name, version: whole }
}

/** The name of a fact that is not what it has to be, as labels that are no list of strings. */
export function wrongFact(facts: Required<VersionFacts>): string | undefined {
  return (Object.keys(unknownFacts) as (keyof VersionFacts)[]).find((name) => {
    const value: unknown = facts[name]
    const usual = unknownFacts[name]
    if (typeof usual === 'string') return typeof value !== 'string'
    if (Array.isArray(usual)) {
      return !Array.isArray(value) || value.some((one) => typeof one !== 'string')
    }
    return typeof value !== 'object' || value === null || Array.isArray(value)
  })
}

function isChange({ revision, alias, version, previous, atMs, reason, by }: RegistryChange) {
  const isWord = (value: unknown) => value === null || typeof value === 'string'
  return (
    Number.isInteger(revision) &&
    [alias, version, previous].every(isWord) &&
    Number.isFinite(atMs) &&
    typeof reason === 'string' &&
    typeof by === 'string'
  )
}

/** What is not of that shape was never ours, and is passed over. */
function oldStatement(name: string, json: string | undefined): Statement | undefined {
  if (json === undefined) return { kind: 'no old', name }
  const old = plainOf(json) as Partial<RegisteredVersion> | undefined
  if (old?.name !== name || !isHash(String(old.version))) return undefined
  const { version, registeredAtMs = 0, details = {} } = old
  const known = { name, version: version!, number: 1, registeredAtMs, details }
  return { kind: 'old', name, version: { ...unknownFacts, ...known } }
}

export const unknownFacts: Required<VersionFacts> = {
  estimator: '',
  featureSchema: [],
  labels: [],
  metrics: {},
  data: {},
  seeds: {},
  libraryVersion: '',
  recipe: {},
  details: {},
}

function parsed<Value extends object>(json: string, seen: string): Value {
  const value = plainOf(json)
  if (value === undefined) throw unreadable(seen)
  return value as Value
}

function plainOf(json: string): object | undefined {
  try {
    const value = JSON.parse(json) as unknown
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function unreadable(seen: string): Error {
  return fail('MODEL_DAMAGED', `${seen}: it is no entry that this Millrace can read`)
}

function textOf(bytes: Buffer, start: number, end: number): string | undefined {
  return start < 0 ? undefined : bytes.toString('utf8', start, end)
}
