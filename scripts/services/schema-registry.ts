/**
 * A real schema registry for tests and trials: Apicurio with the API of Confluent's, from Maven, or the
 * one that SCHEMA_REGISTRY_URL names. As a command, `node scripts/services/schema-registry.ts start`.
 */
import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { cacheDirectory } from './kafka/jars.ts'
import { freePorts } from './ports.ts'
import { end, isRunning, type Marked, signalTo, startGuardian } from './processes.ts'
import { apicurio, java, whyNoApicurio } from './registry/apicurio.ts'

export interface SchemaRegistryService {
  /** Of the API that is like Confluent's. */
  readonly url: string
  /** What a detached one is ended by; undefined: it was named, and is not ours. */
  readonly remains: { readonly directory: string; readonly process: Marked } | undefined
  /** As a loss of power: SIGKILL. */
  kill(): Promise<void>
  /** After `kill`, with the schemas and the address it had; resolves once it answers. */
  start(): Promise<void>
  /** Ends it and removes its data. Safe to call twice. */
  stop(): Promise<void>
}

const startMs = 120_000
const stopMs = 10_000
const pollMs = 200

const named = () => process.env.SCHEMA_REGISTRY_URL || undefined

/** Why there is no registry to be had here; undefined: there is. */
export function whyNoSchemaRegistry(): string | undefined {
  if (named() !== undefined) return undefined
  const why = whyNoApicurio()
  return why === undefined ? undefined : `${why}, and SCHEMA_REGISTRY_URL is not set`
}

/**
 * Starts one, or takes the one that SCHEMA_REGISTRY_URL names. It ends with this process, whatever ends
 * that, unless it is `detached`. Throws with what it said where it does not come up.
 */
export async function startSchemaRegistry(
  options: { readonly detached?: boolean } = {},
): Promise<SchemaRegistryService> {
  const url = named()
  if (url !== undefined && options.detached !== true) return external(url)
  const why = whyNoApicurio()
  if (why !== undefined) throw new Error(`services: no schema registry: ${why}`)
  const [port, managementPort] = (await freePorts(2)) as [number, number]
  const service = new Service(await apicurio(), port, managementPort, options.detached === true)
  try {
    await service.start()
  } catch (error) {
    await service.stop()
    throw error
  }
  return service
}

function external(url: string): SchemaRegistryService {
  const notOurs = () => Promise.reject(new Error('SCHEMA_REGISTRY_URL names one that is not ours'))
  return { url, remains: undefined, kill: notOurs, start: notOurs, stop: async () => undefined }
}

class Service implements SchemaRegistryService {
  readonly url: string
  readonly #program: string
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'millrace-registry-'))
  readonly #ports: readonly [number, number]
  readonly #guardian: ReturnType<typeof startGuardian> | undefined
  #process: Marked | undefined

  constructor(program: string, port: number, managementPort: number, isDetached: boolean) {
    this.#program = program
    this.#ports = [port, managementPort]
    this.url = `http://127.0.0.1:${port}/apis/ccompat/v7`
    this.#guardian = isDetached ? undefined : startGuardian()
  }

  get remains() {
    return { directory: this.#directory, process: this.#process! }
  }

  async start(): Promise<void> {
    const program = await java()
    const log = openSync(this.#logFile, 'a')
    const child = spawn(program, this.#words(), {
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    child.unref()
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    this.#process = { pid: child.pid!, mark: this.#directory }
    this.#guardian?.guard({ processes: [this.#process], directory: this.#directory })
    await this.#untilAnswers()
  }

  async kill(): Promise<void> {
    if (this.#process === undefined) return
    signalTo(this.#process, 'SIGKILL')
    await end(this.#process, stopMs)
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#directory, { recursive: true, force: true })
    this.#guardian?.dismiss()
  }

  get #logFile(): string {
    return path.join(this.#directory, 'registry.log')
  }

  #words(): string[] {
    const [port, managementPort] = this.#ports
    return [
      ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx400m'],
      // Without a delay, so that what was answered survives SIGKILL.
      `-Dapicurio.datasource.url=jdbc:h2:file:${path.join(this.#directory, 'schemas')};WRITE_DELAY=0`,
      ...['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${port}`],
      ...['-Dquarkus.management.host=127.0.0.1', `-Dquarkus.management.port=${managementPort}`],
      ...['-jar', path.join(this.#program, 'quarkus-run.jar')],
    ]
  }

  async #untilAnswers(): Promise<void> {
    const until = Date.now() + startMs
    while (!(await this.#answers())) {
      const hasEnded = !isRunning(this.#process!)
      if (hasEnded || Date.now() > until) {
        const what = hasEnded ? 'ended before it answered' : `did not answer in ${startMs / 1000} s`
        const said = readFileSync(this.#logFile, 'utf8').split('\n').slice(0, 20).join('\n')
        throw new Error(`services: the schema registry ${what}; it said:\n${said}`)
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }

  async #answers(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(2_000)
      return (await fetch(`${this.url}/subjects`, { signal })).ok
    } catch {
      return false
    }
  }
}

const usage = `node scripts/services/schema-registry.ts start [--name NAME]   prints an export line
node scripts/services/schema-registry.ts env   [--name NAME]   prints it again
node scripts/services/schema-registry.ts stop  [--name NAME]   ends it; its schemas go too`

type Kept = { readonly url: string } & NonNullable<SchemaRegistryService['remains']>

/** Gives the exit code. The export line goes to stdout, words for people to stderr. */
async function command(words: readonly string[]): Promise<number> {
  const parsed = parse(words)
  const action = parsed?.positionals[0] ?? ''
  const name = parsed?.values.name ?? 'default'
  if (!/^[\w-]+$/.test(name) || !['start', 'env', 'stop'].includes(action)) {
    console.error(usage)
    return 2
  }
  const file = path.join(cacheDirectory(), 'running', `schema-registry-${name}.json`)
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Kept) : undefined
  if (action === 'stop') return stop(file, kept)
  if (action === 'env') return tell(kept?.url, name)
  if (kept !== undefined && isRunning(kept.process)) {
    console.error(`services: schema registry ${name} runs already: stop it first, or use --name`)
    return 1
  }
  const { url, remains } = await startSchemaRegistry({ detached: true })
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify({ ...remains, url }))
  return tell(url, name)
}

function parse(words: readonly string[]) {
  try {
    const options = { name: { type: 'string' } } as const
    return parseArgs({ args: [...words], options, allowPositionals: true })
  } catch {
    return undefined
  }
}

function tell(url: string | undefined, name: string): number {
  if (url === undefined) console.error(`services: there is no schema registry ${name}`)
  else console.log(`export SCHEMA_REGISTRY_URL=${url}`)
  return url === undefined ? 1 : 0
}

async function stop(file: string, kept: Kept | undefined): Promise<number> {
  if (kept === undefined) return 0
  await end(kept.process, stopMs)
  rmSync(kept.directory, { recursive: true, force: true })
  rmSync(file)
  return 0
}

if (import.meta.main) {
  try {
    process.exitCode = await command(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
