/** One process that runs the application, as far as a test can tell: it begins, works, and may be killed. */
import { tmpdir } from 'node:os'
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import { Codecs } from '../pipeline/codecs.ts'
import type { Definition } from '../pipeline/definition.ts'
import { Runner } from '../pipeline/runner.ts'
import { Mortality, mortal } from './mortal-log.ts'
import type { Handle, World } from './world.ts'

/** Values are the same in every format, so in a test all of them are JSON. */
class JsonOnly extends Codecs {
  constructor() {
    super(undefined)
  }

  override open(): Promise<void> {
    return Promise.resolve()
  }
}

export class Life {
  readonly mortality: Mortality
  readonly #handle: Handle
  readonly #runners: readonly Runner[]
  readonly #stopping = new AbortController()
  #failure: { readonly error: unknown } | undefined
  #runs: Promise<void> | undefined

  static async begin(
    world: World,
    definitions: readonly Definition[],
    random: Random,
  ): Promise<Life> {
    const mortality = new Mortality()
    const clock = clockOf(world, mortality)
    const handle = await world.open(clock.sleep)
    return new Life(mortality, handle, clock, definitions, random)
  }

  private constructor(
    mortality: Mortality,
    handle: Handle,
    clock: Clock,
    definitions: readonly Definition[],
    random: Random,
  ) {
    this.mortality = mortality
    this.#handle = handle
    const log = mortal(handle.log, mortality, (commit) => handle.write(commit))
    const codecs = new JsonOnly()
    this.#runners = definitions.map((definition) => {
      const all = { definition, log, clock, random, codecs, directory: tmpdir() }
      return new Runner({ ...all, ratePerSecond: undefined, untilEnd: false })
    })
  }

  /** Lets it work; the first time it begins. */
  open(): void {
    this.mortality.open()
    this.#runs ??= this.#run()
  }

  get isSettled(): boolean {
    return this.#runners.every(({ progress }) => progress.isSettled)
  }

  /** What pipelines wait for, as they say it. */
  get waiting(): string[] {
    return this.#runners.flatMap(({ progress }) => progress.waiting ?? [])
  }

  /** Throws what stopped a pipeline. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** What is under way is committed, unless it is dead; `pause` is called until then. */
  async end(pause: () => Promise<void>): Promise<void> {
    const { mortality } = this
    if (this.#runs !== undefined && !mortality.isDead) {
      let hasEnded = false
      mortality.open()
      this.#stopping.abort()
      const ended = this.#runs.then(() => {
        hasEnded = true
      })
      while (!hasEnded) await pause()
      await ended
    }
    if (mortality.isDead) await mortality.leaveAll()
    await this.#handle.close()
  }

  async #run(): Promise<void> {
    const runs = this.#runners.map((runner) =>
      runner.run(this.#stopping.signal).catch((error: unknown) => {
        this.#failure ??= { error }
      }),
    )
    await Promise.all(runs)
  }
}

/** The world's time; who is dead does not wake. */
function clockOf({ clock }: World, mortality: Mortality): Clock {
  return {
    now: () => clock.now(),
    async sleep(waitMs, signal) {
      await clock.sleep(waitMs, signal)
      if (mortality.isDead) await new Promise(() => {})
    },
  }
}
