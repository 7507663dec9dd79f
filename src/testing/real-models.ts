/**
 * The models of an application that a test puts nothing in place of: those that a run here would use,
 * from the registry in MILLRACE_DIR, or trained as a first run would train them, once a process.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { stateDirectory } from '../config/directory.ts'
import { systemClock } from '../core/clock.ts'
import { codeOf, fail, messageOf } from '../core/errors.ts'
import { openEmbeddedLog } from '../log/embedded.ts'
import type { Log } from '../log/log.ts'
import { artefactBytes, modelOfArtefact } from '../models/artefact.ts'
import type { Model } from '../models/model.ts'
import type { Definition, Step } from '../pipeline/definition.ts'
import type { ModelUse } from '../pipeline/model-use.ts'
import { asUsed, openModels } from '../pipeline/models.ts'

type Use = ModelUse<unknown, unknown>
type PredictStep = Step & { readonly kind: 'predict' }

/** Trained for an application's own declaration, which lives as long as the process. */
const trained = new WeakMap<Use, Promise<Model<unknown, unknown>>>()

/** By `pipeline/step`. Throws `MODEL_UNKNOWN`, which says how to do without. */
export async function realModels(
  definitions: readonly Definition[],
): Promise<Map<string, Model<unknown, unknown>>> {
  const models = new Map<string, Model<unknown, unknown>>()
  for (const definition of definitions) {
    for (const step of definition.steps) {
      if (step.kind !== 'predict' || step.model.model !== undefined) continue
      models.set(`${definition.name}/${step.name}`, await find(definition, step))
    }
  }
  return models
}

async function find(definition: Definition, step: PredictStep): Promise<Model<unknown, unknown>> {
  const one = { ...definition, steps: [step] }
  try {
    return (await registered(one)) ?? (await training(step.model))
  } catch (error) {
    if (codeOf(error) !== 'MODEL_UNKNOWN') throw error
    const where = `pipeline ${definition.name}, step '${step.name}': ${messageOf(error)}`
    const how = `{ models: { '${step.name}': (inputs) => inputs.map(() => ...) } }`
    const hint = `in a test, put something in its place: pipelineTest(app, ${how}, ...)`
    throw fail('MODEL_UNKNOWN', `${where}; ${hint}`, { cause: error })
  }
}

/** Undefined where nothing ran yet, or what ran does not know it. */
async function registered(one: Definition): Promise<Model<unknown, unknown> | undefined> {
  const directory = stateDirectory()
  if (!existsSync(join(directory, 'log'))) return undefined
  const log = await openEmbeddedLog({ directory, maintain: false })
  try {
    return await open(one, log, directory)
  } catch (error) {
    if (codeOf(error) !== 'MODEL_UNKNOWN') throw error
    return undefined
  } finally {
    await log.close()
  }
}

async function training(use: Use): Promise<Model<unknown, unknown>> {
  const { name, train } = use
  if (train === undefined) {
    const where = `there is none in ${stateDirectory()}, and nothing to train it with`
    throw fail('MODEL_UNKNOWN', `model ${name}: ${where}`)
  }
  const known = trained.get(use) ?? learn(use, train)
  trained.set(use, known)
  return known
}

/** As it comes back from a registry. */
async function learn(use: Use, train: NonNullable<Use['train']>) {
  const { classifier } = await train({ progress: () => undefined })
  return asUsed(use, modelOfArtefact(artefactBytes(classifier), `model ${use.name}`))
}

const open = async (one: Definition, log: Log, directory: string) =>
  [...(await openModels(one, log, directory, systemClock)).values()][0]
