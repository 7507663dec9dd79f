/** Models of a pipeline: trained where there is none yet, opened from the registry and the store. */
import type { Clock } from '../core/clock.ts'
import { codeOf, fail, messageOf } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import { artefactBytes } from '../models/artefact.ts'
import type { CompiledTextClassifier } from '../models/compiled-scorer.ts'
import { explainedClassifier } from '../models/explained-classifier.ts'
import { type Model, type TextClassifier, unknownLabel } from '../models/model.ts'
import type { RegisteredVersion } from '../registry/entries.ts'
import { modelStoreLocation, openStore } from '../registry/open-store.ts'
import { championAlias, parseReference } from '../registry/reference.ts'
import { Registry } from '../registry/registry.ts'
import type { Definition } from './definition.ts'
import type { ModelUse } from './model-use.ts'

export interface TrainedModel {
  /** As the pipeline names it: a reference. */
  readonly name: string
  readonly version: string
  /** False: it was trained by an earlier run. */
  readonly isNew: boolean
  /** With its options, in words; empty where it is not known. */
  readonly estimator: string
  readonly details: Readonly<Record<string, unknown>>
}

/** The models that pipelines name, each once. */
function modelUses(definitions: readonly Definition[]): ModelUse<unknown, unknown>[] {
  const uses = new Map<string, ModelUse<unknown, unknown>>()
  for (const definition of definitions) {
    for (const step of definition.steps) {
      if (step.kind === 'predict') uses.set(step.model.name, step.model)
    }
  }
  return [...uses.values()]
}

export interface TrainOptions {
  readonly log: Log
  readonly directory: string
  readonly clock: Clock
  /** Train again also what was trained before. */
  readonly fresh: boolean
  progress(line: string): void
}

/** Trains what was never trained here, before anything starts. Throws `MODEL_UNKNOWN`. */
export async function trainMissing(
  definitions: readonly Definition[],
  options: TrainOptions,
): Promise<TrainedModel[]> {
  const { log, directory, clock } = options
  const trained: TrainedModel[] = []
  await withRegistry(log, directory, clock, async (registry) => {
    for (const use of modelUses(definitions)) {
      if (use.model === undefined) trained.push(await ready(use, registry, options))
    }
  })
  return trained
}

async function ready(
  use: ModelUse<unknown, unknown>,
  registry: Registry,
  { fresh, progress }: TrainOptions,
): Promise<TrainedModel> {
  const { name, train } = use
  // Nobody can train what is to have a certain hash or number.
  const canTrain = train !== undefined && parseReference(name).version === undefined
  const unknown = await whyUnknown(registry, use)
  if (unknown === undefined && !(fresh && canTrain)) {
    // Taken away or damaged: what can be trained again is.
    if (!canTrain || (await isIntact(registry, name))) {
      const { version, estimator, details } = await registry.resolve(name)
      return { name, version, estimator, details, isNew: false }
    }
    progress(`model ${name}: its artefact is missing or damaged; training it again`)
  }
  if (train === undefined || !canTrain || !(await mayTrain(registry, name))) throw unknown
  const { classifier, facts, training, details } = await train({ progress })
  const bytes = artefactBytes(classifier, training === undefined ? {} : { training })
  const registered = await registry.register(parseReference(name).name, bytes, {
    ...facts,
    details: { ...facts?.details, ...details },
  })
  await pointTo(registered, registry, name)
  const used = await registry.resolve(name)
  if (used.version !== registered.version) {
    const alias = parseReference(name).alias ?? championAlias
    progress(
      `model ${name}: version ${registered.number} was trained, '${alias}' points to ${used.number}`,
    )
  }
  const isNew = used.version === registered.version
  const { version, estimator, details: found } = used
  return { name, version, estimator, isNew, details: found }
}

