/** Lets the application of a test work: until all is worked off, or it is dead, or it is found to be stuck. */
import { setTimeout as wait } from 'node:timers/promises'
import { fail } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type { Definition } from '../pipeline/definition.ts'
import { giveUpAfterMs } from '../pipeline/retry.ts'
import { isTimed } from '../pipeline/segments.ts'
import { Life } from './life.ts'
import type { CrashPoint } from './mortal-log.ts'
import type { StandIns } from './stand-ins.ts'
import { standingOf } from './worked-off.ts'
import type { World } from './world.ts'

export interface WorkOptions {
  readonly world: World
  readonly definitions: readonly Definition[]
  readonly standIns: StandIns
  readonly random: Random
  /** Nothing was committed for so long: then nothing will be. */
  readonly patienceMs: number
}

/** Where event time matters: after so long without a commit all who listen have heard how far it is. */
const quietMs = 400
/** So often the clock may be moved on for nothing before that takes time: somebody may wait for real. */
const freePauses = 100
/** So many times the patience is all that one call gets: what goes round in topics never ends. */
const mostPatience = 10

export class Work {
  readonly #options: WorkOptions
  readonly #isTimed: boolean
  #life: Life | undefined

  constructor(options: WorkOptions) {
    this.#options = options
    this.#isTimed = options.definitions.some(isTimed)
  }

  /** Lets others work a little. */
  pause(): Promise<void> {
    const { world, standIns } = this.#options
    const activity = () => this.#life?.mortality.activity ?? 0
    return world.clock.pause(activity, () => standIns.asked > 0)
  }

  async run(): Promise<void> {
    const life = await this.#alive()
    await this.#settle(life)
  }

  /** Told of each part of the time, before what comes of it. */
  async advance(byMs: number, passed: (partMs: number) => void): Promise<void> {
    const life = await this.#alive()
    const idleMs = this.#options.definitions.map(({ settings }) => settings.idleMs)
    const { clock } = this.#options.world
    const partMs = Math.max(byMs / (this.#isTimed ? clock.mostParts : 1), Math.min(...idleMs))
    for (let leftMs = byMs; leftMs > 0; ) {
      const nextMs = Math.min(leftMs, Math.ceil(partMs))
      leftMs -= nextMs
      passed(nextMs)
      clock.leap(nextMs)
      await this.#settle(life)
    }
  }

  async crash(point: CrashPoint): Promise<void> {
    const life = await this.#alive()
    life.mortality.arm(point)
    try {
      await this.#settle(life)
    } finally {
      life.mortality.arm(undefined)
    }
    if (life.mortality.isDead) return
    const { step, nth, pipeline } = point
    const which = `commit ${nth}${pipeline === undefined ? '' : ` of ${pipeline}`}`
    const words = `${which} did not come to '${step}': all is worked off`
    throw fail('TEST_INVALID', `crash: ${words}; push something first`)
  }

  /** What is under way ends; the next call begins anew. */
  async restart(): Promise<void> {
    await this.#life?.end(() => this.pause())
    this.#life = undefined
  }

  async #alive(): Promise<Life> {
    const { world, definitions, random } = this.#options
    this.#life ??= await Life.begin(world, definitions, random)
    const { mortality } = this.#life
    if (mortality.isDead) throw fail('TEST_INVALID', 'the process was killed; t.restart() it first')
    return this.#life
  }

  /** Resolves once it is dead, or all is worked off. */
  async #settle(life: Life): Promise<void> {
    const { world, definitions, standIns } = this.#options
    const patience = new Patience(() => world.clock.now(), this.#options.patienceMs)
    life.open()
    try {
      for (;;) {
        await this.pause()
        life.throwFailure()
        if (life.mortality.isDead) return
        const { open, signature } = await standingOf(world.log, definitions, standIns.feeds)
        patience.saw(signature)
        const isDone = open.length === 0 && life.isSettled && standIns.asked === 0
        if (isDone && (!this.#isTimed || patience.quietMs >= quietMs)) return
        if (isDone) continue
        const isTryingAgain = life.waiting.some((words) => words.includes('(next try in '))
        if (patience.isOver(isTryingAgain)) throw stuck(life, open)
        if (isTryingAgain) world.clock.hurry()
        else await patience.wait()
      }
    } finally {
      life.mortality.hold()
    }
  }
}

/** How long nothing has been committed. */
class Patience {
  readonly #now: () => number
  #signature: string | undefined
  #sinceMs = 0
  #sinceReal = 0
  #pauses = 0
  readonly #patienceMs: number
  readonly #untilReal: number

  constructor(now: () => number, patienceMs: number) {
    this.#now = now
    this.#patienceMs = patienceMs
    this.#untilReal = performance.now() + mostPatience * patienceMs
  }

  saw(signature: string): void {
    if (signature === this.#signature) return
    this.#signature = signature
    this.#sinceMs = this.#now()
    this.#sinceReal = performance.now()
    this.#pauses = 0
  }

  get quietMs(): number {
    return this.#now() - this.#sinceMs
  }

  /** Who tries again is waited for until it gives up, by the clock of the test. */
  isOver(isTryingAgain: boolean): boolean {
    if (isTryingAgain) return this.quietMs > 2 * giveUpAfterMs
    const nowReal = performance.now()
    return nowReal - this.#sinceReal > this.#patienceMs || nowReal > this.#untilReal
  }

  async wait(): Promise<void> {
    if (++this.#pauses > freePauses) await wait(2)
  }
}

/** Nobody waits for it any more: it is as good as dead. */
function stuck(life: Life, open: readonly string[]): Error {
  life.mortality.die()
  const left = open.length === 0 ? 'a model or a pipeline that begins' : open.join('; ')
  const why = life.waiting.length === 0 ? '' : `; it waits: ${life.waiting.join('; ')}`
  const words = `the application does not come to an end; not worked off is ${left}${why}`
  return fail('TEST_STUCK', `${words} (option 'patience': how long nothing may happen)`)
}
