/**
 * Whose turn it is among the inputs of a lane. What is read in the order of event time has one turn
 * together. Tables that are read first go first: nothing is looked up in one before it was read to where
 * it ended when the lane began, and what it has to say then is heard before the rest.
 */
import { tablesReadFirst } from './inputs.ts'
import type { LaneInput } from './lane-input.ts'
import { LaneOrder, type LaneOrderOptions, type Taken } from './lane-order.ts'
import { OriginsRead, type OriginsReadOptions } from './origins-read.ts'
import { type PartedInput, partedInput } from './parted-input.ts'
import { topicsInOrder } from './segments.ts'

export interface LaneTurnsOptions extends OriginsReadOptions {
  readonly inputs: readonly LaneInput[]
  readonly retry: LaneOrderOptions['retry']
}

/** One input, or several that are read in order. */
interface Reader {
  take(): Promise<Taken | undefined>
}

export class LaneTurns {
  /** Those of the options, some of them such as are taken in parts; the lane works with these. */
  readonly inputs: readonly LaneInput[]
  readonly #options: LaneTurnsOptions
  readonly #tables: readonly LaneInput[]
  readonly #first: readonly Reader[]
  readonly #others: readonly Reader[]
  /** Tables that were not read so far yet, and how far that is; undefined: nobody asked. */
  #behind: readonly { readonly input: LaneInput; readonly end: number }[] | undefined
  #next = 0
  /** Undefined: there are none, or what they had is behind them. */
  #origins: OriginsRead | undefined

  constructor(options: LaneTurnsOptions) {
    this.#options = options
    const { definition } = options
    this.#origins = OriginsRead.of(options)
    const tables = tablesReadFirst(definition)
    const isFirst = ({ topic, isReplay }: LaneInput) => !isReplay && tables.includes(topic)
    this.#tables = options.inputs.filter(isFirst)
    this.#first = this.#tables.map((input) => this.#readerOf(input))
    const groups = groupsOf(options)
    const parted = new Map(groups.flatMap((group) => [...group]))
    this.inputs = options.inputs.map((input) => parted.get(input) ?? input)
    const alone = options.inputs.filter((input) => !isFirst(input) && !parted.has(input))
    const { log, retry } = options
    const { maxWaitMs } = definition.settings
    this.#others = [
      ...alone.map((input) => this.#readerOf(input)),
      ...groups.map((group) => {
        return new LaneOrder({ log, retry, maxWaitMs, inputs: [...group.values()] })
      }),
    ]
  }

  /** The next to be worked on. Undefined: there is nothing now. */
  async take(): Promise<Taken | undefined> {
    const isRead = this.#tables.length === 0 || (await this.#areTablesRead())
    for (const table of this.#first) {
      const taken = await table.take()
      if (taken !== undefined) return taken
    }
    if (!isRead) return undefined
    const count = this.#others.length
    for (let tries = 0; tries < count; tries++) {
      const reader = this.#others[this.#next]!
      this.#next = (this.#next + 1) % count
      const taken = await reader.take()
      if (taken !== undefined) return taken
    }
    return undefined
  }

  #readerOf(input: LaneInput): Reader {
    const { retry } = this.#options
    const what = `read ${input.topic}`
    return {
      async take() {
        const read = await retry(what, () => input.read())
        return read === undefined ? undefined : { input, read, wasHere: false }
      },
    }
  }

  async #areTablesRead(): Promise<boolean> {
    const { log, retry } = this.#options
    this.#behind ??= await Promise.all(
      this.#tables.map(async (input) => {
        const { topic, partition } = input
        const { end } = await retry('tables', () => log.offsets(topic, partition))
        return { input, end }
      }),
    )
    if (this.#behind.length > 0) {
      this.#behind = this.#behind.filter(({ input, end }) => input.offset() < end)
    }
    if (this.#behind.length > 0) return false
    if (this.#origins === undefined) return true
    const origins = this.#origins
    if (!(await retry('origins', () => origins.check()))) return false
    // All that they had is in the pipeline's own topics now: that is read too.
    this.#origins = undefined
    this.#behind = undefined
    return this.#areTablesRead()
  }
}

/** Inputs that are read in order, by what they are made of: those of a partition and segment together. */
function groupsOf({ definition, inputs, clock }: LaneTurnsOptions): Map<LaneInput, PartedInput>[] {
  const { settings } = definition
  return topicsInOrder(definition).flatMap((topics) => {
    const here = topics.flatMap((name) => {
      return inputs.filter(({ topic, isReplay }) => !isReplay && topic === name)
    })
    const groups = Map.groupBy(here, ({ partition }) => partition)
    return [...groups.values()]
      .filter((group) => group.length > 1)
      .map((group) => new Map(group.map((one) => [one, partedInput(one, { settings, clock })])))
  })
}
