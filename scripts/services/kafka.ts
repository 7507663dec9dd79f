/**
 * A real Kafka for tests and benches: brokers from Maven's jars, else in docker, else the cluster that
 * KAFKA_BOOTSTRAP_SERVERS names. As a command, `node scripts/services/kafka.ts start` and `stop`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  type Broker,
  brokerOf,
  DockerRunner,
  JavaRunner,
  propertiesFile,
  type Runner,
  untilAnswers,
} from './kafka/broker.ts'
import { placeSettings, startToolInside, whyNoDocker } from './kafka/docker.ts'
import { formatStorage, newId } from './kafka/format.ts'
import {
  hasJars,
  jars,
  outcome,
  shortLived as shortLivedTool,
  startJava,
  type ToolResult,
  whyNoJava,
} from './kafka/jars.ts'
import { addressOf, type Place, propertiesOf } from './kafka/properties.ts'
import { freePorts } from './ports.ts'
import { type Guardian, type Marked, startGuardian } from './processes.ts'

export type { Broker } from './kafka/broker.ts'
export type { ToolResult } from './kafka/jars.ts'

export interface KafkaOptions {
  readonly brokers?: 1 | 3
  /** Lines of server.properties that are to differ from what tests usually want. */
  readonly settings?: Readonly<Record<string, string>>
  readonly heapMb?: number
  /** The brokers live for minutes and are started anew: rather quick to start than fast. */
  readonly shortLived?: boolean
  /**
   * More listeners for clients that come another way, through a proxy for example: by view and
   * broker, the port that such clients are told. Where the broker listens for them it says itself.
   */
  readonly views?: readonly (readonly number[])[]
  /** They outlive this process: for the command, which gives them a name. */
  readonly detached?: boolean
}

export interface KafkaCluster {
  readonly bootstrapServers: string
  /** Empty where the cluster is one that KAFKA_BOOTSTRAP_SERVERS named. */
  readonly brokers: readonly Broker[]
  /** What a detached cluster is ended by. */
  readonly remains: Remains | undefined
  /** Runs one of Kafka's own tools, named by its class, and waits for its end. */
  tool(
    className: string,
    args: readonly string[],
    options?: { readonly input?: string | Uint8Array },
  ): Promise<ToolResult>
  /** Ends the brokers and removes their data. Safe to call twice. */
  stop(): Promise<void>
}

export interface Remains {
  readonly directory: string
  readonly processes: readonly Marked[]
  readonly containers: readonly string[]
}

/** How often other ports are tried where some were taken in the meantime. */
const portTries = 3
const defaultHeapMb = 512

const namedCluster = () => process.env.KAFKA_BOOTSTRAP_SERVERS || undefined

/** Why there is no Kafka to be had here; undefined: there is. */
export function whyNoKafka(): string | undefined {
  if (namedCluster() !== undefined) return undefined
  const noJava = whyNoJava()
  const noDocker = noJava === undefined ? undefined : whyNoDocker()
  if (noJava === undefined || noDocker === undefined) return undefined
  return `${noJava} and ${noDocker}, and KAFKA_BOOTSTRAP_SERVERS is not set`
}