/** Undefined where the registry knows what is named. */
async function whyUnknown(
  registry: Registry,
  { name }: ModelUse<unknown, unknown>,
): Promise<Error | undefined> {
  try {
    await registry.resolve(name)
    return undefined
  } catch (error) {
    if (codeOf(error) !== 'MODEL_UNKNOWN') throw error
    const advice = 'train it first, or give classifier(...) a train function'
    return fail('MODEL_UNKNOWN', `${messageOf(error)}; ${advice}`)
  }
}

/** An alias that people took away or moved is theirs; training sets what nobody ever set. */
async function mayTrain(registry: Registry, reference: string): Promise<boolean> {
  const { name, alias } = parseReference(reference)
  if (alias === undefined || !(await hasVersions(registry, name))) return true
  const { aliases, history } = await registry.showModel(name)
  return (
    aliases.some((one) => one.alias === alias) || !history.some((change) => change.alias === alias)
  )
}

const hasVersions = async (registry: Registry, name: string) =>
  (await registry.listModels()).some((model) => model.name === name)

/** Where a pipeline names an alias: what training set last, training moves. */
async function pointTo(
  { name, version }: RegisteredVersion,
  registry: Registry,
  reference: string,
): Promise<void> {
  const { alias } = parseReference(reference)
  if (alias === undefined) return
  const { history, revision } = await registry.showModel(name)
  const last = history.find((change) => change.alias === alias)
  if (last !== undefined && last.by !== 'train') return
  const reason = 'trained by a pipeline that names this alias'
  await registry.setAlias(name, alias, version, { by: 'train', reason, expectedRevision: revision })
}

async function isIntact(registry: Registry, reference: string): Promise<boolean> {
  try {
    await registry.load(reference)
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code !== 'MODEL_UNKNOWN' && code !== 'MODEL_DAMAGED') throw error
    return false
  }
}

/** By step name, the models of one pipeline, ready to score. Throws `MODEL_UNKNOWN`, `MODEL_DAMAGED`. */
export async function openModels(
  definition: Definition,
  log: Log,
  directory: string,
  clock: Clock,
): Promise<Map<string, Model<unknown, unknown>>> {
  const models = new Map<string, Model<unknown, unknown>>()
  await withRegistry(log, directory, clock, async (registry) => {
    for (const step of definition.steps) {
      if (step.kind === 'predict') models.set(step.name, await openModel(step.model, registry))
    }
  })
  return models
}

async function openModel(
  use: ModelUse<unknown, unknown>,
  registry: Registry,
): Promise<Model<unknown, unknown>> {
  if (use.model !== undefined) return use.model
  const { classifier } = await registry.load(use.name)
  return asUsed(use, classifier)
}

/** A classifier as a pipeline uses it. Throws `MODEL_DIFFERS`. */
export function asUsed(
  use: ModelUse<unknown, unknown>,
  classifier: CompiledTextClassifier,
): Model<unknown, unknown> {
  checkLabels(use, answersOf(classifier))
  const { explain } = use
  const opened = explain === undefined ? classifier : explainedClassifier(classifier, explain)
  return opened as Model<unknown, unknown>
}

async function withRegistry(
  log: Log,
  directory: string,
  clock: Clock,
  work: (registry: Registry) => Promise<void>,
): Promise<void> {
  const store = openStore(modelStoreLocation(directory))
  try {
    await work(new Registry({ log, store, clock }))
  } finally {
    await store.close()
  }
}

/** All that a classifier can answer. */
function answersOf({ labels, answersUnknown }: TextClassifier): readonly string[] {
  return answersUnknown ? [...labels, unknownLabel] : labels
}

function checkLabels(use: ModelUse<unknown, unknown>, labels: readonly string[]): void {
  if (use.labels === undefined) return
  const counted = use.labels
  const extra = labels.filter((label) => !counted.includes(label))
  const missing = counted.filter((label) => !labels.includes(label))
  if (extra.length === 0 && missing.length === 0) return
  throw fail(
    'MODEL_DIFFERS',
    `model ${use.name} knows the labels ${labels.join(', ')}; the pipeline counts on ${counted.join(', ')}`,
  )
}
