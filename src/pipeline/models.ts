/** Models of a pipeline: trained where there is none yet, opened from the registry and the store. */
import { join } from 'node:path'
import { codeOf, fail } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import { loadArtefact, saveArtefact } from '../models/artefact.ts'
import type { Model } from '../models/model.ts'
import { registeredModels, registerModel } from '../registry/registry.ts'
import type { Definition } from './definition.ts'
import type { ModelUse } from './model-use.ts'

/** Artefacts lie here by their content hash. */
export const modelStore = (directory: string) => join(directory, 'models')

export interface TrainedModel {
  readonly name: string
  readonly version: string
  /** False: it was trained by an earlier run. */
  readonly isNew: boolean
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
  readonly nowMs: number
  /** Train again also what was trained before. */
  readonly fresh: boolean
  progress(line: string): void
}

/** Trains what was never trained here, before anything starts. Throws `MODEL_UNKNOWN`. */
export async function trainMissing(
  definitions: readonly Definition[],
  options: TrainOptions,
): Promise<TrainedModel[]> {
  const trained: TrainedModel[] = []
  const known = await registeredModels(options.log)
  for (const use of modelUses(definitions)) {
    if (use.model !== undefined) continue
    const registered = known.get(use.name)
    const canTrain = use.train !== undefined
    if (registered !== undefined && !(options.fresh && canTrain)) {
      // Taken away or damaged: what can be trained again is.
      const isThere = canTrain ? await isIntact(options.directory, registered.version) : true
      if (isThere) {
        trained.push({ ...registered, isNew: false })
        continue
      }
      options.progress(`model ${use.name}: its artefact is missing or damaged; training it again`)
    }
    if (use.train === undefined) throw unknownModel(use.name, known.keys())
    const { progress, nowMs, directory, log } = options
    const { classifier, details } = await use.train({ progress })
    const version = await saveArtefact(modelStore(directory), classifier)
    await registerModel(log, { name: use.name, version, registeredAtMs: nowMs, details })
    trained.push({ name: use.name, version, isNew: true, details })
  }
  return trained
}

async function isIntact(directory: string, version: string): Promise<boolean> {
  try {
    await loadArtefact(modelStore(directory), version)
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
): Promise<Map<string, Model<unknown, unknown>>> {
  const models = new Map<string, Model<unknown, unknown>>()
  for (const step of definition.steps) {
    if (step.kind === 'predict') models.set(step.name, await openModel(step.model, log, directory))
  }
  return models
}

async function openModel(
  use: ModelUse<unknown, unknown>,
  log: Log,
  directory: string,
): Promise<Model<unknown, unknown>> {
  if (use.model !== undefined) return use.model
  const known = await registeredModels(log)
  const registered = known.get(use.name)
  if (registered === undefined) throw unknownModel(use.name, known.keys())
  const model = await loadArtefact(modelStore(directory), registered.version)
  checkLabels(use, model.labels)
  return model as Model<unknown, unknown>
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

function unknownModel(name: string, known: Iterable<string>): Error {
  const others = [...known].join(', ') || 'none'
  return fail(
    'MODEL_UNKNOWN',
    `model ${name} was never trained here (trained: ${others}); give classifier(...) a train function`,
  )
}
