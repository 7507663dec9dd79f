/** What is told of models: a line each, or all there is to know of one. */
import type { RegisteredVersion, RegistryChange } from './entries.ts'
import type { ModelState } from './state.ts'

export interface AliasRecord {
  readonly alias: string
  readonly version: string
  readonly number: number
  /** The change since which it points there. */
  readonly revision: number
}

export interface ModelSummary {
  readonly name: string
  /** Of the last change; 0 before the first. To be given as `expectedRevision`. */
  readonly revision: number
  /** What was registered last. */
  readonly newest: RegisteredVersion
  readonly versionCount: number
  readonly aliases: readonly AliasRecord[]
}

export interface ModelRecord extends ModelSummary {
  /** The newest first. */
  readonly versions: readonly RegisteredVersion[]
  /** The newest first. */
  readonly history: readonly RegistryChange[]
}

export function summaryOf(model: ModelState): ModelSummary {
  const { name, revision, versions } = model
  const aliases = model.currentAliases().map((alias) => {
    const { version, since } = model.aliases.get(alias)!.at(-1)!
    return { alias, version: version!, number: versions.get(version!)!.number, revision: since }
  })
  return { name, revision, newest: model.newest!, versionCount: versions.size, aliases }
}

export function recordOf(model: ModelState): ModelRecord {
  const history = [...model.history].reverse()
  return { ...summaryOf(model), versions: model.byNumber(), history }
}
