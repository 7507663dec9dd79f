/** The page beside a run: it starts once the application is loaded, and ends with it. */
import { systemClock } from '../core/clock.ts'
import type { App } from '../pipeline/app.ts'
import type { AnyTopic } from '../pipeline/definition.ts'
import { topicInputs, topicOutputs } from '../pipeline/plan.ts'
import type { Serving } from '../server/start.ts'
import { mayShowToken, type PageFlags } from './page-flags.ts'
import { version } from './version.ts'

export class PageBeside {
  readonly #directory: string
  readonly #app: string
  readonly #flags: PageFlags
  readonly #say: (words: string) => void
  #topics: readonly AnyTopic[] = []
  #pipelines: App['pipelines'] = []
  #serving: Serving | undefined

  constructor(app: string, directory: string, flags: PageFlags, say: (words: string) => void) {
    this.#app = app
    this.#directory = directory
    this.#flags = flags
    this.#say = say
  }

  /** What the application declares: messages that come in by HTTP are checked against it. */
  knows({ pipelines }: App): void {
    this.#pipelines = pipelines
    this.#topics = pipelines.flatMap((one) => [
      ...topicInputs(one).map(({ topic }) => topic),
      ...topicOutputs(one),
    ])
  }

  /** Throws `PORT_IN_USE`, and what stands in the way of the log. */
  async start(): Promise<void> {
    // Loaded when it is used: most runs of a test serve no page.
    const { startServer } = await import('../server/start.ts')
    const { port, host } = this.#flags
    this.#serving = await startServer({
      ...{
        app: this.#app,
        directory: this.#directory,
        version: version(),
        clock: systemClock,
        port,
        host,
      },
      topics: this.#topics,
      pipelines: this.#pipelines,
      mayShowToken: mayShowToken(),
      say: this.#say,
    })
  }

  /** Safe to call when it never started. */
  async close(): Promise<void> {
    await this.#serving?.close()
  }
}
