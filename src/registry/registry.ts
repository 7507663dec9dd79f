/**
 * The registry: named, immutable model versions, aliases that point to them, and the history of every
 * change. Entries are messages of a compacted topic; artefacts lie in a store by their hash. Any number
 * of processes may change it: each change is read, decided and written in one turn, fenced by the log.
 */
import { BatchBuilder } from '../core/batch-builder.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { codeOf, fail, messageOf, orderOf } from '../core/errors.ts'
import type { Log, Membership } from '../log/log.ts'
import { takeTurn } from '../log/turn.ts'
import { describeArtefact, modelOfArtefact } from '../models/artefact.ts'
import type { CompiledTextClassifier } from '../models/compiled-scorer.ts'
import {
  type ChangeOptions,
  changeAt,
  inUse,
  migration,
  nextChange,
  nothingBefore,
} from './changes.ts'
import {
  changeEntry,
  type Entry,
  latestEntry,
  type RegisteredVersion,
  type RegistryChange,
  registryTopic,
  unknownFacts,
  type VersionFacts,
  versionEntry,
  versionTombstone,
  wrongFact,
} from './entries.ts'
import { type ModelRecord, type ModelSummary, recordOf, summaryOf } from './records.ts'
import {
  aliasedIn,
  championAlias,
  checkAlias,
  checkModelName,
  modelIn,
  resolveIn,
  versionIn,
} from './reference.ts'
import { ModelState, type RegistryState, readRegistry } from './state.ts'
import type { ArtefactStore } from './store.ts'

export interface RegistryOptions {
  readonly log: Log
  /** Belongs to this registry alone: what no model here uses any more is deleted from it. */
  readonly store: ArtefactStore
  readonly clock?: Clock
}

export interface DeletedVersion {
  readonly version: RegisteredVersion
  readonly change: RegistryChange
  /** `shared`: another name has it. `left`: the store could not delete it, which is harmless. */
  readonly artefact: 'deleted' | 'shared' | 'left'
  /** Why it was left. */
  readonly problem?: string
}

export interface LoadedModel {
  readonly version: RegisteredVersion
  readonly classifier: CompiledTextClassifier
}

/** What a turn decided: entries to write at once, and what then comes of it. */
interface Decision<Result> {
  readonly entries: readonly Entry[]
  finish(member: Membership): Result | Promise<Result>
}

const fencedTries = 5
/** With all around it that is one message, of which the topic takes 1 MiB. */
const mostFactsBytes = 1_000_000

export class Registry {
  readonly #log: Log
  readonly #store: ArtefactStore
  readonly #clock: Clock

  constructor({ log, store, clock = systemClock }: RegistryOptions) {
    this.#log = log
    this.#store = store
    this.#clock = clock
  }

  /**
   * Keeps an artefact and makes it a version of a model. Resolves once both survive a power cut; a
   * process that dies before leaves no version. Bytes that are a version already keep their first
   * entry, and become what the bare name stands for where no champion is set.
   * Throws `NAME_INVALID`, `MODEL_DAMAGED` for what is no artefact, `OPTIONS_INVALID` for facts that
   * are not plain data, and what the store and the log throw.
   */
  async register(
    name: string,
    bytes: Buffer,
    facts: VersionFacts = {},
  ): Promise<RegisteredVersion> {
    checkModelName(name)
    const { labels, libraryVersion } = describeArtefact(bytes, `of model ${name}`)
    const told = plain(name, {
      ...unknownFacts,
      labels,
      libraryVersion,
      ...facts,
    } as typeof unknownFacts)
    checkFacts(name, told)
    const version = await this.#store.put(bytes)
    return this.#change(async (state) => {
      // Somebody may have deleted the last version that used it since it was put.
      if (!(await this.#store.has(version))) await this.#store.put(bytes)
      const model = state.models.get(name) ?? new ModelState(name)
      const known = model.versions.get(version)
      const number = model.lastNumber + 1
      const registeredAtMs = this.#clock.now()
      const entry = known ?? { ...told, name, version, number, registeredAtMs }
      const entries = known === undefined ? [versionEntry(entry)] : []
      if (model.newest?.version !== version || known === undefined) {
        entries.push(latestEntry(name, version))
      }
      return { entries: [...migration(model), ...entries], finish: () => entry }
    })
  }

