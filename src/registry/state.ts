/** What is true in the registry now: its topic, read from the beginning and folded. */
import { suggestion } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import {
  type RegisteredVersion,
  type RegistryChange,
  registryTopic,
  type Statement,
  statementAt,
} from './entries.ts'

/** What an alias points to, or pointed to; null: to nothing. */
export interface AliasState {
  readonly version: string | null
  /** Of the change that made it so first. */
  readonly revision: number
  /** Of the change, a rollback maybe, that made it so last. */
  readonly since: number
}

/** One model: its versions, its aliases with what they pointed to before, and its history. */
export class ModelState {
  readonly name: string
  /** By hash. */
  readonly versions = new Map<string, RegisteredVersion>()
  /** In the order of their revisions. */
  readonly history: RegistryChange[] = []
  /** What each alias points to (last) and what it pointed to before that; a rollback goes back in it. */
  readonly aliases = new Map<string, AliasState[]>()
  /** The hash that was registered last, while it is there. */
  #latest: string | undefined
  /** An entry as older versions of Millrace wrote them, not yet written anew. */
  #old: RegisteredVersion | undefined

  constructor(name: string) {
    this.name = name
  }

  /** 0 before the first change. */
  get revision(): number {
    return this.history.at(-1)?.revision ?? 0
  }

  /** What has to be written anew, with the number that it has here. */
  get old(): RegisteredVersion | undefined {
    return this.#old === undefined ? undefined : this.versions.get(this.#old.version)
  }

  /** The highest number ever given to a version. */
  get lastNumber(): number {
    const given = this.history.map(({ number = 0 }) => number)
    const there = [...this.versions.values()].map(({ number }) => number)
    return Math.max(0, ...given, ...there)
  }

  /** What was registered last, also when it was known before; else the version of the highest number. */
  get newest(): RegisteredVersion | undefined {
    return this.versions.get(this.#latest ?? '') ?? this.byNumber()[0]
  }

  /** The newest number first. */
  byNumber(): RegisteredVersion[] {
    return [...this.versions.values()].sort((a, b) => b.number - a.number)
  }

  /** The hash that an alias points to now. */
  pointed(alias: string): string | undefined {
    const version = this.aliases.get(alias)?.at(-1)?.version ?? ''
    return this.versions.has(version) ? version : undefined
  }

  /** Aliases that point to something now, sorted. */
  currentAliases(): string[] {
    return [...this.aliases.keys()].filter((alias) => this.pointed(alias) !== undefined).sort()
  }

  /** Takes in what a message says; they come in the order of the topic. */
  add(statement: Statement): void {
    switch (statement.kind) {
      case 'version':
        this.versions.set(statement.version.version, statement.version)
        break
      case 'no version':
        this.versions.delete(statement.version)
        break
      case 'latest':
        this.#latest = statement.version
        break
      case 'change':
        this.history.push(statement.change)
        break
      case 'old':
        this.#old = statement.version
        this.#latest = statement.version.version
        break
      case 'no old':
        this.#old = undefined
        break
    }
  }

  /** Called once everything was taken in. */
  finish(): void {
    if (this.#old !== undefined && !this.versions.has(this.#old.version)) {
      const version = { ...this.#old, number: this.lastNumber + 1 }
      this.versions.set(version.version, version)
    }
    this.history.sort((a, b) => a.revision - b.revision)
    for (const change of this.history) this.#follow(change)
  }

  #follow({ alias, version, revision, restores }: RegistryChange): void {
    if (alias === null) return
    const states = this.aliases.get(alias) ?? []
    this.aliases.set(alias, states)
    const restored = states.findIndex((state) => state.revision === restores)
    if (restored < 0) states.push({ version, revision, since: revision })
    else states.splice(restored, Infinity, { ...states[restored]!, since: revision })
  }
}

export class RegistryState {
  readonly models: ReadonlyMap<string, ModelState>
  /** The offset up to which the topic was read. */
  readonly end: number

  constructor(models: ReadonlyMap<string, ModelState>, end: number) {
    this.models = models
    this.end = end
  }

  /** Models that have a version, by name. */
  present(): ModelState[] {
    return [...this.models.values()]
      .filter(({ versions }) => versions.size > 0)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** For messages about a name that there is not. */
  nearest(name: string): string {
    const names = this.present().map((model) => model.name)
    const list = names.length > 20 ? `${names.slice(0, 20).join(', ')}...` : names.join(', ')
    return suggestion(name, names) || `there are: ${list || 'none'}`
  }
}

/** The registry as it stands. Throws `MODEL_DAMAGED` for an entry that cannot be read. */
export async function readRegistry(log: Log): Promise<RegistryState> {
  const models = new Map<string, ModelState>()
  let offset = 0
  if ((await log.topic(registryTopic)) !== undefined) {
    for (;;) {
      const batch = await log.read(registryTopic, 0, offset)
      if (batch === undefined) break
      for (let index = 0; index < batch.count; index++) {
        const statement = statementAt(batch, index)
        if (statement === undefined) continue
        const { name } = statement
        const model = models.get(name) ?? new ModelState(name)
        models.set(name, model)
        model.add(statement)
      }
      offset = batch.nextOffset
    }
  }
  for (const model of models.values()) model.finish()
  return new RegistryState(models, offset)
}
