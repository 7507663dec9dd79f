/** One change of a model: what it is allowed on, what it writes, and why it is refused. */
import { fail } from '../core/errors.ts'
import {
  type Entry,
  latestEntry,
  oldTombstone,
  type RegisteredVersion,
  type RegistryChange,
  versionEntry,
} from './entries.ts'
import { versionText } from './reference.ts'
import type { AliasState, ModelState } from './state.ts'

const maxReasonLength = 2_000

export interface ChangeOptions {
  /** Refuses the change (`REGISTRY_CONFLICT`) unless this is the model's revision still. */
  readonly expectedRevision?: number | undefined
  /** For people who read the history. */
  readonly reason?: string | undefined
  /** What makes the change, in a word: `promote`, `train`... */
  readonly by?: string | undefined
}

/** Writes anew what an older Millrace wrote, with the first change that comes by. */
export function migration(model: ModelState): Entry[] {
  const { old, name } = model
  if (old === undefined) return []
  return [versionEntry(old), latestEntry(name, model.newest!.version), oldTombstone(name)]
}

/** The beginning of a model's next change. Throws `REGISTRY_CONFLICT`, `OPTIONS_INVALID`. */
export function nextChange(model: ModelState, options: ChangeOptions, atMs: number) {
  const { expectedRevision, reason = '', by } = options
  if (expectedRevision !== undefined && expectedRevision !== model.revision) {
    throw conflict(model, expectedRevision)
  }
  const wrong = (what: string) => fail('OPTIONS_INVALID', `model ${model.name}: ${what}`)
  if (reason.length > maxReasonLength)
    throw wrong(`a reason has at most ${maxReasonLength} characters`)
  if (by !== undefined && !/^[a-z][a-z-]{0,31}$/.test(by))
    throw wrong("'by' is one word, in a-z and '-'")
  const revision = model.revision + 1
  return (usual: string) => ({ revision, atMs, reason, by: by ?? usual })
}

function conflict(model: ModelState, expected: number): Error {
  const last = model.history.at(-1)
  const seen = last === undefined ? 'nothing was changed yet' : changeText(model, last)
  return fail(
    'REGISTRY_CONFLICT',
    `model ${model.name}: decided on revision ${expected}, current is ${model.revision}: ${seen}; look again and decide anew`,
  )
}

/** One change in words, for messages. */
function changeText(model: ModelState, change: RegistryChange): string {
  const { alias, version, previous, by, atMs, reason } = change
  const textOf = (hash: string | null) => {
    const known = model.versions.get(hash ?? '')
    return known === undefined ? (hash ?? 'nothing').slice(0, 12) : versionText(known)
  }
  const what =
    alias === null
      ? `version ${textOf(previous)} was deleted`
      : `'${alias}' points to ${textOf(version)} since then`
  const why = reason === '' ? '' : `, ${JSON.stringify(reason)}`
  return `${what} (${by}, ${new Date(atMs).toISOString()}${why})`
}

/** The change that made a state of an alias so. */
export const changeAt = (model: ModelState, { since }: AliasState): RegistryChange =>
  model.history.find((change) => change.revision === since)!

export function nothingBefore(model: ModelState, alias: string, version: string | null): Error {
  const now = model.versions.get(version ?? '')
  const points = now === undefined ? 'nothing' : versionText(now)
  return fail(
    'MODEL_UNKNOWN',
    `model ${model.name}: '${alias}' points to ${points} and pointed to no version before that is still there`,
  )
}

export function inUse(
  model: ModelState,
  version: RegisteredVersion,
  aliases: readonly string[],
): Error {
  const names = aliases.map((alias) => `'${alias}'`).join(', ')
  return fail(
    'MODEL_IN_USE',
    `model ${model.name}: version ${versionText(version)} is what ${names} points to; move or remove the alias first`,
  )
}
