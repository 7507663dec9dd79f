/** Kafka's jars, from Maven, kept in the cache directory; and running a class of them. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

const pom = path.join(import.meta.dirname, 'pom.xml')
const logging = path.join(import.meta.dirname, 'log4j2.properties')
/** Kafka 4 brokers need it. */
const leastJava = 17
const fetchMs = 10 * 60_000

/** MILLRACE_SERVICES, else ~/.cache/millrace/services. */
export function cacheDirectory(): string {
  const named = process.env.MILLRACE_SERVICES
  if (named !== undefined && named !== '') return path.resolve(named)
  return path.join(homedir(), '.cache', 'millrace', 'services')
}

/** One folder for each text of the pom, so that a new version never mixes with an old one. */
function jarDirectory(): string {
  const hash = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)
  return path.join(cacheDirectory(), `kafka-${hash}`)
}

export const hasJars = () => existsSync(jarDirectory())

/** Fetches the jars where they are not there yet. Several processes may do so at once. */
export async function jars(): Promise<string> {
  const directory = jarDirectory()
  if (existsSync(directory)) return directory
  const unfinished = `${directory}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  console.error("services: fetching Kafka's jars by Maven, once")
  try {
    const goal = 'dependency:copy-dependencies'
    const where = [`-DoutputDirectory=${unfinished}`, '-DincludeScope=runtime']
    await maven(['--quiet', '--batch-mode', `--file=${pom}`, goal, ...where])
    renameSync(unfinished, directory)
  } catch (error) {
    // Another process was quicker: its jars are as good.
    if (!existsSync(directory)) throw error
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return directory
}

function maven(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('mvn', args, { timeout: fetchMs }, (error, stdout, stderr) => {
      if (error === null) resolve()
      else reject(new Error(`services: mvn could not fetch Kafka's jars\n${stdout}${stderr}`))
    })
  })
}

function javaProgram(): string {
  const home = process.env.JAVA_HOME
  return home === undefined || home === '' ? 'java' : path.join(home, 'bin', 'java')
}

/** Why jars cannot be run here; undefined: they can. */
export function whyNoJava(): string | undefined {
  const asked = spawnSync(javaProgram(), ['-version'], { encoding: 'utf8' })
  if (asked.error !== undefined || asked.status !== 0) return 'there is no java'
  const version = /version "(\d+)/.exec(asked.stderr)?.[1]
  if (version !== undefined && Number(version) < leastJava) {
    return `java is version ${version}, Kafka needs ${leastJava}`
  }
  if (hasJars()) return undefined
  const found = spawnSync('mvn', ['--version'], { encoding: 'utf8' })
  return found.error === undefined && found.status === 0 ? undefined : 'there is no mvn'
}

export interface JavaOptions {
  readonly directory: string
  readonly options?: readonly string[]
  readonly className: string
  readonly args: readonly string[]
  /** File descriptor that takes both outputs; without, they are pipes. */
  readonly log?: number
  readonly logLevel?: 'info' | 'warn'
}

export function startJava(java: JavaOptions): ChildProcess {
  const { directory, options = [], className, args, log, logLevel = 'info' } = java
  const fixed = [
    '-Djava.awt.headless=true',
    '-Djava.net.preferIPv4Stack=true',
    '-Dfile.encoding=UTF-8',
    `-Dlog4j2.configurationFile=${logging}`,
    `-Dmillrace.log.level=${logLevel}`,
  ]
  const words = [...fixed, ...options, '-cp', path.join(directory, '*'), className, ...args]
  return spawn(javaProgram(), words, {
    // Ctrl-C is for whoever runs the tests; the guardian ends what that leaves.
    detached: log !== undefined,
    stdio: log === undefined ? ['pipe', 'pipe', 'pipe'] : ['ignore', log, log],
  })
}

export interface ToolResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Quick to start rather than quick to run. */
export const shortLived = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m']

/** Gives a program its input and collects what it says. */
export function outcome(child: ChildProcess, input?: string | Uint8Array): Promise<ToolResult> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
  // A program that ends before it read everything is judged by its code.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8')
      const said = signal === null ? text(stderr) : `${text(stderr)}\nended by ${signal}`
      resolve({ code: code ?? 1, stdout: text(stdout), stderr: said })
    })
  })
}
