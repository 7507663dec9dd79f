/** The processes that run the application on one cluster, kept at their number while faults go on. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes,
  incrementalAlterConfigsV1,
} from '@platformatic/kafka'
import type { KafkaCluster } from '../../scripts/services/kafka.ts'
import type { Random } from '../../src/core/random.ts'
import { openKafkaLog } from '../../src/log/kafka.ts'
import { KafkaClient } from '../../src/log/kafka-client.ts'
import type { Log } from '../../src/log/log.ts'
import type { CrashPoint } from '../../src/pipeline/run-testing.ts'
import { Life } from './life.ts'
import { whileMoving } from './moving.ts'
import type { Network } from './proxy.ts'

export interface WorldOptions {
  readonly cluster: KafkaCluster
  /** The way of the processes to the brokers; this process goes straight to them. */
  readonly network: Network
  /** Begins the names of topics and groups. */
  readonly run: string
  readonly orders: number
  readonly ratePerSecond: number | 'max'
  readonly processes: number
  readonly workers: number
}

/** As the application names them, without the name of the run. */
export const pipelines = ['ingest-orders', 'ingest-truths', 'score', 'match']
const pollMs = 100
const drainMs = 30_000

export class World {
  readonly options: WorldOptions
  readonly directory: string
  readonly lives: Life[] = []
  /** Processes that ended badly although nobody harmed them. */
  readonly failed: Life[] = []
  #log: Log | undefined
  #keeping: Promise<void> | undefined
  #isOpen = true
  #ratePerSecond: number | 'max'

  constructor(options: WorldOptions) {
    this.options = options
    this.#ratePerSecond = options.ratePerSecond
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

  /** There is nobody any more to whom something could be done. */
  get isOver(): boolean {
    return this.isDone || this.isBroken
  }

  /** A process that runs; undefined: there is none. */
  pick(random: Random): Life | undefined {
    const { running } = this
    return running[Math.floor(random() * running.length)]
  }

  /** Starts what is missing, for as long as there is work. */
  keepAlive(): Promise<void> {
    this.#keeping ??= this.#keepAlive()
    return this.#keeping
  }

  async #keepAlive(): Promise<void> {
    while (this.#isOpen) {
      this.#notice()
      if (this.isOver) return
      if (this.running.length < this.options.processes) this.start()
      await sleep(pollMs)
    }
  }

  start(crash?: CrashPoint): Life {
    const { network, run, orders, workers } = this.options
    const view = this.#quietestView()
    const life = new Life({
      ...{ number: this.lives.length + 1, view, workers, crash },
      ratePerSecond: this.#ratePerSecond,
      environment: {
        MILLRACE_ENV: 'kafka',
        KAFKA_BOOTSTRAP_SERVERS: network.bootstrapServers(view),
        MILLRACE_DIR: path.join(this.directory, 'state'),
        NODE_COMPILE_CACHE: path.join(tmpdir(), 'millrace-faults-compiled'),
        KAFKA_CREATE_TOPICS: 'true',
        FAULT_RUN: run,
        FAULT_ORDERS: String(orders),
      },
    })
    this.lives.push(life)
    return life
  }

  /** One more than usual, which kills itself there. */
  startCrashing(crash: CrashPoint): Life {
    const life = this.start(crash)
    life.isDoomed = true
    return life
  }

  /** A setting of one of the application's topics, at once: where machines are busy a tool takes long to start. */
  async configure(shortTopic: string, setting: string, value: string): Promise<void> {
    const { cluster, run } = this.options
    const brokers = cluster.bootstrapServers.split(',')
    const client = new KafkaClient({ brokers, clientId: 'faults' })
    const { SET } = IncrementalAlterConfigOperationTypes
    const configs = [{ name: setting, configOperation: SET, value }]
    const resourceName = `${run}-${shortTopic}`
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName, configs }
    try {
      await client.patiently(`${setting} of ${shortTopic}`, async () => {
        const node = await client.controller()
        await client.call(node, 'settings', incrementalAlterConfigsV1.api, [resource], false)
      })
    } finally {
      await client.close()
    }
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

  /**
   * How long it takes until every pipeline has committed something. Undefined: a process ended
   * badly, or nothing was committed or said for so long.
   */
  async begun(standingMs: number): Promise<number | undefined> {
    const startMs = Date.now()
    let isWell = true
    const hasBegun = await whileMoving(standingMs, async () => {
      const names = [...(await this.positions())].map(([place]) => place)
      const has = (name: string) => names.some((place) => place.startsWith(`${name} `))
      isWell = !this.isBroken && this.lives.every((life) => !life.ending?.code)
      const said = this.lives.map(({ words }) => words.length)
      return { isOver: !isWell || pipelines.every(has), place: `${names} ${said}` }
    })
    return hasBegun && isWell ? Date.now() - startMs : undefined
  }

  /**
   * How long it takes from now until all that is there now is worked on. Undefined: it came to a
   * stand on the way, for so long.
   */
  async recoveryMs(standingMs: number): Promise<number | undefined> {
    const startMs = Date.now()
    const goals = await this.goals()
    const isOver = await whileMoving(standingMs, async () => {
      const positions = await this.positions()
      const reached = [...goals].map(([place, end]) => Math.min(end, positions.get(place) ?? 0))
      const isThere = [...goals.values()].every((end, index) => reached[index] === end)
      return { isOver: isThere || this.isOver, place: reached.join() }
    })
    return isOver && !this.isBroken ? Date.now() - startMs : undefined
  }

  /** Others come for those that run, and work as fast as they can. */
  async hurry(): Promise<void> {
    this.#ratePerSecond = 'max'
    await Promise.all(this.running.map((life) => life.drain(drainMs)))
  }

  /** Lets the processes end by themselves. True: they did, and never stood still for so long. */
  async finish(standingMs: number): Promise<boolean> {
    const areOver = await whileMoving(standingMs, async () => {
      this.#notice()
      const isOver = this.isBroken || (this.isDone && this.running.length === 0)
      const positions = isOver ? [] : [...(await this.positions()).values()]
      return { isOver, place: `${positions.join()} ${this.running.length}` }
    })
    return areOver && this.isDone
  }

  /** What processes said is kept where `keep` says so. */
  async close(keep: boolean): Promise<void> {
    this.#isOpen = false
    for (const life of this.lives) if (life.isRunning) await life.kill()
    for (const life of this.lives) if (keep) life.keep(this.directory)
    await this.#log?.close()
    if (!keep) rmSync(this.directory, { recursive: true, force: true })
  }

  /** The way that the fewest of those take that run. */
  #quietestView(): number {
    const { network } = this.options
    const counts = new Array<number>(network.views).fill(0)
    for (const { view } of this.lives.filter(({ isRunning }) => isRunning)) counts[view]!++
    return counts.indexOf(Math.min(...counts))
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
