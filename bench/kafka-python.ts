/** The Python peers: an environment of their own in the cache directory, made when it is not there. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory } from '../scripts/services/kafka/jars.ts'

const requirements = fileURLToPath(new URL('./peers/requirements-kafka.txt', import.meta.url))
const installMs = 10 * 60_000

export interface PythonPeers {
  readonly python: string
  /** Packages that could not be installed, and why. */
  readonly missing: ReadonlyMap<string, string>
}

/** Each package by itself: one that cannot be installed does not take the others with it. */
export function pythonPeers(): PythonPeers {
  const text = readFileSync(requirements, 'utf8')
  const packages = text.split('\n').filter((line) => /^\w/.test(line))
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  const directory = join(dirname(cacheDirectory()), `bench-python-${hash}`)
  const python = join(directory, 'bin', 'python')
  const told = join(directory, 'missing.json')
  if (existsSync(told)) {
    const missing = JSON.parse(readFileSync(told, 'utf8')) as Record<string, string>
    // What could not be installed is tried again: the network may have been away.
    if (Object.keys(missing).length === 0) return { python, missing: new Map() }
  }
  console.error(`bench: installing ${packages.join(', ')}, once`)
  mkdirSync(dirname(directory), { recursive: true })
  const host = process.env.PYTHON ?? 'python3'
  const made = run(host, ['-m', 'venv', directory])
  const missing = new Map<string, string>()
  for (const one of packages) {
    const why = made ?? run(python, ['-m', 'pip', 'install', '--quiet', one])
    if (why !== undefined) missing.set(one.split('==')[0]!, why)
  }
  if (made === undefined) writeFileSync(told, JSON.stringify(Object.fromEntries(missing)))
  return { python, missing }
}

/** Undefined: it went well. */
function run(command: string, args: readonly string[]): string | undefined {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: installMs,
  })
  if (status === 0) return undefined
  return error?.message ?? (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? 'it failed'
}