/**
 * Starts brokers, or takes the cluster that KAFKA_BOOTSTRAP_SERVERS names. They end with this process,
 * whatever ends it. Throws with what a broker said that did not come up.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  const named = namedCluster()
  if (named !== undefined && options.detached !== true) return externalCluster(named)
  const why = options.detached === true && named !== undefined ? whyNoJava() : whyNoKafka()
  if (why !== undefined) throw new Error(`services: no Kafka: ${why}`)
  for (let tries = 1; ; tries++) {
    const service = new Service(options)
    try {
      await service.start()
      return service
    } catch (error) {
      await service.stop()
      const isTaken = /Address already in use/.test(String(error))
      if (!isTaken || tries === portTries) throw error
    }
  }
}

async function externalCluster(bootstrapServers: string): Promise<KafkaCluster> {
  return {
    bootstrapServers,
    brokers: [],
    remains: undefined,
    tool: async (className, args, { input } = {}) => javaTool(className, args, input),
    stop: async () => undefined,
  }
}

async function javaTool(className: string, args: readonly string[], input?: string | Uint8Array) {
  const child = startJava({
    directory: await jars(),
    options: shortLivedTool,
    className,
    args,
    logLevel: 'warn',
  })
  return outcome(child, input)
}

class Service implements KafkaCluster {
  readonly #options: KafkaOptions
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'millrace-kafka-'))
  readonly #guardian: Guardian | undefined
  #places: Place[] = []
  #runners: Runner[] = []
  brokers: readonly Broker[] = []

  constructor(options: KafkaOptions) {
    this.#options = options
    this.#guardian = options.detached === true ? undefined : startGuardian()
    this.#guard()
  }

  get bootstrapServers(): string {
    return this.#places.map(addressOf).join(',')
  }

  get remains(): Remains {
    const processes = this.#runners.flatMap((runner) =>
      runner instanceof JavaRunner && runner.marked !== undefined ? [runner.marked] : [],
    )
    return { directory: this.#directory, processes, containers: this.#containers() }
  }

  async start(): Promise<void> {
    const count = this.#options.brokers ?? 1
    const views = this.#options.views ?? []
    const ports = await freePorts(count * (2 + views.length))
    this.#places = Array.from({ length: count }, (_, index) => ({
      id: index + 1,
      port: ports[index]!,
      controllerPort: ports[count + index]!,
      views: views.map((advertised, view) => ({
        port: ports[count * (2 + view) + index]!,
        advertisedPort: advertised[index]!,
      })),
      dataDirectory: path.join(this.#directory, `data-${index + 1}`),
    }))
    this.#runners = whyNoJava() === undefined ? await this.#javaRunners() : this.#dockerRunners()
    for (const runner of this.#runners) {
      await runner.launch()
      this.#guard()
    }
    await Promise.all(
      this.#places.map((place, index) => untilAnswers(place, this.#runners[index]!, count)),
    )
    this.brokers = this.#places.map((place, index) =>
      brokerOf(place, this.#runners[index]!, () => this.#guard()),
    )
  }

  async tool(
    className: string,
    args: readonly string[],
    { input }: { readonly input?: string | Uint8Array } = {},
  ): Promise<ToolResult> {
    if (hasJars()) return javaTool(className, args, input)
    return outcome(startToolInside(this.#containers()[0]!, className, args), input)
  }

  async stop(): Promise<void> {
    for (const runner of this.#runners) {
      if (runner.isRunning()) runner.signal('SIGKILL')
    }
    await Promise.all(this.#runners.map((runner) => runner.gone()))
    for (const runner of this.#runners) if (runner instanceof DockerRunner) runner.remove()
    rmSync(this.#directory, { recursive: true, force: true })
    this.#runners = []
    this.#guardian?.dismiss()
  }

  async #javaRunners(): Promise<Runner[]> {
    const directory = await jars()
    const clusterId = newId()
    // One after the other: the first may have to ask the tool.
    for (const place of this.#places) {
      const file = propertiesFile(this.#directory, place.id)
      writeFileSync(file, this.#propertiesOf(place))
      await formatStorage(directory, clusterId, place, file)
    }
    return this.#places.map((place) => new JavaRunner(this.#runnerOptions(place), directory))
  }

  #dockerRunners(): Runner[] {
    return this.#places.map((place) => {
      const file = propertiesFile(this.#directory, place.id)
      placeSettings(this.#directory, place.id, file, this.#propertiesOf(place))
      return new DockerRunner(this.#runnerOptions(place))
    })
  }

  #propertiesOf(place: Place): string {
    return propertiesOf(place, this.#places, this.#options.settings ?? {})
  }

  #runnerOptions(place: Place) {
    const { heapMb = defaultHeapMb, shortLived = false } = this.#options
    return { place, directory: this.#directory, heapMb, shortLived }
  }

  #containers(): string[] {
    return this.#runners.flatMap((runner) => (runner instanceof DockerRunner ? [runner.name] : []))
  }

  #guard(): void {
    this.#guardian?.guard(this.remains)
  }
}

if (import.meta.main) {
  const { kafkaCommand } = await import('./kafka/command.ts')
  process.exitCode = await kafkaCommand(process.argv.slice(2), startKafka)
}
