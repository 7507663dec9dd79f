/** The processes that run the application on one cluster, kept at their number while faults go on. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaCluster } from '../../scripts/services/kafka.ts'
import type { Random } from '../../src/core/random.ts'
import { openKafkaLog } from '../../src/log/kafka.ts'
import type { Log } from '../../src/log/log.ts'
import type { CrashPoint } from '../../src/pipeline/run-testing.ts'
import { Life } from './life.ts'

export interface WorldOptions {
  readonly cluster: KafkaCluster
  /** Begins the names of topics and groups. */
  readonly run: string
  readonly orders: number
  readonly ratePerSecond: number | 'max'
  readonly processes: number
  readonly workers: number
}

const pipelines = ['ingest-orders', 'ingest-truths', 'score', 'match']
const pollMs = 100

export class World {
  readonly options: WorldOptions
  readonly directory: string
  readonly lives: Life[] = []
  /** Processes that ended badly although nobody harmed them. */
  readonly failed: Life[] = []
  #log: Log | undefined
  #isOpen = true
  #crash: CrashPoint | undefined
  #crashing: Life | undefined

  constructor(options: WorldOptions) {
    this.options = options
    this.directory = mkdtempSync(path.join(tmpdir(), 'millrace-faults-'))
    mkdirSync(path.join(this.directory, 'state'))
  }

  get running(): readonly Life[] {
    return this.lives.filter((life) => life.isRunning && !life.isDoomed)
  }

  /** All messages are worked on: a process ended by itself, well. */
  get isDone(): boolean {
    return this.lives.some((life) => !life.isDoomed && life.ending?.code === 0)
  }

  get isBroken(): boolean {
    return this.failed.length > 0
  }

  /** A process that runs; undefined: there is none. */
  pick(random: Random): Life | undefined {
    const { running } = this
    return running[Math.floor(random() * running.length)]
  }

  /** Starts what is missing, for as long as there is work. */
  async keepAlive(): Promise<void> {
    while (this.#isOpen) {
      this.#notice()
      if (this.isDone || this.isBroken) return
      if (this.running.length < this.options.processes) this.start()
      await sleep(pollMs)
    }
  }

  start(): Life {
    const { cluster, run, orders, workers, ratePerSecond } = this.options
    const crash = this.#crash
    this.#crash = undefined
    const life = new Life({
      ...{ number: this.lives.length + 1, workers, ratePerSecond, crash },
      environment: {
        MILLRACE_ENV: 'kafka',
        KAFKA_BOOTSTRAP_SERVERS: cluster.bootstrapServers,
        MILLRACE_DIR: path.join(this.directory, 'state'),
        NODE_COMPILE_CACHE: path.join(tmpdir(), 'millrace-faults-compiled'),
        FAULT_RUN: run,
        FAULT_ORDERS: String(orders),
      },
    })
    if (crash !== undefined) this.#crashing = life
    this.lives.push(life)
    return life
  }

  /** The next process that starts kills itself there. Resolves with it, once it runs. */
  async startCrashing(crash: CrashPoint): Promise<Life> {
    this.#crash = crash
    this.#crashing = undefined
    while (this.#crashing === undefined) {
      if (this.isDone || this.isBroken) throw new Error('the run ended')
      await sleep(pollMs)
    }
    const life: Life = this.#crashing
    life.isDoomed = true
    return life
  }

  /** Where all groups stand, by `group topic/partition`. */
  async positions(): Promise<Map<string, number>> {
    const log = await this.#handle()
    const found = new Map<string, number>()
    for (const name of pipelines) {
      const group = await log.group(`${this.options.run}-${name}`)
      for (const { topic, partition, offset } of group?.checkpoints ?? []) {
        found.set(`${name} ${topic}/${partition}`, offset)
      }
    }
    return found
  }

  /** By `group topic/partition`, what has to be reached for all that is written now. */
  async goals(): Promise<Map<string, number>> {
    const log = await this.#handle()
    const goals = new Map<string, number>()
    const reads = { score: ['orders'], match: ['scored', 'truths'] }
    for (const [name, topics] of Object.entries(reads)) {
      for (const short of topics) {
        const topic = `${this.options.run}-${short}`
        const partitions = (await log.topic(topic))?.partitions ?? 0
        for (let partition = 0; partition < partitions; partition++) {
          const { end } = await log.offsets(topic, partition)
          if (end > 0) goals.set(`${name} ${topic}/${partition}`, end)
        }
      }
    }
    return goals
  }

  /** Resolves once every pipeline has committed something. False: the time is over, or it broke. */
  async begun(limitMs: number): Promise<boolean> {
    const untilMs = Date.now() + limitMs
    while (
      Date.now() < untilMs &&
      !this.isBroken &&
      this.lives.every((life) => !life.ending?.code)
    ) {
      const names = [...(await this.positions())].map(([place]) => place)
      if (pipelines.every((name) => names.some((place) => place.startsWith(`${name} `))))
        return true
      await sleep(pollMs)
    }
    return false
  }

  /** How long it takes from now until all that is there now is worked on. Undefined: too long. */
  async recoveryMs(limitMs: number): Promise<number | undefined> {
    const startMs = Date.now()
    const goals = await this.goals()
    for (;;) {
      const positions = await this.positions()
      const isThere = [...goals].every(([place, end]) => (positions.get(place) ?? 0) >= end)
      if (isThere || this.isDone) return Date.now() - startMs
      if (this.isBroken || Date.now() - startMs > limitMs) return undefined
      await sleep(pollMs)
    }
  }

  /** Lets the processes end by themselves. True: they did, in time. */
  async finish(limitMs: number): Promise<boolean> {
    const untilMs = Date.now() + limitMs
    while (!this.isDone && !this.isBroken && Date.now() < untilMs) await sleep(pollMs)
    const ends = this.running.map((life) => life.within(Math.max(0, untilMs - Date.now())))
    const areOver = await Promise.all(ends)
    this.#notice()
    return this.isDone && areOver.every((isOver) => isOver)
  }

  /** What processes said is kept where `keep` says so. */
  async close(keep: boolean): Promise<void> {
    this.#isOpen = false
    for (const life of this.lives) if (life.isRunning) await life.kill()
    for (const life of this.lives) if (keep) life.keep(this.directory)
    await this.#log?.close()
    if (!keep) rmSync(this.directory, { recursive: true, force: true })
  }

  #notice(): void {
    for (const life of this.lives) {
      const { ending, isDoomed } = life
      if (isDoomed || ending === undefined || ending.code === 0) continue
      if (!this.failed.includes(life)) this.failed.push(life)
    }
  }

  async #handle(): Promise<Log> {
    const brokers = this.options.cluster.bootstrapServers.split(',')
    this.#log ??= await openKafkaLog({ connection: { brokers, clientId: 'faults' } })
    return this.#log
  }
}
