/** How people and pipelines name a model: `name`, `name@alias`, `name:version`. */
import { fail, suggestion } from '../core/errors.ts'
import type { RegisteredVersion } from './entries.ts'
import type { ModelState, RegistryState } from './state.ts'

/** The alias that a bare name stands for, where it is set. */
export const championAlias = 'champion'

export interface ModelReference {
  readonly name: string
  readonly alias?: string
  /** A number, or the first digits of a hash. */
  readonly version?: string
}

/**
 * `name` is the alias `champion` where that is set, else the version registered last; `name@alias`;
 * `name:version` by its number or the first four or more hexadecimal digits of its hash.
 * Throws `NAME_INVALID`.
 */
export function parseReference(reference: string): ModelReference {
  const [, name = reference, sign, rest = ''] = /^([^@:]*)([@:])(.*)$/s.exec(reference) ?? []
  checkModelName(name)
  if (sign === '@') return { name, alias: checkAlias(rest) }
  if (sign === ':') return { name, version: checkVersion(name, rest) }
  return { name }
}

/** The rule of topics: letters, digits, `.`, `_` and `-`. Throws `NAME_INVALID`. */
export function checkModelName(name: string): string {
  const isName = /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..'
  if (isName && !name.includes('\n')) return name
  throw fail(
    'NAME_INVALID',
    `model ${quoted(name)}: use letters, digits, '.', '_' and '-', at most 249 of them`,
  )
}

/** Throws `NAME_INVALID`. */
export function checkAlias(alias: string): string {
  if (/^[a-z][a-z0-9-]{0,63}$/.test(alias) && !alias.includes('\n')) return alias
  throw fail(
    'NAME_INVALID',
    `alias ${quoted(alias)}: use a-z first, then a-z, 0-9 and '-', at most 64 of them`,
  )
}

function checkVersion(name: string, version: string): string {
  if (/^([1-9][0-9]{0,8}|[0-9a-fA-F]{4,64})$/.test(version)) return version.toLowerCase()
  throw fail(
    'NAME_INVALID',
    `model ${name}, version ${quoted(version)}: give its number, or the first four or more hexadecimal digits of its hash`,
  )
}

/** What a reference stands for now. Throws `NAME_INVALID`, and `MODEL_UNKNOWN` with the nearest. */
export function resolveIn(state: RegistryState, reference: string): RegisteredVersion {
  const { name, alias, version } = parseReference(reference)
  const model = modelIn(state, name)
  if (version !== undefined) return versionIn(model, version)
  if (alias !== undefined) return aliasedIn(model, alias)
  const champion = model.pointed(championAlias)
  return champion === undefined ? model.newest! : aliasedIn(model, championAlias)
}

/** A model that has a version. Throws `MODEL_UNKNOWN`. */
export function modelIn(state: RegistryState, name: string): ModelState {
  const model = state.models.get(checkModelName(name))
  if (model !== undefined && model.versions.size > 0) return model
  throw fail('MODEL_UNKNOWN', `model ${name}: none of that name; ${state.nearest(name)}`)
}

/** Throws `MODEL_UNKNOWN`. */
export function aliasedIn(model: ModelState, alias: string): RegisteredVersion {
  const version = model.pointed(checkAlias(alias))
  const entry = model.versions.get(version ?? '')
  if (entry !== undefined) return entry
  const known = model.currentAliases()
  const near = suggestion(alias, known) || `there are: ${known.join(', ') || 'none'}`
  throw fail('MODEL_UNKNOWN', `model ${model.name}: it has no alias '${alias}'; ${near}`)
}

/** By number, hash or first digits of a hash. Throws `NAME_INVALID`, `MODEL_UNKNOWN`. */
export function versionIn(model: ModelState, given: string): RegisteredVersion {
  const version = checkVersion(model.name, given)
  const all = model.byNumber()
  const byHash = version.length < 4 ? [] : all.filter((one) => one.version.startsWith(version))
  const found = [...new Set([...all.filter((one) => String(one.number) === version), ...byHash])]
  if (found.length === 1) return found[0]!
  const listed = (found.length === 0 ? all : found).slice(0, 10).map(versionText).join(', ')
  const seen =
    found.length === 0 ? `no version '${version}'; the newest are` : `'${version}' may be`
  throw fail('MODEL_UNKNOWN', `model ${model.name}: ${seen} ${listed}`)
}

/** `3 (1a2b3c4d5e6f)`. */
export function versionText({ number, version }: RegisteredVersion): string {
  return `${number} (${version.slice(0, 12)})`
}

/** Shows a name that may hold anything. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 300 ? `${name.slice(0, 300)}...` : name)
}
