/** One contestant after the other on the same messages, each with a group and an output of its own. */
import { fileURLToPath } from 'node:url'
import type { KafkaCluster } from '../scripts/services/kafka.ts'
import type { KafkaClient } from '../src/log/kafka-client.ts'
import { KafkaTopics } from '../src/log/kafka-topics.ts'
import type { Entry, Task } from './kafka-contestants.ts'
import { clientOf, fill, makeTopic } from './kafka-load.ts'
import { Contestant, cpuSecondsOf } from './kafka-process.ts'
import type { Measured } from './kafka-report.ts'
import {
  agreement,
  countMessages,
  endsOf,
  type Latency,
  latency,
  throughput,
} from './kafka-watch.ts'

const ratePerSecond = 10_000
const warmUpMs = 5000
const steadyMs = 10_000
const loaderFile = fileURLToPath(new URL('./kafka-loader.ts', import.meta.url))

export class Race {
  readonly #cluster: KafkaCluster
  readonly #client: KafkaClient
  readonly #files: Pick<Task, 'directory' | 'rows' | 'model'>
  /** So that a cluster that is not ours is left as it was, and two runs do not meet. */
  readonly #run = `bench-${process.pid}-${Date.now().toString(36)}`
  readonly #topics: KafkaTopics
  readonly #made: string[] = []
  #messages = 0
  #tweets: readonly string[] = []

  constructor(cluster: KafkaCluster, files: Pick<Task, 'directory' | 'rows' | 'model'>) {
    this.#cluster = cluster
    this.#files = files
    this.#client = clientOf(cluster.bootstrapServers)
    this.#topics = new KafkaTopics(this.#client)
  }

  static async open(
    cluster: KafkaCluster,
    files: Pick<Task, 'directory' | 'rows' | 'model'>,
  ): Promise<Race> {
    const race = new Race(cluster, files)
    await race.#client.patiently('bench', () => race.#client.controller())
    return race
  }

  /** The input of all that is to come. */
  async fill(tweets: readonly string[], messages: number): Promise<void> {
    this.#messages = messages
    this.#tweets = tweets
    await fill(this.#client, await this.#make('raw'), tweets, messages)
  }

  /** A broker that just started is slow: it compiles what it runs often, transactions among it. */
  async warmUp(entry: Entry, limitMs: number): Promise<void> {
    const { task, contestant } = await this.#start(entry, `${this.#run}.raw`, 'warm', false)
    try {
      await throughput(
        ...([endsOf(this.#client, task.output), contestant, this.#messages, limitMs] as const),
        () => Number.NaN,
      )
    } finally {
      await contestant.end()
      await this.#remove(task.output)
    }
  }

  async throughput(entry: Entry, limitMs: number): Promise<Measured> {
    const { task, contestant } = await this.#start(entry, `${this.#run}.raw`, entry.name, false)
    try {
      const measured = await throughput(
        ...([endsOf(this.#client, task.output), contestant, this.#messages, limitMs] as const),
        () => this.#brokerCpu(),
      )
      await contestant.end()
      await this.#check(entry, task.output, measured.isWhole)
      const agrees = entry.kind === 'bare' ? 1 : await agreement(this.#client, task.output)
      return { throughput: measured, agreement: agrees }
    } finally {
      await contestant.end()
      await this.#remove(task.output)
    }
  }

  async latency(entry: Entry): Promise<Latency> {
    const input = await this.#make(`steady-${entry.name}`)
    const { task, contestant } = await this.#start(entry, input, `steady-${entry.name}-out`, true)
    let loader: Contestant | undefined
    const startLoad = () => {
      const { bootstrapServers } = this.#cluster
      loader = new Contestant(process.execPath, [
        ...[loaderFile, bootstrapServers, input, String(ratePerSecond)],
      ])
    }
    try {
      await fill(this.#client, input, this.#tweets, 1)
      const [from, to] = [warmUpMs, steadyMs]
      return await latency(this.#client, contestant, task.output, from, to, startLoad)
    } finally {
      await loader?.end()
      await contestant.end()
      await this.#remove(input)
      await this.#remove(task.output)
    }
  }

  /** What was made is removed again. */
  async close(): Promise<void> {
    for (const topic of [...this.#made]) await this.#remove(topic).catch(() => undefined)
    await this.#client.close()
  }

  async #start(entry: Entry, input: string, name: string, steady: boolean) {
    const { bootstrapServers } = this.#cluster
    const output = await this.#make(name)
    const task: Task = { ...this.#files, bootstrapServers, input, output, group: `${output}-group` }
    try {
      const { command, args, environment } = entry.start(task, steady)
      return { task, contestant: new Contestant(command, args, environment) }
    } catch (error) {
      await this.#remove(output)
      throw error
    }
  }

  async #check(entry: Entry, output: string, isWhole: boolean): Promise<void> {
    if (!isWhole) return
    const count = await countMessages(this.#client, output)
    const isRight = entry.isExactlyOnce ? count === this.#messages : count >= this.#messages
    if (!isRight) throw new Error(`it wrote ${count} messages, not ${this.#messages}`)
  }

  #brokerCpu(): number {
    const [broker] = this.#cluster.remains?.processes ?? []
    return cpuSecondsOf(broker?.pid)
  }

  async #make(name: string): Promise<string> {
    const topic = `${this.#run}.${name}`
    await makeTopic(this.#client, topic)
    this.#made.push(topic)
    return topic
  }

  async #remove(topic: string): Promise<void> {
    if (!this.#made.includes(topic)) return
    this.#made.splice(this.#made.indexOf(topic), 1)
    await this.#topics.deleteTopic(topic)
  }
}