  /**
   * Points an alias to a version (number, hash, or first digits of it). Resolves with the change;
   * where it points there already nothing changes, and the change that made it so comes back.
   * Throws `NAME_INVALID`, `MODEL_UNKNOWN`, `REGISTRY_CONFLICT`.
   */
  setAlias(
    name: string,
    alias: string,
    version: string,
    options: ChangeOptions = {},
  ): Promise<RegistryChange> {
    checkAlias(alias)
    return this.#changeModel(name, options, (model, next) => {
      const target = versionIn(model, version).version
      const current = model.aliases.get(alias)?.at(-1)
      if (current?.version === target) return { change: changeAt(model, current), entries: [] }
      return {
        change: { ...next('set'), alias, version: target, previous: current?.version ?? null },
      }
    })
  }

  /** Throws `NAME_INVALID`, `MODEL_UNKNOWN` where it is not set, `REGISTRY_CONFLICT`. */
  removeAlias(name: string, alias: string, options: ChangeOptions = {}): Promise<RegistryChange> {
    return this.#changeModel(name, options, (model, next) => {
      const previous = aliasedIn(model, alias).version
      return { change: { ...next('remove'), alias, version: null, previous } }
    })
  }

  /**
   * Points an alias to what it pointed to before; again, to what it pointed to before that. Versions
   * that were deleted since are passed over.
   * Throws `NAME_INVALID`, `MODEL_UNKNOWN` where there is nothing before, `REGISTRY_CONFLICT`.
   */
  rollback(
    name: string,
    alias: string = championAlias,
    options: ChangeOptions = {},
  ): Promise<RegistryChange> {
    checkAlias(alias)
    return this.#changeModel(name, options, (model, next) => {
      const states = model.aliases.get(alias) ?? []
      if (states.length === 0) aliasedIn(model, alias)
      const previous = states.at(-1)!.version
      const before = states
        .slice(0, -1)
        .findLast(({ version }) => version !== previous && model.versions.has(version ?? ''))
      if (before === undefined) throw nothingBefore(model, alias, previous)
      const { version, revision: restores } = before
      return { change: { ...next('rollback'), alias, version, previous, restores } }
    })
  }

  /**
   * Forgets a version, and deletes its artefact where no other model has it; the history stays.
   * Throws `MODEL_IN_USE` while an alias points to it, `NAME_INVALID`, `MODEL_UNKNOWN`,
   * `REGISTRY_CONFLICT`.
   */
  async deleteVersion(
    name: string,
    version: string,
    options: ChangeOptions = {},
  ): Promise<DeletedVersion> {
    return this.#change(async (state) => {
      const model = modelIn(state, name)
      const next = nextChange(model, options, this.#clock.now())
      const target = versionIn(model, version)
      const aliases = model.currentAliases().filter((one) => model.pointed(one) === target.version)
      if (aliases.length > 0) throw inUse(model, target, aliases)
      const rest = { alias: null, version: null, previous: target.version, number: target.number }
      const change: RegistryChange = { ...next('delete'), ...rest }
      const isShared = state
        .present()
        .some((other) => other !== model && other.versions.has(target.version))
      return {
        entries: [...migration(model), versionTombstone(target), changeEntry(name, change)],
        finish: async (member) => ({
          version: target,
          change,
          ...(isShared ? { artefact: 'shared' } : await this.#deleteArtefact(target, member)),
        }),
      }
    })
  }

  /** What a reference stands for: see `parseReference`. Throws `NAME_INVALID`, `MODEL_UNKNOWN`. */
  async resolve(reference: string): Promise<RegisteredVersion> {
    return resolveIn(await readRegistry(this.#log), reference)
  }

  /** Throws `NAME_INVALID`, `MODEL_UNKNOWN`, `MODEL_DAMAGED`, and what the store throws. */
  async load(reference: string): Promise<LoadedModel> {
    const version = await this.resolve(reference)
    const bytes = await this.#store.get(version.version)
    const where = `${version.version} of model ${version.name}, version ${version.number}`
    return { version, classifier: modelOfArtefact(bytes, where) }
  }

  /** All models that have a version, by name. */
  async listModels(): Promise<ModelSummary[]> {
    return (await readRegistry(this.#log)).present().map(summaryOf)
  }

  /** Throws `NAME_INVALID`, `MODEL_UNKNOWN`. */
  async showModel(name: string): Promise<ModelRecord> {
    return recordOf(modelIn(await readRegistry(this.#log), name))
  }

  /** A change of a model that there is, decided at once; without entries nothing is written. */
  #changeModel(
    name: string,
    options: ChangeOptions,
    decide: (
      model: ModelState,
      next: ReturnType<typeof nextChange>,
    ) => { readonly change: RegistryChange; readonly entries?: readonly Entry[] },
  ): Promise<RegistryChange> {
    return this.#change(async (state) => {
      const model = modelIn(state, name)
      const next = nextChange(model, options, this.#clock.now())
      const { change, entries = [...migration(model), changeEntry(name, change)] } = decide(
        model,
        next,
      )
      return { entries, finish: () => change }
    })
  }

  /** Reads, decides and writes in one turn. Whoever lost its turn on the way wrote nothing: again. */
  async #change<Result>(
    decide: (state: RegistryState) => Promise<Decision<Result>>,
  ): Promise<Result> {
    await this.#ensureTopic()
    for (let tries = 1; ; tries++) {
      const turn = await takeTurn(this.#log, registryTopic, this.#clock, () => {})
      try {
        const state = await readRegistry(this.#log)
        const { entries, finish } = await decide(state)
        if (entries.length > 0) await this.#write(entries, state.end, turn.member)
        return await finish(turn.member)
      } catch (error) {
        if (codeOf(error) !== 'MEMBER_FENCED' || tries >= fencedTries) throw error
      } finally {
        await turn.end()
      }
    }
  }

  async #write(entries: readonly Entry[], offset: number, member: Membership): Promise<void> {
    const builder = new BatchBuilder(registryTopic, 0)
    const nowMs = this.#clock.now()
    for (const { key, value } of entries) {
      builder.append(key, value === null ? null : JSON.stringify(value), nowMs)
    }
    const place = { topic: registryTopic, partition: 0 }
    // The checkpoint is the fence: only who owns the turn's partition now may commit it.
    const checkpoints = [{ ...place, offset, metadata: '' }]
    await this.#log.commit({ outputs: [{ ...place, batch: builder.build() }], checkpoints, member })
  }

  /** In the turn still, so that nobody registers the same bytes meanwhile. */
  async #deleteArtefact(
    { version }: RegisteredVersion,
    member: Membership,
  ): Promise<Pick<DeletedVersion, 'artefact' | 'problem'>> {
    try {
      await member.heartbeat()
      if (member.owned.length === 0) return { artefact: 'left', problem: 'the turn was lost' }
      await this.#store.delete(version)
      return { artefact: 'deleted' }
    } catch (error) {
      if (orderOf(error) === undefined) throw error
      return { artefact: 'left', problem: messageOf(error) }
    }
  }

  async #ensureTopic(): Promise<void> {
    if ((await this.#log.topic(registryTopic)) !== undefined) return
    try {
      await this.#log.createTopic(registryTopic, { partitions: 1, cleanup: 'compact' })
    } catch (error) {
      // Another process was first, which is as good.
      if (codeOf(error) !== 'TOPIC_EXISTS') throw error
    }
  }
}

/** Before the artefact is kept, so that nothing is left of what cannot be. Throws `OPTIONS_INVALID`. */
function checkFacts(name: string, told: typeof unknownFacts): void {
  const wrong = wrongFact(told)
  if (wrong !== undefined) {
    throw fail('OPTIONS_INVALID', `model ${name}: '${wrong}' is not what a version has there`)
  }
  const size = Buffer.byteLength(JSON.stringify(told))
  if (size <= mostFactsBytes) return
  throw fail(
    'OPTIONS_INVALID',
    `model ${name}: what is to be said of it takes ${size} bytes, more than the registry keeps of a version (${mostFactsBytes}); it has ${told.labels.length} labels: is the label column an id?`,
  )
}

/** A copy as it will be read again. Throws `OPTIONS_INVALID`. */
function plain<Facts extends object>(name: string, facts: Facts): Facts {
  try {
    return JSON.parse(JSON.stringify(facts)) as Facts
  } catch (error) {
    throw fail(
      'OPTIONS_INVALID',
      `model ${name}: what is said of it is no JSON: ${messageOf(error)}`,
    )
  }
}
