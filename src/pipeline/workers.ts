/** The worker threads of a run, seen from the main thread. */
import { Worker } from 'node:worker_threads'
import { type ErrorCode, fail } from '../core/errors.ts'
import type { PipelineFigures } from '../monitoring/figures.ts'
import { type MeasuredFigures, sumFigures } from '../monitoring/meter.ts'
import type { LaneProgress } from './lane.ts'
import type { Ended } from './upstream-time.ts'
import type { FromWorker, ToWorker, WorkerData } from './worker-messages.ts'

interface Running {
  readonly thread: Worker
  readonly ended: Promise<void>
  /** Undefined until it is first told. */
  progress: { readonly [pipeline: string]: LaneProgress } | undefined
  figures: { readonly [pipeline: string]: MeasuredFigures }
}

export class Workers {
  readonly #running: Running[] = []
  readonly #failed = new AbortController()
  #failure: unknown
  #toldEnded = '{}'

  constructor(data: Omit<WorkerData, 'worker'>, count: number) {
    for (let worker = 0; worker < count; worker++) this.#start({ ...data, worker })
  }

  /** Aborts when a worker fails; `throwFailure` says why. */
  get failed(): AbortSignal {
    return this.#failed.signal
  }

  throwFailure(): void {
    if (this.#failed.signal.aborted) throw this.#failure
  }

  progress(): { messages: number; deadLetters: number; waiting: string[] } {
    const lanes = this.#running.flatMap(({ progress }) => Object.values(progress ?? {}))
    return {
      messages: lanes.reduce((sum, lane) => sum + lane.messages, 0),
      deadLetters: lanes.reduce((sum, lane) => sum + lane.deadLetters, 0),
      waiting: lanes.flatMap((lane) => (lane.waiting === undefined ? [] : [lane.waiting])),
    }
  }

  /** By pipeline, what its workers measured and wait for. */
  figures(): Record<string, PipelineFigures> {
    const names = new Set(this.#running.flatMap(({ progress }) => Object.keys(progress ?? {})))
    const entries = [...names].map((name) => {
      const measured = this.#running.flatMap(({ figures }) => figures[name] ?? [])
      const waiting = this.#running.flatMap(({ progress }) => progress?.[name]?.waiting ?? [])
      return [name, { ...sumFigures(measured), waiting: [...new Set(waiting)] }] as const
    })
    return Object.fromEntries(entries)
  }

  /** True once every pipeline has joined its group; a worker may have none. */
  haveJoined(): boolean {
    return this.#running.every(
      ({ progress }) =>
        progress !== undefined && Object.values(progress).every((lane) => lane.isSettled),
    )
  }

  /** True once every pipeline has joined its group and no source of this run has more to give. */
  sourcesEnded(): boolean {
    const lanes = this.#running.flatMap(({ progress }) => Object.values(progress ?? {}))
    return this.haveJoined() && lanes.every((lane) => lane.openSources === 0)
  }

  /** Tells the workers of which pipelines all inputs were read to their end, where that has changed. */
  tellEnded(ended: ReadonlyMap<string, Ended>): void {
    const pipelines = Object.fromEntries(ended)
    const told = JSON.stringify(pipelines)
    if (told === this.#toldEnded) return
    this.#toldEnded = told
    for (const { thread } of this.#running) {
      thread.postMessage({ kind: 'ended', pipelines } satisfies ToWorker)
    }
  }

  /** Every worker commits what it has under way and ends. Throws when one failed before or meanwhile. */
  async drain(): Promise<void> {
    for (const { thread } of this.#running) thread.postMessage({ kind: 'drain' } satisfies ToWorker)
    await Promise.all(this.#running.map(({ ended }) => ended))
    this.throwFailure()
  }

  #start(data: WorkerData): void {
    // Source runs as it is, the packed files are JavaScript: the neighbour has the same ending.
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const thread = new Worker(new URL(`./worker-thread.${ending}`, import.meta.url), {
      workerData: data,
    })
    let isDone = false
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()))
    const running: Running = { thread, ended, progress: undefined, figures: {} }
    thread.on('message', (message: FromWorker) => {
      if (message.kind === 'progress') running.progress = message.pipelines
      if (message.kind === 'figures') running.figures = message.pipelines
      if (message.kind === 'drained' || message.kind === 'failed') isDone = true
      if (message.kind === 'failed') this.#fail(revive(message))
    })
    thread.on('error', (error) => this.#fail(error))
    thread.once('exit', (code) => {
      if (!isDone) this.#fail(new Error(`worker ${data.worker} ended with code ${code}`))
    })
    this.#running.push(running)
  }

  #fail(error: unknown): void {
    if (this.#failed.signal.aborted) return
    this.#failure = error
    this.#failed.abort()
  }
}

/** The error as it was thrown in the worker, its code and stack included. */
function revive(message: FromWorker & { kind: 'failed' }): Error {
  const error =
    message.code === undefined
      ? new Error(message.message)
      : fail(message.code as ErrorCode, message.message)
  if (message.stack !== undefined) error.stack = message.stack
  return error
}
