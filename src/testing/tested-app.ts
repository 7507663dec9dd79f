/** The application that a test is of, however it was named, and what of it a test may name. */
import { fileURLToPath } from 'node:url'
import { fail, suggestion } from '../core/errors.ts'
import { importApp, loadApp } from '../pipeline/app.ts'
import { type AnyTopic, type Definition, isPipeline } from '../pipeline/definition.ts'
import { topicInputs, topicOutputs, withTopics } from '../pipeline/inputs.ts'

/** What `pipeline(...)...to(...)` gives. */
export interface TestedPipeline {
  readonly '~pipeline': Definition
}

/** The application's file; what it exports (`import * as app`); a pipeline, or some. */
export type TestedApp =
  | string
  | URL
  | TestedPipeline
  | readonly TestedPipeline[]
  | Readonly<Record<string, unknown>>

/** Throws `APP_UNUSABLE`. */
export async function pipelinesOf(app: TestedApp): Promise<readonly Definition[]> {
  if (app instanceof URL) return (await importApp(app.href, fileURLToPath(app))).pipelines
  if (typeof app === 'string') return (await loadApp(app)).pipelines
  if (isPipeline(app)) return [app['~pipeline']]
  const found = Object.values(app).filter(isPipeline)
  const pipelines = [...new Set(found.map((one) => one['~pipeline']))]
  if (pipelines.length > 0) return pipelines
  const seen = Object.keys(app).join(', ') || 'nothing'
  const words = `it was given ${seen}, but no pipeline`
  throw fail(
    'APP_UNUSABLE',
    `pipelineTest: ${words}; give the URL of the application, or pipelines`,
  )
}

/** The topics and pipelines of the application, by their names. */
export class Names {
  readonly #definitions: readonly Definition[]

  constructor(definitions: readonly Definition[]) {
    this.#definitions = definitions
  }

  /** Throws `TEST_INVALID`. */
  pipeline(given: string | TestedPipeline): Definition {
    const name = typeof given === 'string' ? given : given['~pipeline'].name
    const found = this.#definitions.find((one) => one.name === name)
    if (found !== undefined) return found
    const names = this.#definitions.map((one) => one.name)
    const hint = suggestion(name, names) || `there are ${names.join(', ')}`
    throw fail('TEST_INVALID', `there is no pipeline '${name}' in this test; ${hint}`)
  }

  /** One that a pipeline reads: as it was given, else as the application declares it. */
  read(given: string | { readonly name: string }, what: string): AnyTopic {
    const name = typeof given === 'string' ? given : given.name
    const read = this.#read(name)
    const found = read.find((topic) => topic.name === name)
    if (found !== undefined) return typeof given === 'string' ? found : (given as AnyTopic)
    const hint = suggestion(name, namesOf(read)) || `these are read: ${namesOf(read).join(', ')}`
    const words = `${what}: no pipeline of this test reads a topic '${name}'`
    throw fail('TOPIC_UNKNOWN', `${words}; ${hint}`)
  }

  /** One that a pipeline reads or writes. */
  any(given: string | { readonly name: string }, what: string): AnyTopic {
    const name = typeof given === 'string' ? given : given.name
    const all = [...this.#definitions.flatMap(topicOutputs), ...this.#read(name)]
    const found = all.find((topic) => topic.name === name)
    if (found !== undefined) return typeof given === 'string' ? found : (given as AnyTopic)
    const hint = suggestion(name, namesOf(all)) || `there are ${namesOf(all).join(', ')}`
    const words = `${what}: no pipeline of this test has a topic '${name}'`
    throw fail('TOPIC_UNKNOWN', `${words}; ${hint}`)
  }

  /** Of a topic of that name too, if a pattern takes it in. */
  #read(name: string): AnyTopic[] {
    return this.#definitions.flatMap((definition) =>
      topicInputs(withTopics(definition, [name])).map(({ topic }) => topic),
    )
  }
}

const namesOf = (topics: readonly AnyTopic[]): string[] => [
  ...new Set(topics.map(({ name }) => name).filter((name) => !name.endsWith('.repartition'))),
]
