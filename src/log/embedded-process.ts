/**
 * Tells whether the process behind a row still lives, so that after kill -9 nobody waits for a
 * timeout. A process is known by machine, number and start: numbers are used again.
 */
import fs from 'node:fs'
import { hostname } from 'node:os'

export interface ProcessIdentity {
  /** Host, boot and process namespace: numbers mean something only within these. */
  readonly machine: string
  readonly pid: number
  /** When it started, in the system's own words; empty where the system does not tell. */
  readonly start: string
}

export const hostOf = (machine: string): string => machine.split('/')[0]!

let own: ProcessIdentity | undefined

export function ownProcess(): ProcessIdentity {
  own ??= { machine: machineName(), pid: process.pid, start: statusOf(process.pid)?.start ?? '' }
  return own
}

/** True unless the process is surely gone; of another machine's processes nothing is known. */
export function mayLive(other: ProcessIdentity): boolean {
  const self = ownProcess()
  if (other.machine !== self.machine) return true
  if (other.pid === self.pid) return other.start === self.start
  try {
    process.kill(other.pid, 0)
  } catch (error) {
    return (error as { code?: unknown }).code !== 'ESRCH'
  }
  const status = statusOf(other.pid)
  if (status === undefined) return true
  return !status.ended && status.start === other.start
}

/** From /proc (proc_pid_stat(5)): the state is field 3, the start time in ticks since boot field 22. */
function statusOf(pid: number): { start: string; ended: boolean } | undefined {
  let text: string
  try {
    text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The name, field 2, is in parentheses and may hold any character.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]!
  return { start: fields[19] ?? '', ended: state === 'Z' || state === 'X' }
}

function machineName(): string {
  const read = (look: () => string) => {
    try {
      return look().trim()
    } catch {
      return ''
    }
  }
  const boot = read(() => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'))
  const namespace = read(() => fs.readlinkSync('/proc/self/ns/pid'))
  return [hostname(), boot, namespace].join('/')
}
