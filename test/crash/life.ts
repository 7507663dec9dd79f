/** One life of the application in a process of its own, and the ways in which it may end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ChildOptions, Told } from './child.ts'
import type { World } from './world.ts'

export type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export class Life {
  readonly child: ChildProcess
  readonly told: Told[] = []
  readonly ended: Promise<Ending>
  #words = ''
  #onTold: () => void = () => {}

  constructor(world: World, options: Omit<ChildOptions, 'directory'>) {
    const { directory, environment } = world
    const given = JSON.stringify({ directory, ...options } satisfies ChildOptions)
    this.child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), given], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    })
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.told.push(JSON.parse(line) as Told)
      this.#onTold()
    })
    this.child.stderr!.on('data', (bytes) => {
      this.#words += String(bytes)
    })
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        resolve({ code, signal })
        this.#onTold()
      })
    })
  }

  /** Kills it, unless it has ended by itself before. True: it was killed by this. */
  async kill(afterMs = 0): Promise<boolean> {
    await Promise.race([this.ended, sleep(afterMs)])
    const kills = this.child.exitCode === null && this.child.signalCode === null
    this.child.kill('SIGKILL')
    const { signal } = await this.ended
    return kills && signal === 'SIGKILL'
  }

  /** Resolves once something was told for which `test` holds, or it ended, or the time is over. */
  async until(test: (told: Told) => boolean, limitMs = 20_000): Promise<boolean> {
    const deadline = Date.now() + limitMs
    for (;;) {
      if (this.told.some(test)) return true
      if (this.child.exitCode !== null || this.child.signalCode !== null) return false
      const leftMs = deadline - Date.now()
      if (leftMs <= 0) return false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#onTold = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** What it said, for the words of a failure. */
  words(): string {
    return `${this.told.map((told) => JSON.stringify(told)).join('\n')}\n${this.#words}`
  }
}

export const sleep = (waitMs: number) => new Promise((resolve) => setTimeout(resolve, waitMs))
