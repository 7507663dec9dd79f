/** A contestant as a process: its words are kept for when it fails, its costs are read from /proc. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

const keptCharacters = 20_000
/** Linux counts processor time in ticks of a hundredth of a second. */
const ticksPerSecond = 100
const endMs = 10_000

export class Contestant {
  readonly #child: ChildProcess
  #said = ''
  #answer = ''

  constructor(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    })
    this.#child.on('error', (error) => this.#hears(String(error)))
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#hears(chunk.toString()))
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#answer = (this.#answer + chunk.toString()).slice(-keptCharacters)
    })
  }

  /** What it printed on stdout. */
  get answer(): string {
    return this.#answer
  }

  /** The last lines that it said, for an error. */
  get lastWords(): string {
    return `${this.#answer}\n${this.#said}`.trim().split('\n').slice(-15).join('\n')
  }

  get hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#isKilled
  }

  get cpuSeconds(): number {
    return cpuSecondsOf(this.#child.pid)
  }

  /** The most memory that it ever held. */
  get peakBytes(): number {
    return this.#memory(/VmHWM:\s+(\d+) kB/)
  }

  /** The memory that it holds now. */
  get residentBytes(): number {
    return this.#memory(/VmRSS:\s+(\d+) kB/)
  }

  #memory(line: RegExp): number {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
      return Number(line.exec(status)?.[1] ?? Number.NaN) * 1024
    } catch {
      return Number.NaN
    }
  }

  get #isKilled(): boolean {
    return this.#child.signalCode !== null
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.hasEnded) return
    const ended = once(this.#child, 'exit')
    this.#child.kill(signal)
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), endMs)
    await ended
    clearTimeout(timer)
  }

  #hears(words: string): void {
    this.#said = (this.#said + words).slice(-keptCharacters)
  }
}

/** Of all threads; NaN where /proc does not tell. */
export function cpuSecondsOf(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Its name, in brackets, may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  } catch {
    return Number.NaN
  }
}
