/**
 * The way between clients and a broker, which tests make bad: one listener that hands bytes on, late,
 * in part, or not at all. It knows nothing of what the bytes say.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePorts } from '../../scripts/services/ports.ts'
import type { Random } from '../../src/core/random.ts'
import { Flow } from './proxy-flow.ts'

export type Trouble =
  /** Each way of each connection; whatever passes also takes `delayMs`. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number; readonly delayMs: number }
  /** Bytes are taken and lead nowhere, and nobody hears that a connection ended. */
  | {
      readonly kind: 'half-open'
      readonly direction: 'answers' | 'both'
      /** Late: they come when the trouble is over. Else what lost bytes is dead for good. */
      readonly isLate: boolean
    }
  /** Connections are reset in the middle of an answer, each after some of at most so many bytes. */
  | { readonly kind: 'reset'; readonly mostBytes: number; readonly random: Random }
  /** Nobody gets in, and whoever was in is thrown out. */
  | { readonly kind: 'refused' }

interface Link {
  readonly client: Socket
  readonly broker: Socket
  readonly flows: readonly Flow[]
}

const host = '127.0.0.1'

export class Gate {
  readonly port: number
  /** Of the broker: `host:port`. */
  target = ''
  /** What was done so far, for tests. */
  readonly counts = { opened: 0, reset: 0 }
  #trouble: Trouble | undefined
  #server: Server | undefined
  readonly #links = new Set<Link>()

  constructor(port: number) {
    this.port = port
  }

  /** Resolves once clients can come. */
  async open(): Promise<void> {
    const server = createServer((client) => this.#lead(client))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.port, host, resolve)
    })
    this.#server = server
  }

  /** From now on, until `calm`. */
  begin(trouble: Trouble): void {
    this.#trouble = trouble
    if (trouble.kind === 'refused') {
      this.#server?.close()
      this.#server = undefined
      this.#endAll()
    }
    this.#tellFlows()
  }

  async calm(): Promise<void> {
    this.#trouble = undefined
    this.#tellFlows()
    if (this.#server === undefined) await this.open()
  }

  close(): void {
    this.#server?.close()
    this.#server = undefined
    this.#endAll()
  }

  #lead(client: Socket): void {
    const colon = this.target.lastIndexOf(':')
    const broker = connect(Number(this.target.slice(colon + 1)), this.target.slice(0, colon))
    this.counts.opened++
    const flow = (from: Socket, to: Socket, isAnswers: boolean) => {
      from.setNoDelay(true)
      const ended = (wasLost: boolean) => this.#end(link, wasLost)
      const reset = () => {
        this.counts.reset++
        ended(true)
      }
      return new Flow({ from, to, isAnswers, ended, reset })
    }
    const flows = [flow(client, broker, false), flow(broker, client, true)]
    const link: Link = { client, broker, flows }
    this.#links.add(link)
    for (const one of flows) one.trouble = this.#trouble
  }

  #tellFlows(): void {
    for (const { flows } of this.#links) for (const flow of flows) flow.trouble = this.#trouble
  }

  #endAll(): void {
    for (const link of this.#links) this.#end(link, true)
  }

  #end(link: Link, isReset: boolean): void {
    this.#links.delete(link)
    for (const socket of [link.client, link.broker]) {
      if (isReset) socket.resetAndDestroy()
      else socket.destroy()
    }
  }
}

export interface NetworkOptions {
  /** How many ways there are to each broker; clients of different ways share no trouble. */
  readonly views: number
  readonly brokers: number
}

/** The ways of all clients to all brokers. */
export class Network {
  readonly #gates: readonly (readonly Gate[])[]

  constructor(gates: readonly (readonly Gate[])[]) {
    this.#gates = gates
  }

  get views(): number {
    return this.#gates.length
  }

  /** What the brokers tell clients of a view; see `KafkaOptions.views`. */
  get ports(): number[][] {
    return this.#gates.map((ofView) => ofView.map(({ port }) => port))
  }

  /** From now on ways lead to these brokers: by broker and view, where it listens. */
  leadTo(brokers: readonly { readonly viewAddresses: readonly string[] }[]): void {
    for (const [view, gates] of this.#gates.entries()) {
      for (const [index, gate] of gates.entries()) {
        gate.target = brokers[index]!.viewAddresses[view]!
      }
    }
  }

  bootstrapServers(view: number): string {
    return this.ofView(view)
      .map(({ port }) => `${host}:${port}`)
      .join(',')
  }

  /** The ways of some clients to all brokers. */
  ofView(view: number): readonly Gate[] {
    return this.#gates[view % this.#gates.length]!
  }

  /** The ways of all clients to one broker. */
  toBroker(index: number): readonly Gate[] {
    return this.#gates.map((ofView) => ofView[index]!)
  }

  close(): void {
    for (const gate of this.#gates.flat()) gate.close()
  }
}

export async function openNetwork({ views, brokers }: NetworkOptions): Promise<Network> {
  const ports = await freePorts(views * brokers)
  const gates = Array.from({ length: views }, (_, view) =>
    ports.slice(view * brokers, (view + 1) * brokers).map((port) => new Gate(port)),
  )
  for (const gate of gates.flat()) await gate.open()
  return new Network(gates)
}
