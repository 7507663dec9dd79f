/**
 * The name of a process in transactional ids, kept in its state directory: started again, it has the
 * same one, and ends at once what was under way when it was killed. Processes that run there at the
 * same time have names of their own.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export interface KafkaInstance {
  readonly name: string
  /** Another process may take the name. Safe to call twice. */
  release(): void
}

const mostProcesses = 1000

export function takeInstance(directory: string): KafkaInstance {
  const folder = path.join(directory, 'kafka')
  mkdirSync(folder, { recursive: true })
  const home = homeOf(folder)
  for (let number = 0; number < mostProcesses; number++) {
    const file = path.join(folder, `instance-${number}`)
    if (!isFree(file)) continue
    try {
      writeFileSync(file, `${process.pid}`, { flag: 'wx' })
    } catch {
      // Another process was first.
      continue
    }
    return { name: `${home}-${number}`, release: () => rmSync(file, { force: true }) }
  }
  return { name: randomBytes(8).toString('hex'), release: () => undefined }
}

/** Tells this directory from others that use the same cluster. */
function homeOf(folder: string): string {
  const file = path.join(folder, 'home')
  if (!existsSync(file)) {
    try {
      writeFileSync(file, randomBytes(6).toString('hex'), { flag: 'wx' })
    } catch {
      // Another process was first.
    }
  }
  return readFileSync(file, 'utf8').trim()
}

/** Removes what a process left that runs no more. */
function isFree(file: string): boolean {
  let pid: number
  try {
    pid = Number(readFileSync(file, 'utf8'))
  } catch {
    return true
  }
  if (pid === process.pid || isAlive(pid)) return false
  rmSync(file, { force: true })
  return true
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM'
  }
}
