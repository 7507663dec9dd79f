/** One broker: a Java process, or a container where there is no Java. */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Connection, metadataV12 } from '@platformatic/kafka'
import { isSoon, type Marked, signalTo } from '../processes.ts'
import { removeContainer, startContainer } from './docker.ts'
import { startJava } from './jars.ts'
import { addressOf, type Place } from './properties.ts'

/** A broker as faults are put upon it. Each resolves once it is so. */
export interface Broker {
  readonly id: number
  /** `host:port` */
  readonly address: string
  /** Where it listens for clients that come another way, by view: see `KafkaOptions.views`. */
  readonly viewAddresses: readonly string[]
  /** Where its partitions lie, for tools that read files. */
  readonly dataDirectory: string
  /** As a loss of power: SIGKILL. */
  kill(): Promise<void>
  /** In order: it hands over what it leads. */
  stop(): Promise<void>
  /** It stands still and keeps its connections: SIGSTOP. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** After kill or stop, with the data and the address it had; resolves once it answers. */
  start(): Promise<void>
}

/** What runs a broker. */
export interface Runner {
  /** Starts the process; `answers` is waited for by the caller. */
  launch(): Promise<void>
  isRunning(): boolean
  signal(signal: NodeJS.Signals): void
  /** Resolves once it is gone. */
  stop(): Promise<void>
  gone(): Promise<void>
  /** What it said since it was last launched. */
  said(): string
}

const startMs = 90_000
const stopMs = 30_000
const killMs = 10_000
const pollMs = 100

