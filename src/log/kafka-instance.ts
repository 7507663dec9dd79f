/**
 * The name of a process in transactional ids, kept in its state directory: started again, it has the
 * same one, and ends at once what was under way when it was killed. Processes that run there at the
 * same time have names of their own.
 */
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
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
    if (!placed(file, `${process.pid}`)) continue
    return { name: `${home}-${number}`, release: () => rmSync(file, { force: true }) }
  }
  return { name: randomBytes(8).toString('hex'), release: () => undefined }
}

/** Tells this directory from others that use the same cluster. */
function homeOf(folder: string): string {
  const file = path.join(folder, 'home')
  if (!existsSync(file)) {
    placed(file, randomBytes(6).toString('hex'))
  }
  return readFileSync(file, 'utf8').trim()
}

/**
 * Makes a file that is never there without its content: one that another process found empty it would
 * take for left behind, and both would have one name. False: another process was first.
 */
function placed(file: string, content: string): boolean {
  const own = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`
  writeFileSync(own, content)
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(own, { force: true })
  }
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
  return cleared(file, pid)
}

/** Moved away first: another process may have found it left behind too, and have the name by now. */
function cleared(file: string, pid: number): boolean {
  const away = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`
  try {
    renameSync(file, away)
  } catch {
    return true
  }
  const isTheOne = readFileSync(away, 'utf8') === `${pid}`
  if (!isTheOne) linkSync(away, file)
  rmSync(away, { force: true })
  return isTheOne
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
