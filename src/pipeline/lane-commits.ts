/**
 * What a lane has worked off, on its way into the log. One commit of a lane is under way at a time, so
 * that they keep their order; what becomes ready meanwhile waits and goes together into the next.
 */
import type { Checkpoint, Commit } from '../log/log.ts'
import { nameOf } from '../log/topic-partition.ts'

/** So much may wait: more would only take memory, and longer to be done again after a crash. */
const mostBytes = 4 * 1024 * 1024

/** One batch worked off. */
export interface Committable {
  readonly commit: Commit
  /** Of what was read. */
  readonly sizeBytes: number
}

export class LaneCommits<Work extends Committable> {
  readonly #commit: (commit: Commit, work: readonly Work[]) => Promise<void>
  #waiting: Work[] = []
  #waitingBytes = 0
  /** The commit under way, which takes nothing more. */
  #before: Promise<void> = Promise.resolve()
  /** The commit that takes what waits, else the same. */
  #last: Promise<void> = this.#before
  #failure: { readonly error: unknown } | undefined

  /** `commit` makes one commit of all that `work` holds. */
  constructor(commit: (commit: Commit, work: readonly Work[]) => Promise<void>) {
    this.#commit = commit
  }

  /** Resolves once more may be added. Throws what a commit threw: then nothing behind it is done. */
  async add(work: Work): Promise<void> {
    this.#waiting.push(work)
    this.#waitingBytes += work.sizeBytes
    if (this.#waiting.length === 1) {
      this.#before = this.#last
      this.#last = this.#before.then(() => this.#next())
      // Until somebody asks, nobody else may call it unhandled.
      this.#last.catch((error: unknown) => {
        this.#failure ??= { error }
      })
    }
    if (this.#waitingBytes >= mostBytes) await this.#before
  }

  /** Throws what a commit threw. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Resolves once all is committed. Throws what the first commit that failed threw. */
  idle(): Promise<void> {
    return this.#last
  }

  #next(): Promise<void> {
    const work = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    return this.#commit(together(work.map(({ commit }) => commit)), work)
  }
}

/** Commits of one member as one: outputs and changes in their order, of each input the last checkpoint. */
function together(commits: readonly Commit[]): Commit {
  const [first] = commits
  if (commits.length === 1) return first!
  const checkpoints = new Map<string, Checkpoint>()
  for (const commit of commits) {
    for (const one of commit.checkpoints ?? []) checkpoints.set(nameOf(one), one)
  }
  return {
    outputs: commits.flatMap(({ outputs }) => outputs),
    checkpoints: [...checkpoints.values()],
    changes: commits.flatMap(({ changes = [] }) => changes),
    member: first!.member,
  }
}

let turn: Promise<void> = Promise.resolve()

/**
 * Resolves one turn of the event loop after the last that was given: lanes that have work all the time
 * then leave room between their batches for what the log has to say.
 */
export function nextTurn(): Promise<void> {
  turn = turn.then(() => new Promise((resolve) => setImmediate(resolve)))
  return turn
}
