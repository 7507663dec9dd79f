/**
 * Boards on the log: what an application's panels show is told as messages of the compacted topic
 * `millrace.panels`, by application, so that the page of any process on the same log shows it.
 */
import { z } from 'zod'
import { BatchBuilder } from '../core/batch-builder.ts'
import { codeOf, messageOf } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import type { Board, Section } from './panel-view.ts'

export const boardsTopic = 'millrace.panels'

const told = z.object({
  v: z.literal(1),
  app: z.string(),
  atMs: z.number(),
  sections: z.array(
    z.object({
      title: z.string(),
      panels: z.array(z.looseObject({ kind: z.string(), title: z.string() })),
    }),
  ),
})

export interface BoardTellerOptions {
  readonly log: Log
  /** The same for each start of the application. */
  readonly key: string
  /** As people know it. */
  readonly app: string
  /** Told once when the board cannot be written; the run goes on without it. */
  problem(words: string): void
}

/** What does not change is told so often all the same: who is silent longer does not run. */
const againMs = 20_000

/** Tells what one application's panels show. What goes wrong with that never stops the run. */
export class BoardTeller {
  readonly #options: BoardTellerOptions
  #last: string | undefined
  #lastMs = 0
  #pending: Promise<void> | undefined
  #hasProblem = false

  constructor(options: BoardTellerOptions) {
    this.#options = options
  }

  /** Writes what is shown now, where that is other than the last time or that is long ago. */
  tell(sections: readonly Section[], atMs: number): Promise<void> {
    this.#pending ??= this.#write(sections, atMs).finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  /** The last telling: it waits for one that is under way. */
  async end(sections: readonly Section[], atMs: number): Promise<void> {
    await this.#pending
    await this.tell(sections, atMs)
  }

  async #write(sections: readonly Section[], atMs: number): Promise<void> {
    const shown = JSON.stringify(sections)
    // Who shows nothing has nobody who would miss it.
    const isOwed = sections.length > 0 && atMs - this.#lastMs >= againMs
    if (shown === this.#last && !isOwed) return
    const { log, problem } = this.#options
    try {
      const exists = (await log.topic(boardsTopic)) !== undefined
      if (!exists && sections.length > 0) await createTopic(log)
      // Without panels there is nothing to take back where nothing was ever told.
      if (exists || sections.length > 0) await this.#append(sections, shown, atMs)
      this.#last = shown
      this.#lastMs = atMs
    } catch (error) {
      if (!this.#hasProblem) problem(`panels are not told: ${messageOf(error)}`)
      this.#hasProblem = true
    }
  }

  async #append(sections: readonly Section[], shown: string, atMs: number): Promise<void> {
    const { log, key, app } = this.#options
    const builder = new BatchBuilder(boardsTopic, 0)
    const head = JSON.stringify({ v: 1, app, atMs })
    const value = sections.length === 0 ? null : `${head.slice(0, -1)},"sections":${shown}}`
    builder.append(key, value, atMs)
    const output = { topic: boardsTopic, partition: 0, batch: builder.build() }
    await log.commit({ outputs: [output] })
  }
}

async function createTopic(log: Log): Promise<void> {
  try {
    await log.createTopic(boardsTopic, { partitions: 1, cleanup: 'compact' })
  } catch (error) {
    // Another process was first.
    if (codeOf(error) !== 'TOPIC_EXISTS') throw error
  }
}

/** Follows what applications tell. */
export class BoardReader {
  readonly #log: Log
  readonly #byKey = new Map<string, Board>()
  #boards: readonly Board[] = []
  #identity = ''
  #offset = 0

  constructor(log: Log) {
    this.#log = log
  }

  /** Reads what came since the last call. */
  async read(): Promise<void> {
    const topic = await this.#log.topic(boardsTopic)
    if (topic === undefined) return
    if (topic.identity !== this.#identity) {
      this.#identity = topic.identity
      this.#byKey.clear()
      this.#offset = (await this.#log.offsets(boardsTopic, 0)).start
    }
    let hasChanged = false
    for (;;) {
      const batch = await this.#log.read(boardsTopic, 0, this.#offset)
      if (batch === undefined) break
      this.#offset = batch.nextOffset
      hasChanged = true
      for (let index = 0; index < batch.count; index++) {
        const { bytes, keyStarts, keyEnds, valueStarts, valueEnds } = batch
        const key = bytes.toString('utf8', Math.max(0, keyStarts[index]!), keyEnds[index]!)
        const start = valueStarts[index]!
        const text = start < 0 ? undefined : bytes.toString('utf8', start, valueEnds[index]!)
        this.#take(key, text)
      }
    }
    if (hasChanged) this.#boards = [...this.#byKey.values()].sort((a, b) => b.atMs - a.atMs)
  }

  /** The one told last stands first; the same list until something changes. */
  get boards(): readonly Board[] {
    return this.#boards
  }

  /** What is no board of this version is passed over: a newer Millrace may have written it. */
  #take(key: string, text: string | undefined): void {
    const board = text === undefined ? undefined : parsed(text)
    if (board !== undefined) this.#byKey.set(key, board)
    else if (text === undefined) this.#byKey.delete(key)
  }
}

function parsed(text: string): Board | undefined {
  try {
    const found = told.safeParse(JSON.parse(text)).data
    if (found === undefined) return undefined
    const { app, atMs, sections } = found
    return { app, atMs, sections: sections as unknown as readonly Section[] }
  } catch {
    return undefined
  }
}
