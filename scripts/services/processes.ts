/**
 * Processes that a service consists of. One is signalled only while its command line names the mark
 * that it was started with (the service's own directory), so a number that was given to another
 * process in the meantime is never hit.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const pollMs = 20

export interface Marked {
  readonly pid: number
  /** Words that stand in its command line and in no other's. */
  readonly mark: string
}

export function isRunning({ pid, mark }: Marked): boolean {
  return commandLine(pid).includes(mark)
}

/** True when the signal was sent. */
export function signalTo(marked: Marked, signal: NodeJS.Signals): boolean {
  if (!isRunning(marked)) return false
  try {
    process.kill(marked.pid, signal)
    return true
  } catch {
    // It ended between the two lines.
    return false
  }
}

/** Resolves with true once it has ended, with false when it has not within `waitMs`. */
export function hasEnded(marked: Marked, waitMs: number): Promise<boolean> {
  return isSoon(() => !isRunning(marked) && !isEnding(marked.pid), waitMs)
}

/** Asks until it is so, or until `waitMs` have gone by. */
export async function isSoon(condition: () => boolean, waitMs: number): Promise<boolean> {
  const until = Date.now() + waitMs
  while (!condition()) {
    if (Date.now() > until) return false
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  return true
}

/** It has no memory any more, hence no command line, but may still hold files and ports. */
function isEnding(pid: number): boolean {
  try {
    const state = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
    return commandLine(pid) === '' && state !== undefined && !'ZX'.includes(state)
  } catch {
    return false
  }
}

/** Ends it in order, by force where it takes longer than `waitMs`. */
export async function end(marked: Marked, waitMs: number): Promise<void> {
  signalTo(marked, 'SIGCONT')
  signalTo(marked, 'SIGTERM')
  if (await hasEnded(marked, waitMs)) return
  signalTo(marked, 'SIGKILL')
  await hasEnded(marked, 5_000)
}

/** Empty for a process that is not there, or that has ended and only waits to be noticed. */
function commandLine(pid: number): string {
  if (existsSync('/proc/self/cmdline')) {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    } catch {
      return ''
    }
  }
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

/** What a guardian is to end and remove when the process that it guards for is gone. */
export interface Guarded {
  readonly processes?: readonly Marked[]
  readonly containers?: readonly string[]
  readonly directory?: string
}

export interface Guardian {
  /** From now on it ends these, and none that were named before. */
  guard(guarded: Guarded): void
  /** It ends itself, and nothing else. */
  dismiss(): void
}

/**
 * Starts a small process that waits for this one to be gone, by whatever death, SIGKILL included, and
 * then ends what it was told of. It does not keep this process alive.
 */
export function startGuardian(): Guardian {
  const file = path.join(import.meta.dirname, 'guardian.ts')
  const child = spawn(process.execPath, [file], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.unref()
  // Its stdin is a pipe, which is a socket here.
  ;(child.stdin as unknown as { unref(): void }).unref()
  child.stdin.on('error', () => undefined)
  child.on('error', () => undefined)
  const tell = (guarded: Guarded) => child.stdin.write(`${JSON.stringify(guarded)}\n`)
  return {
    guard: tell,
    dismiss: () => {
      tell({})
      child.stdin.end()
    },
  }
}
