/**
 * How long a process of bench/windows.ts takes from its start to the first messages, with the state of
 * many keys: warm, after kill -9, and with the disk lost. And how much memory it has on the way there.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { BatchBuilder } from '../src/core/batch-builder.ts'
import { murmur2 } from '../src/log/partitioner.ts'
import type { Contestant } from './kafka-process.ts'
import type { WindowsEntry, WindowsTask } from './windows-contestants.ts'
import { type Load, partitions } from './windows-load.ts'
import type { Place } from './windows-place.ts'
import type { WindowsRace } from './windows-race.ts'

/** One start. */
export interface Started {
  readonly how: 'warm' | 'after kill -9' | 'disk lost'
  /** To the first message that can be read of its output. */
  readonly firstMs: number
  /** To the message of the last partition. */
  readonly allMs: number
  readonly cpuSeconds: number
  readonly peakBytes: number
}

export interface RestoreMeasured {
  readonly entries: number
  readonly stateBytes: number
  readonly starts: readonly Started[]
  /** While the state grew, by how many messages had come. */
  readonly memory: readonly { readonly messages: number; readonly residentBytes: number }[]
  readonly fillSeconds: number
}

const pollMs = 10
const limitMs = 300_000
const stallMs = 120_000

export class RestoreBench {
  readonly #race: WindowsRace
  readonly #place: Place
  readonly #load: Load
  #probes = 0

  constructor(race: WindowsRace, place: Place, load: Load) {
    this.#race = race
    this.#place = place
    this.#load = load
  }

