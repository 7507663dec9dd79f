/** The windows of a lane together with the event time that closes them. */
import type { StateChange } from '../log/log.ts'
import type { AggregateStep } from './definition.ts'
import { KeyedSteps, type KeyedStepsOptions } from './keyed-steps.ts'
import type { LaneInput } from './lane-input.ts'
import { LaneTime, type LaneTimeOptions } from './lane-time.ts'
import type { Rows } from './rows.ts'
import type { StepContext } from './run-steps.ts'

export type LaneWindowsOptions = KeyedStepsOptions & LaneTimeOptions

export class LaneWindows {
  readonly #keyed: KeyedSteps
  readonly #time: LaneTime
  readonly #lastStep: number
  #toTell = new Set<LaneInput>()
  #hasToTell = false
  /** A part of what is due was done, and the rest goes with the next commit. */
  hasMore = false

  constructor(options: LaneWindowsOptions) {
    this.#keyed = new KeyedSteps(options)
    this.#time = new LaneTime(options)
    this.#lastStep = options.definition.steps.length
  }

  take(
    step: AggregateStep,
    index: number,
    rows: Rows,
    context: StepContext,
    late: (rows: Rows) => void | Promise<void>,
  ): Promise<void> {
    return this.#keyed.take(step, index, rows, context, late)
  }

  /**
   * Closes what is due. Counted as done for `own`, or for the input that it is due for, which comes
   * back; undefined: nothing was due.
   */
  async advance(
    contextOf: (input: LaneInput) => StepContext,
    own?: LaneInput,
  ): Promise<LaneInput | undefined> {
    let input = own
    this.hasMore = false
    for (;;) {
      const due = await this.#time.next()
      if (due === undefined) return input
      input ??= due.input
      const { segment, partition } = due
      const isEnd = due.ended?.isFinite === true
      const place = { from: segment.from, to: segment.to, partition }
      const context = contextOf(input)
      this.hasMore = await this.#keyed.advance(place, { atMs: due.atMs, isEnd }, context)
      if (this.hasMore) return input
      const hadEnded = due.input.time!.endedToken
      for (const one of this.#time.told(due)) this.#toTell.add(one)
      const isNewEnd = due.ended !== undefined && due.ended.token !== hadEnded
      if (isNewEnd || segment.to < this.#lastStep) this.#hasToTell = true
    }
  }

  /** There is something to commit although nothing was read. */
  get isWorthACommit(): boolean {
    return this.hasMore || this.#hasToTell || this.#keyed.hasChanges
  }

  /** Inputs beside `own` whose checkpoints have something new to say. */
  takeTold(own: LaneInput): readonly LaneInput[] {
    const others = [...this.#toTell].filter((one) => one !== own)
    this.#toTell = new Set()
    this.#hasToTell = false
    return others
  }

  takeChanges(): StateChange[] {
    return this.#keyed.takeChanges()
  }

  committed(): void {
    this.#keyed.committed()
  }

  close(): Promise<void> {
    return this.#keyed.close()
  }
}
