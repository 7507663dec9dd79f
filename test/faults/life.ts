/** One process of the application, started as a user starts it, and what may be done to it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CrashPoint } from '../../src/pipeline/run-testing.ts'

const root = path.resolve(import.meta.dirname, '../..')
const pollMs = 50
const appPath = path.join(import.meta.dirname, 'app.ts')

export interface LifeOptions {
  readonly number: number
  /** Its way to the brokers. */
  readonly view: number
  readonly environment: Readonly<Record<string, string>>
  readonly workers: number
  readonly ratePerSecond: number | 'max'
  /** It kills itself there; only a process of the crash suite knows how. */
  readonly crash?: CrashPoint | undefined
}

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class Life {
  readonly number: number
  readonly view: number
  readonly startedAtMs = Date.now()
  readonly ended: Promise<Ending>
  readonly #child: ChildProcess
  ending: Ending | undefined
  /** Somebody made it end: that it did is no news. */
  isDoomed = false
  #out = ''
  #words = ''

  constructor(options: LifeOptions) {
    this.number = options.number
    this.view = options.view
    const child = spawn(process.execPath, argumentsOf(options), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
      cwd: root,
    })
    this.#child = child
    child.stdout.on('data', (bytes) => {
      this.#out += String(bytes)
    })
    child.stderr.on('data', (bytes) => {
      this.#words += said(String(bytes))
    })
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        this.ending = { code, signal }
        resolve(this.ending)
      })
    })
  }

  get isRunning(): boolean {
    return this.ending === undefined
  }

  /** The run's JSON line. */
  get figures(): Record<string, unknown> {
    return JSON.parse(this.#out) as Record<string, unknown>
  }

  /** What it said so far. */
  get words(): string {
    return this.#words
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.isDoomed = true
    this.signal('SIGKILL')
    await this.ended
  }

  /** Asks it to commit what is under way and end; it is killed when it takes too long. */
  async drain(limitMs: number): Promise<boolean> {
    this.isDoomed = true
    this.signal('SIGTERM')
    const timer = setTimeout(() => this.signal('SIGKILL'), limitMs)
    const { signal } = await this.ended
    clearTimeout(timer)
    return signal === null
  }

  /** Resolves once that stands in what it told, it ended, or the time is over. */
  async says(words: string, limitMs: number): Promise<void> {
    const untilMs = Date.now() + limitMs
    while (this.isRunning && !this.#out.includes(words) && Date.now() < untilMs) await sleep(pollMs)
  }

  /** Resolves once it ended, or the time is over. True: it ended. */
  async within(limitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), limitMs)
    })
    const isOver = await Promise.race([this.ended.then(() => true), late])
    clearTimeout(timer)
    return isOver
  }

  /** For whoever looks into it afterwards. */
  keep(folder: string): void {
    writeFileSync(path.join(folder, `life-${this.number}.log`), `${this.#words}\n${this.#out}\n`)
  }
}

/** Each piece with the time at which it came. */
const said = (words: string) => `[${new Date().toISOString().slice(11, 23)}] ${words}`

function argumentsOf({ environment, workers, ratePerSecond, crash }: LifeOptions): string[] {
  const isFast = ratePerSecond === 'max'
  if (crash !== undefined) {
    const given = {
      ...{ directory: environment.MILLRACE_DIR, workers, testing: { crash } },
      ...{ app: '../faults/app.ts', ratePerSecond: isFast ? undefined : ratePerSecond },
    }
    return [path.join(root, 'test/crash/child.ts'), JSON.stringify(given)]
  }
  const words = ['--until-caught-up', '--json', '--no-page']
  const numbers = ['--workers', String(workers), '--speed', String(ratePerSecond)]
  return [path.join(root, 'bin/millrace.js'), 'run', appPath, ...words, ...numbers]
}