  async measure(entry: WindowsEntry, rounds: number): Promise<RestoreMeasured> {
    const task = await this.#race.task(entry)
    const filled = await this.#fill(entry, task)
    // Time goes on to now, so windows close: not in what is measured.
    await this.#start(entry, task, 'warm', 'SIGTERM')
    const entries = entriesIn(task.directory)
    const stateBytes = this.#place.stateBytes(task.directory)
    const starts: Started[] = []
    for (let round = 0; round < rounds; round++) {
      starts.push(await this.#start(entry, task, 'warm', 'SIGKILL'))
      starts.push(await this.#start(entry, task, 'after kill -9', 'SIGTERM'))
      if (entry.log === 'embedded') continue
      rmSync(join(task.directory, 'kafka-state'), { recursive: true })
      starts.push(await this.#start(entry, task, 'disk lost', 'SIGTERM'))
    }
    return { entries, stateBytes, starts, ...filled }
  }

  /** Until all that there is has been worked off. */
  async #fill(
    entry: WindowsEntry,
    task: WindowsTask,
  ): Promise<Pick<RestoreMeasured, 'memory' | 'fillSeconds'>> {
    const contestant = this.#race.start(entry, task)
    const begunAt = performance.now()
    const memory: { messages: number; residentBytes: number }[] = []
    const step = this.#load.messages / 10
    try {
      let changedAt = begunAt
      let [before, seen] = [0, 0]
      while (!contestant.hasEnded) {
        const messages = await this.#written(task)
        if (messages > before) changedAt = performance.now()
        before = messages
        if (messages >= seen + step && !contestant.hasEnded) {
          seen = Math.floor(messages / step) * step
          memory.push({ messages, residentBytes: contestant.residentBytes })
        }
        if (performance.now() > changedAt + stallMs) throw failed('it stands still', contestant)
        await pause(100)
      }
      // On Kafka ends of transactions count as well.
      const done = await this.#written(task)
      if (done < this.#load.messages) throw failed(`it wrote ${done} sums`, contestant)
      return { memory, fillSeconds: (performance.now() - begunAt) / 1000 }
    } finally {
      await contestant.end()
    }
  }

  /** With a message in each partition that waits for it. */
  async #start(
    entry: WindowsEntry,
    task: WindowsTask,
    how: Started['how'],
    end: NodeJS.Signals,
  ): Promise<Started> {
    const before = await this.#place.ends(task.output)
    await this.#probe()
    const contestant = this.#race.start(entry, task, true)
    const begunAt = performance.now()
    let firstMs = Number.NaN
    try {
      for (;;) {
        const ends = await this.#place.ends(task.output)
        const found = ends.filter((end, partition) => end > before[partition]!).length
        const passedMs = performance.now() - begunAt
        if (found > 0 && Number.isNaN(firstMs)) firstMs = passedMs
        if (found === partitions) {
          const { cpuSeconds, peakBytes } = contestant
          return { how, firstMs, allMs: passedMs, cpuSeconds, peakBytes }
        }
        if (contestant.hasEnded) throw failed('it ended', contestant)
        if (passedMs > limitMs) throw failed('nothing came', contestant)
        await pause(pollMs)
      }
    } finally {
      await contestant.end(end)
    }
  }

  async #written({ output }: WindowsTask): Promise<number> {
    return (await this.#place.ends(output)).reduce((sum, end) => sum + end, 0)
  }

  /** One more message in each partition, of cards that were there. */
  async #probe(): Promise<void> {
    // What comes behind a pause is late unless it is of now.
    const timeMs = Date.now()
    const missing = new Set(Array.from({ length: partitions }, (_, partition) => partition))
    for (let number = this.#probes++; missing.size > 0; number++) {
      const card = `card-${String(number % this.#load.keys).padStart(8, '0')}`
      const key = Buffer.from(card)
      const partition = (murmur2(key) & 0x7fffffff) % partitions
      if (!missing.delete(partition)) continue
      const builder = new BatchBuilder(this.#race.input, partition)
      builder.append(key, `{"card":"${card}","amount":1,"terminal":"terminal-1"}`, timeMs)
      await this.#place.append([builder.build()])
    }
  }
}

/** What all databases of state in a directory hold, which nobody has open. */
function entriesIn(directory: string): number {
  const copies = join(directory, 'kafka-state')
  const files = existsSync(copies)
    ? readdirSync(copies, { recursive: true, withFileTypes: true })
        .filter((one) => one.isFile() && one.name.endsWith('.db'))
        .map((one) => join(one.parentPath, one.name))
    : [join(directory, 'log', 'millrace.db')]
  return files.reduce((sum, file) => {
    const database = new DatabaseSync(file, { readOnly: true })
    const count = database.prepare('SELECT count(*) AS count FROM state').get()!.count as number
    database.close()
    return sum + count
  }, 0)
}

const failed = (words: string, { lastWords }: Contestant) =>
  new Error(`${words}; it said:\n${lastWords}`)

const pause = (waitMs: number) => new Promise((resolve) => setTimeout(resolve, waitMs))

const whole = (value: number) => Math.round(value).toLocaleString('en')

/** In Markdown. */
export function restoreReport(
  { what }: WindowsEntry,
  keys: number,
  { entries, stateBytes, starts, memory, fillSeconds }: RestoreMeasured,
): string {
  const lines = [
    `${what}: ${whole(keys)} cards, ${whole(entries)} entries of state, ${whole(stateBytes / 1e6)} MB on disk; made in ${whole(fillSeconds)} s.`,
    '',
    '| start | first message, s | all partitions, s | entries/s | CPU s | memory, MB |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...starts.map(({ how, firstMs, allMs, cpuSeconds, peakBytes }) => {
      const rate = how === 'disk lost' ? whole((1000 * entries) / allMs) : ''
      const seconds = [firstMs, allMs].map((ms) => (ms / 1000).toFixed(2))
      return `| ${how} | ${seconds.join(' | ')} | ${rate} | ${cpuSeconds.toFixed(2)} | ${whole(peakBytes / 1e6)} |`
    }),
    '',
    `Memory after so many messages: ${memory.map((one) => `${whole(one.messages)}: ${whole(one.residentBytes / 1e6)} MB`).join(', ')}`,
  ]
  return lines.join('\n')
}
