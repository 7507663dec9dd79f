/**
 * What a process tells of itself once a second, as messages of the topic `millrace.figures`: so the
 * page of any process on the same log shows all of them. Counters of messages are not among it: they
 * are in the checkpoints of the groups, which survive every end of a process.
 */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { BatchBuilder } from '../core/batch-builder.ts'
import type { Clock } from '../core/clock.ts'
import { codeOf, messageOf } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import type { MeasuredFigures } from './meter.ts'

export const figuresTopic = 'millrace.figures'

const counts = z.record(z.string(), z.number())

const pipelineFigures = z.object({
  latency: z.object({ sumMs: z.number(), buckets: z.array(z.number()) }),
  busySeconds: counts,
  labels: z.record(z.string(), counts),
  lookups: z
    .record(z.string(), z.object({ hits: z.number(), misses: z.number(), entries: z.number() }))
    .optional(),
  standby: z.object({ copies: z.number(), lag: z.number() }).optional(),
  /** What somebody waits for: a full disk, a busy sink. */
  waiting: z.array(z.string()),
})

const processFigures = z.object({
  v: z.literal(1),
  /** New with each start. */
  id: z.string(),
  pid: z.number(),
  startedAtMs: z.number(),
  atMs: z.number(),
  memoryBytes: z.number(),
  /** The process ends in order, and tells no more. */
  ended: z.boolean().optional(),
  /** Cumulative since the process started, by pipeline. */
  pipelines: z.record(z.string(), pipelineFigures),
  /** Of the application's summaries, numbers only. */
  figures: counts,
  /** In some of the messages: what runs. */
  app: z
    .object({
      about: z.string().nullable(),
      /** Plans of the pipelines as plain data, writers before readers. */
      plans: z.array(z.looseObject({ name: z.string() })),
    })
    .optional(),
})

export interface PipelineFigures extends MeasuredFigures {
  readonly waiting: readonly string[]
}

type Parsed = z.infer<typeof processFigures>
export type AppFigures = NonNullable<Parsed['app']>
export interface ProcessFigures extends Readonly<Omit<Parsed, 'pipelines'>> {
  readonly pipelines: Readonly<Record<string, PipelineFigures>>
}

/** What `figuresTopic` is made with. */
export const figuresSettings = {
  partitions: 1,
  cleanup: 'delete',
  retentionBytes: 32 * 1024 * 1024,
} as const

/** What changes from one telling to the next. */
export type Told = Pick<ProcessFigures, 'pipelines' | 'figures'>

export interface TellerOptions {
  readonly log: Log
  readonly clock: Clock
  readonly app: AppFigures
  /** Told once when the figures cannot be written; the run goes on without them. */
  problem(words: string): void
}

/** The application is told anew in every so many messages, so that a short tail has it. */
const appEvery = 60

/** Tells the figures of this process. What goes wrong with that never stops what it tells of. */
export class FiguresTeller {
  readonly #options: TellerOptions
  readonly #id = randomUUID()
  readonly #startedAtMs: number
  #pending: Promise<void> | undefined
  #told = 0
  #hasTopic = false
  #hasProblem = false

  constructor(options: TellerOptions) {
    this.#options = options
    this.#startedAtMs = options.clock.now()
  }

  /** Writes one message; nothing where the last one is still being written. */
  tell(figures: Told): Promise<void> {
    this.#pending ??= this.#write(figures, false).finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  /** The last message, with which the process is known to have ended. */
  async end(figures: Told): Promise<void> {
    await this.#pending
    await this.#write(figures, true)
  }

  async #write({ pipelines, figures }: Told, ended: boolean): Promise<void> {
    const { log, clock, app } = this.#options
    const record: ProcessFigures = {
      ...{ v: 1, id: this.#id, pid: process.pid, startedAtMs: this.#startedAtMs },
      atMs: clock.now(),
      memoryBytes: process.memoryUsage.rss(),
      ...(ended ? { ended } : {}),
      pipelines,
      figures,
      ...(ended || this.#told % appEvery === 0 ? { app } : {}),
    }
    try {
      await this.#ensureTopic()
      const builder = new BatchBuilder(figuresTopic, 0)
      builder.append(this.#id, JSON.stringify(record), record.atMs)
      const output = { topic: figuresTopic, partition: 0, batch: builder.build() }
      await log.commit({ outputs: [output] })
      this.#told++
    } catch (error) {
      if (codeOf(error) === 'TOPIC_UNKNOWN') this.#hasTopic = false
      if (!this.#hasProblem) this.#options.problem(`figures are not told: ${messageOf(error)}`)
      this.#hasProblem = true
    }
  }

  async #ensureTopic(): Promise<void> {
    if (this.#hasTopic) return
    const { log } = this.#options
    try {
      if ((await log.topic(figuresTopic)) === undefined) {
        await log.createTopic(figuresTopic, figuresSettings)
      }
    } catch (error) {
      // Another process was first.
      if (codeOf(error) !== 'TOPIC_EXISTS') throw error
    }
    this.#hasTopic = true
  }
}

export interface FiguresReaderOptions {
  readonly log: Log
  /** Only messages from this time on are read first, but at least `tailMessages` of them. */
  readonly sinceMs: number
  readonly tailMessages: number
}

/** Follows what processes tell, from a tail on. */
export class FiguresReader {
  readonly #options: FiguresReaderOptions
  #identity = ''
  #offset = 0

  constructor(options: FiguresReaderOptions) {
    this.#options = options
  }

  /** What came since the last call, in order; what is no figures of this version is passed over. */
  async read(maxBytes = 8 * 1024 * 1024): Promise<ProcessFigures[]> {
    const { log } = this.#options
    const topic = await log.topic(figuresTopic)
    if (topic === undefined) return []
    if (topic.identity !== this.#identity) {
      this.#identity = topic.identity
      this.#offset = await this.#tailOffset()
    }
    const batches: ProcessFigures[] = []
    for (let bytes = 0; bytes < maxBytes; ) {
      const batch = await log.read(figuresTopic, 0, this.#offset)
      if (batch === undefined) break
      this.#offset = batch.nextOffset
      bytes += batch.bytes.length
      for (let index = 0; index < batch.count; index++) {
        const start = batch.valueStarts[index]!
        if (start < 0) continue
        const told = parsed(batch.bytes.toString('utf8', start, batch.valueEnds[index]!))
        if (told !== undefined) batches.push(told)
      }
    }
    return batches
  }

  async #tailOffset(): Promise<number> {
    const { log, sinceMs, tailMessages } = this.#options
    const { start, end } = await log.offsets(figuresTopic, 0)
    const byTime = await log.offsetAtTime(figuresTopic, 0, sinceMs)
    return Math.max(start, Math.min(byTime, end - tailMessages))
  }
}

function parsed(text: string): ProcessFigures | undefined {
  try {
    return processFigures.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
