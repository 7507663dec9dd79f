/** The steps of a lane that keep state by key, together with the event time that they wait for. */
import type { Membership, StateChange } from '../log/log.ts'
import type { Definition, KeepingStep } from './definition.ts'
import type { LateRows } from './keyed-rows.ts'
import { KeyedStores } from './keyed-stores.ts'
import type { LaneInput } from './lane-input.ts'
import { type Due, LaneTime, type LaneTimeOptions } from './lane-time.ts'
import { PairSteps } from './pair-steps.ts'
import { RowSteps } from './row-steps.ts'
import type { Rows } from './rows.ts'
import type { StepContext } from './step-context.ts'
import { WindowSteps } from './window-steps.ts'

export interface LaneWindowsOptions extends LaneTimeOptions {
  readonly member: Membership
  /** Told while state is brought here; undefined: it is. */
  readonly onProgress?: (words: string | undefined) => void
}

export class LaneWindows {
  readonly #definition: Definition
  readonly #stores: KeyedStores
  readonly #windows: WindowSteps
  readonly #rows: RowSteps
  readonly #pairs: PairSteps
  readonly #time: LaneTime
  #toTell = new Set<LaneInput>()
  #hasToTell = false
  /** A part of what is due was done, and the rest goes with the next commit. */
  hasMore = false

  constructor(options: LaneWindowsOptions) {
    const { definition, log, member, onProgress } = options
    this.#definition = definition
    this.#stores = new KeyedStores({ log, member, pipeline: definition.name, onProgress })
    this.#windows = new WindowSteps(definition, this.#stores)
    this.#rows = new RowSteps(definition, this.#stores)
    this.#pairs = new PairSteps(definition, this.#stores)
    this.#time = new LaneTime(options)
  }

  take(
    step: KeepingStep,
    index: number,
    rows: Rows,
    context: StepContext,
    late: LateRows,
  ): Promise<void> {
    if (step.kind === 'aggregate') return this.#windows.take(step, index, rows, context, late)
    if (step.kind === 'pair') return this.#pairs.take(step, index, rows, context, late)
    return this.#rows.take(step, index, rows, context, late)
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
      this.hasMore = await this.#advanceSegment(due, contextOf(input))
      if (this.hasMore) return input
      const hadEnded = due.input.time!.endedToken
      for (const one of this.#time.told(due)) this.#toTell.add(one)
      const isNewEnd = due.ended !== undefined && due.ended.token !== hadEnded
      const isLast = due.segment.to === this.#definition.steps.length
      if (isNewEnd || !isLast) this.#hasToTell = true
    }
  }

  /** True: there is more. */
  async #advanceSegment(
    { segment, partition, atMs, ended }: Due,
    context: StepContext,
  ): Promise<boolean> {
    let hasMore = false
    let watermarkMs = atMs
    for (let index = segment.from; index < segment.to; index++) {
      const step = this.#definition.steps[index]!
      if (step.kind !== 'keyed' && step.kind !== 'aggregate' && step.kind !== 'pair') continue
      const time = { atMs: watermarkMs, isEnd: ended?.isFinite === true && !hasMore }
      const place = { index, partition }
      const done =
        step.kind === 'aggregate'
          ? await this.#windows.advance({ step, ...place }, time, context)
          : step.kind === 'pair'
            ? await this.#pairs.advance({ step, ...place }, time, context)
            : await this.#rows.advance({ step, ...place }, time, context)
      if (done.hasMore) hasMore = true
      watermarkMs = done.outMs
    }
    return hasMore
  }

  /** There is something to commit although nothing was read. */
  get isWorthACommit(): boolean {
    return this.hasMore || this.#hasToTell || this.#stores.hasChanges
  }

  /** Inputs beside `own` whose checkpoints have something new to say. */
  takeTold(own: LaneInput): readonly LaneInput[] {
    const others = [...this.#toTell].filter((one) => one !== own)
    this.#toTell = new Set()
    this.#hasToTell = false
    return others
  }

  takeChanges(): StateChange[] {
    return this.#stores.takeChanges()
  }

  committed(): void {
    this.#stores.committed()
  }

  close(): Promise<void> {
    return this.#stores.close()
  }
}
