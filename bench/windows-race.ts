/** One contestant of bench/windows.ts after the other on the same messages, and whether they did it right. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Contestant } from './kafka-process.ts'
import { type Throughput, throughput } from './kafka-watch.ts'
import type { WindowsEntry, WindowsTask } from './windows-contestants.ts'
import { batchesOf, type Load, minuteMs, minutesOf, partitions } from './windows-load.ts'
import type { Place } from './windows-place.ts'

export interface WindowsMeasured {
  readonly throughput: Throughput
  readonly stateBytes: number
}

/** The windows that end so shortly before the last message need not be closed. */
const openMs = 2 * minuteMs

export class WindowsRace {
  readonly #place: Place
  readonly #directory: string
  readonly #load: Load
  /** So that a cluster that is not ours is left as it was, and two runs do not meet. */
  readonly #run = `bench-${process.pid}-${Date.now().toString(36)}`
  #round = 0

  constructor(place: Place, directory: string, load: Load) {
    this.#place = place
    this.#directory = directory
    this.#load = load
  }

  get input(): string {
    return `${this.#run}.payments`
  }

  /** The input of all that is to come. */
  async fill(): Promise<void> {
    await this.#place.make(this.input)
    await this.#place.append(batchesOf(this.#load, this.input))
  }

  /** Names for a contestant that nobody had before. On the embedded log all share its directory. */
  async task(entry: WindowsEntry): Promise<WindowsTask> {
    const group = `${this.#run}.${this.#round++}-${entry.name}`
    const { bootstrapServers } = this.#place
    const isShared = bootstrapServers === undefined
    const directory = isShared ? this.#directory : join(this.#directory, group)
    mkdirSync(directory, { recursive: true })
    const [output, counts] = [`${group}.spent`, `${group}.counts`]
    await this.#place.make(output)
    await this.#place.make(counts)
    return { bootstrapServers, input: this.input, output, counts, group, directory }
  }

  start(entry: WindowsEntry, task: WindowsTask, steady = false): Contestant {
    const { command, args, environment } = entry.start(task, steady)
    return new Contestant(command, args, environment)
  }

  async measure(entry: WindowsEntry, limitMs: number): Promise<WindowsMeasured> {
    const task = await this.task(entry)
    let contestant: Contestant | undefined
    try {
      contestant = this.start(entry, task)
      const measured = await throughput(
        ...([() => this.#place.ends(task.output), contestant] as const),
        ...([this.#load.messages, limitMs, () => this.#place.brokerCpu()] as const),
      )
      await contestant.end()
      if (measured.isWhole) await this.#check(entry, task)
      const stateBytes = this.#place.stateBytes(task.directory)
      return { throughput: measured, stateBytes }
    } finally {
      await contestant?.end()
      await this.#place.remove(task.group)
      if (task.directory !== this.#directory) rmSync(task.directory, { recursive: true })
    }
  }

  /** What was made is removed again. */
  async close(): Promise<void> {
    await this.#place.remove(this.#run)
  }

  async #check({ isExactlyOnce }: WindowsEntry, { output, counts }: WindowsTask): Promise<void> {
    const { messages, startMs } = this.#load
    let written = 0
    await this.#each(output, () => written++)
    if (isExactlyOnce ? written !== messages : written < messages) {
      throw new Error(`it wrote ${written} sums, not ${messages}`)
    }
    // Bytewax, which is none of them, closes windows by the clock on the wall.
    if (!isExactlyOnce) return
    const found = new Map<number, number>()
    await this.#each(counts, (text) => {
      const { start, payments } = JSON.parse(text) as { start: string; payments: number }
      const atMs = Date.parse(start)
      found.set(atMs, (found.get(atMs) ?? 0) + payments)
    })
    for (const [atMs, count] of minutesOf(this.#load)) {
      if (atMs + minuteMs > startMs + messages - openMs) continue
      const counted = found.get(atMs) ?? 0
      if (counted === count) continue
      throw new Error(`it counted ${counted} in ${new Date(atMs).toISOString()}, not ${count}`)
    }
  }

  async #each(topic: string, take: (value: string) => void): Promise<void> {
    for (let partition = 0; partition < partitions; partition++) {
      for (let offset = 0; ; ) {
        const batch = await this.#place.read(topic, partition, offset)
        if (batch === undefined) break
        for (let index = 0; index < batch.count; index++) {
          take(batch.bytes.toString('utf8', batch.valueStarts[index]!, batch.valueEnds[index]!))
        }
        offset = batch.nextOffset
      }
    }
  }
}