/** Waits until the broker knows of `brokers` that live. Throws with what it said where it does not. */
export async function untilAnswers(place: Place, runner: Runner, brokers: number): Promise<void> {
  const until = Date.now() + startMs
  while ((await liveBrokers(place)) < brokers) {
    if (!runner.isRunning()) throw complaint(place, runner, 'ended before it answered')
    if (Date.now() > until) throw complaint(place, runner, `did not answer in ${startMs / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

export function brokerOf(place: Place, runner: Runner, changed: () => void): Broker {
  return {
    id: place.id,
    address: addressOf(place),
    viewAddresses: place.views.map(addressOf),
    dataDirectory: place.dataDirectory,
    async kill() {
      runner.signal('SIGKILL')
      await runner.gone()
    },
    stop: () => runner.stop(),
    async pause() {
      runner.signal('SIGSTOP')
    },
    async resume() {
      runner.signal('SIGCONT')
    },
    async start() {
      if (runner.isRunning()) throw new Error(`services: broker ${place.id} runs already`)
      await runner.launch()
      changed()
      // The others may be down on purpose.
      await untilAnswers(place, runner, 1)
    },
  }
}

/** How many brokers one knows to be alive, itself among them; 0: it does not answer. */
async function liveBrokers({ id, port }: Place): Promise<number> {
  const connection = new Connection('millrace-services', {
    connectTimeout: 2_000,
    requestTimeout: 2_000,
  })
  connection.on('error', () => undefined)
  try {
    await connection.connect('127.0.0.1', port)
    const { brokers } = await metadataV12.api.async(connection, [], false, false)
    return brokers.some(({ nodeId }) => nodeId === id) ? brokers.length : 0
  } catch {
    return 0
  } finally {
    await connection.close().catch(() => undefined)
  }
}

function complaint(place: Place, runner: Runner, what: string): Error {
  const lines = runner.said().trim().split('\n')
  const bad = lines.filter((line) => /ERROR|FATAL|Exception|Caused by/.test(line)).slice(0, 8)
  const told = [...bad, '...', ...lines.slice(-8)].join('\n')
  return new Error(`services: Kafka broker ${place.id} ${what}; it said:\n${told}`)
}

export interface RunnerOptions {
  readonly place: Place
  /** The service's own directory: properties, logs and data lie there. */
  readonly directory: string
  readonly heapMb: number
  readonly shortLived: boolean
}

export const propertiesFile = (directory: string, id: number) =>
  path.join(directory, `node-${id}.properties`)

/** Where a broker lives for a minute, more than half of its work would be compiling itself well. */
const javaOptions = ({ heapMb, shortLived }: RunnerOptions) => [
  `-Xmx${heapMb}m`,
  ...(shortLived
    ? ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
    : ['-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']),
]

export class JavaRunner implements Runner {
  readonly #options: RunnerOptions
  readonly #jars: string
  readonly #logFile: string
  readonly #mark: string
  #marked: Marked | undefined
  /** It was seen to end: nothing of it holds a port or a file any more. */
  #hasEnded = true
  #saidBefore = 0

  constructor(options: RunnerOptions, jars: string) {
    this.#options = options
    this.#jars = jars
    this.#logFile = path.join(options.directory, `node-${options.place.id}.log`)
    this.#mark = propertiesFile(options.directory, options.place.id)
  }

  /** The process, to be guarded. */
  get marked(): Marked | undefined {
    return this.#marked
  }

  async launch(): Promise<void> {
    const log = openSync(this.#logFile, 'a')
    this.#saidBefore = readFileSync(this.#logFile).length
    try {
      const child = startJava({
        directory: this.#jars,
        options: javaOptions(this.#options),
        className: 'kafka.Kafka',
        args: [this.#mark],
        log,
      })
      child.on('error', () => undefined)
      child.on('exit', () => {
        this.#hasEnded = true
      })
      child.unref()
      if (child.pid === undefined) throw new Error('services: java could not be started')
      this.#marked = { pid: child.pid, mark: this.#mark }
      this.#hasEnded = false
      // Until then its command line is that of this process.
      await new Promise((resolve) => child.once('spawn', resolve))
    } finally {
      closeSync(log)
    }
  }

  isRunning(): boolean {
    return !this.#hasEnded
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.#trySignal(signal)) {
      throw new Error(`services: broker ${this.#options.place.id} does not run`)
    }
  }

  async stop(): Promise<void> {
    this.#trySignal('SIGCONT')
    this.#trySignal('SIGTERM')
    if (await isSoon(() => this.#hasEnded, stopMs)) return
    this.#trySignal('SIGKILL')
    await this.gone()
  }

  async gone(): Promise<void> {
    const isGone = await isSoon(() => this.#hasEnded, killMs)
    if (!isGone) throw new Error(`services: broker ${this.#options.place.id} does not end`)
  }

  #trySignal(signal: NodeJS.Signals): boolean {
    return !this.#hasEnded && this.#marked !== undefined && signalTo(this.#marked, signal)
  }

  said(): string {
    return readFileSync(this.#logFile).subarray(this.#saidBefore).toString('utf8')
  }
}

/** Not tried where Millrace was made: there was no docker that ran. */
export class DockerRunner implements Runner {
  readonly #options: RunnerOptions
  readonly name: string

  constructor(options: RunnerOptions) {
    this.#options = options
    this.name = `${path.basename(options.directory)}-${options.place.id}`.toLowerCase()
  }

  async launch(): Promise<void> {
    startContainer(this.name, this.#options)
  }

  isRunning(): boolean {
    const asked = docker('inspect', '--format', '{{.State.Running}}', this.name)
    return asked.stdout.trim() === 'true'
  }

  signal(signal: NodeJS.Signals): void {
    const commands: Record<string, string[]> = {
      SIGSTOP: ['pause', this.name],
      SIGCONT: ['unpause', this.name],
    }
    const asked = docker(...(commands[signal] ?? ['kill', '--signal', signal, this.name]))
    if (asked.status !== 0) throw new Error(`services: ${asked.stderr.trim()}`)
  }

  async stop(): Promise<void> {
    docker('stop', '--time', String(stopMs / 1000), this.name)
  }

  async gone(): Promise<void> {
    docker('wait', this.name)
  }

  said(): string {
    const { stdout, stderr } = docker('logs', '--tail', '200', this.name)
    return `${stdout}${stderr}`
  }

  remove(): void {
    removeContainer(this.name)
  }
}

const docker = (...args: string[]) => spawnSync('docker', args, { encoding: 'utf8' })
