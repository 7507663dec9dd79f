/**
 * The log as one process has it: a test can hold it up, and end the process at a step of a commit. What
 * a dead process asked for is never answered, so nothing of it can clean up.
 */
import type { Commit, Log, Membership } from '../log/log.ts'

/**
 * Where a process can be made to die: with a batch worked off and nothing of it written; with all of it
 * written and nothing decided; with all of it decided and the answer not heard.
 */
export const crashSteps = ['prepared', 'written', 'committed'] as const
export type CrashStep = (typeof crashSteps)[number]

export interface CrashPoint {
  readonly step: CrashStep
  /** The commit of that pipeline; undefined: of any. */
  readonly pipeline: string | undefined
  /** The first, second, ... of them. */
  readonly nth: number
}

export class Mortality {
  isDead = false
  /** Rises with what is read and committed. */
  activity = 0
  readonly #members: Membership[] = []
  #point: CrashPoint | undefined
  #passed = 0
  #opened = Promise.withResolvers<void>()
  #isOpen = false
  /** The commit that it dies with is being written. */
  isEnding = false

  /** It dies there, once it comes there. */
  arm(point: CrashPoint | undefined): void {
    this.#point = point
    this.#passed = 0
  }

  /** Lets it work. */
  open(): void {
    this.#isOpen = true
    this.#opened.resolve()
  }

  /** What is under way goes on; nothing else begins. */
  hold(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#opened = Promise.withResolvers()
  }

  die(): Promise<never> {
    this.isDead = true
    return never
  }

  joined(member: Membership): void {
    this.#members.push(member)
  }

  /** As the log does it for a process that it finds dead. */
  async leaveAll(): Promise<void> {
    for (const member of this.#members) await member.leave()
  }

  /** Undefined: it may begin now. */
  turn(): Promise<void> | undefined {
    if (this.isDead || this.isEnding) return never
    return this.#isOpen ? undefined : this.#opened.promise
  }

  /** Where the process is to die in this commit. */
  stepOf({ member }: Commit): CrashStep | undefined {
    const point = this.#point
    if (point === undefined || member === undefined) return undefined
    if (point.pipeline !== undefined && point.pipeline !== member.group) return undefined
    return ++this.#passed === point.nth ? point.step : undefined
  }
}

const never: Promise<never> = new Promise(() => {})

/** `write` makes a commit come to the point where all is written and nothing decided; it may fail then. */
export function mortal(
  log: Log,
  mortality: Mortality,
  write: (commit: Commit) => Promise<unknown>,
): Log {
  const ask = async (name: string, given: readonly unknown[]): Promise<unknown> => {
    for (let turn = mortality.turn(); turn !== undefined; turn = mortality.turn()) await turn
    try {
      const answer = await (name === 'commit'
        ? commitOn(log, mortality, given[0] as Commit, write)
        : call(log, name, given))
      if (name === 'commit' || (name === 'read' && answer !== undefined)) mortality.activity++
      if (name === 'join') mortality.joined(answer as Membership)
      return mortality.isDead ? await never : answer
    } catch (error) {
      if (mortality.isDead) return never
      throw error
    }
  }
  return new Proxy(log, {
    get(target, name) {
      const own: unknown = Reflect.get(target, name, target)
      if (typeof own !== 'function' || typeof name !== 'string') return own
      if (name === 'revision') return () => target.revision()
      return (...given: unknown[]) => ask(name, given)
    },
  })
}

async function commitOn(
  log: Log,
  mortality: Mortality,
  commit: Commit,
  write: (commit: Commit) => Promise<unknown>,
): Promise<unknown> {
  const step = mortality.stepOf(commit)
  if (step === 'prepared') return mortality.die()
  if (step === undefined) return log.commit(commit)
  mortality.isEnding = true
  if (step === 'written') await write(commit).catch(() => undefined)
  else await log.commit(commit)
  return mortality.die()
}

const call = (log: Log, name: string, given: readonly unknown[]): unknown =>
  (log as unknown as Record<string, (...given: readonly unknown[]) => unknown>)[name]!(...given)
