/** Routes on models: what the registry has, and why a text is answered as it is. */
import { z } from 'zod'
import type { Log } from '../log/log.ts'
import { explain } from '../models/explain.ts'
import { modelStoreLocation, openStore } from '../registry/open-store.ts'
import { type LoadedModel, Registry } from '../registry/registry.ts'
import type { ArtefactStore } from '../registry/store.ts'
import { type Route, route } from './route.ts'
import type { ExplainAnswer, ModelsPage } from './state.ts'

const longestText = 64 * 1024
const mostTerms = 100
/** Models kept in memory: artefacts never change, so they are loaded once. */
const mostLoaded = 3

const name = z.string().min(1).max(300)

const asked = z.strictObject({
  text: z.string().max(longestText),
  version: z.number().int().positive().optional(),
  label: z.string().max(1000).optional(),
  top: z.number().int().min(1).max(mostTerms).default(10),
})

export class ModelRoutes {
  readonly #registry: Registry
  readonly #store: ArtefactStore
  /** By hash, the one used last at the end. */
  readonly #loaded = new Map<string, LoadedModel>()

  constructor(log: Log, directory: string) {
    this.#store = openStore(modelStoreLocation(directory))
    this.#registry = new Registry({ log, store: this.#store })
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  routes(): Route[] {
    return [
      route({
        method: 'get',
        path: '/api/models',
        summary: 'all models, by name',
        answer: { description: 'a ModelsPage' },
        handle: async (): Promise<ModelsPage> => ({ models: await this.#registry.listModels() }),
      }),
      route({
        method: 'get',
        path: '/api/models/{name}',
        summary: 'one model: its versions with their figures, its aliases, its history',
        params: z.object({ name }),
        answer: { description: 'a ModelRecord' },
        handle: ({ params }) => this.#registry.showModel(params.name),
      }),
      route({
        method: 'post',
        path: '/api/models/{name}/explain',
        summary: 'why the model answers a text as it does: the terms that moved it most',
        params: z.object({ name }),
        body: asked,
        answer: { description: 'an ExplainAnswer' },
        handle: ({ params, body }) => this.#explain(params.name, body),
      }),
    ]
  }

  async #explain(model: string, body: z.output<typeof asked>): Promise<ExplainAnswer> {
    const reference = body.version === undefined ? model : `${model}:${body.version}`
    const { version, classifier } = await this.#load(reference)
    const { label, top } = body
    return { ...explain(classifier, body.text, { label, top }), model, version: version.number }
  }

  async #load(reference: string): Promise<LoadedModel> {
    const version = await this.#registry.resolve(reference)
    const known = this.#loaded.get(version.version) ?? (await this.#registry.load(reference))
    this.#loaded.delete(version.version)
    this.#loaded.set(version.version, known)
    const oldest = this.#loaded.keys().next().value
    if (this.#loaded.size > mostLoaded && oldest !== undefined) this.#loaded.delete(oldest)
    // Two names may share an artefact; each has numbers of its own.
    return { version, classifier: known.classifier }
  }
}
