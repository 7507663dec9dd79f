/** The Java peers: jars by Maven and classes by javac, kept in the cache directory. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory } from '../scripts/services/kafka/jars.ts'

const directory = fileURLToPath(new URL('./peers/kafka-streams', import.meta.url))
const pom = join(directory, 'pom.xml')
const brokerPom = fileURLToPath(new URL('../scripts/services/kafka/pom.xml', import.meta.url))
const mavenMs = 10 * 60_000

/** Kafka's version, of the broker that scripts/services starts. */
export const kafkaVersion = (): string =>
  /kafka_2\.13<\/artifactId>\s*<version>([^<]+)/.exec(readFileSync(brokerPom, 'utf8'))![1]!

const programOf = (name: string) => {
  const home = process.env.JAVA_HOME
  return home === undefined || home === '' ? name : join(home, 'bin', name)
}

/** The words that run a class of the peers. Throws with why there is none. */
export function javaPeers(): { readonly java: string; readonly args: readonly string[] } {
  const sources = globSync(join(directory, '*.java')).sort()
  const hash = createHash('sha256').update(kafkaVersion())
  for (const file of [pom, ...sources]) hash.update(readFileSync(file))
  const place = join(dirname(cacheDirectory()), `bench-java-${hash.digest('hex').slice(0, 12)}`)
  const classPath = `${join(place, 'classes')}:${join(place, 'jars', '*')}`
  if (!existsSync(place)) build(place, sources)
  // As much as the broker's own clients are given by their scripts, and no more.
  return { java: programOf('java'), args: ['-Xmx1g', '-XX:+UseG1GC', '-cp', classPath] }
}

function build(place: string, sources: readonly string[]): void {
  console.error('bench: fetching Kafka Streams by Maven and compiling its peers, once')
  const unfinished = `${place}.${process.pid}`
  mkdirSync(join(unfinished, 'classes'), { recursive: true })
  try {
    const goal = 'dependency:copy-dependencies'
    const where = [`-DoutputDirectory=${join(unfinished, 'jars')}`, '-DincludeScope=runtime']
    const version = `-Dkafka.version=${kafkaVersion()}`
    run('mvn', ['--quiet', '--batch-mode', `--file=${pom}`, goal, version, ...where])
    const from = ['-cp', join(unfinished, 'jars', '*'), '-d', join(unfinished, 'classes')]
    run(programOf('javac'), [...from, ...sources])
    renameSync(unfinished, place)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}

function run(command: string, args: readonly string[]): void {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: mavenMs,
  })
  if (status === 0) return
  throw new Error(error?.message ?? `${command}: ${(stderr || stdout).trim().split('\n').at(-1)}`)
}
