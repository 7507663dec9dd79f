/**
 * Kafka in containers, for machines without Java. Host networking (Linux), so that addresses are the
 * same inside and outside. Not tried where Millrace was made: there was no docker that ran.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { RunnerOptions } from './broker.ts'

/** The version that pom.xml has. */
const image = 'apache/kafka:4.3.1'
const settingsInside = '/mnt/shared/config'
const dataInside = '/tmp/kafka-data'

/** Why containers cannot be run here; undefined: they can. */
export function whyNoDocker(): string | undefined {
  const asked = spawnSync('docker', ['info', '--format', '{{.ServerVersion}}'], {
    encoding: 'utf8',
    timeout: 10_000,
  })
  if (asked.error !== undefined) return 'there is no docker'
  return asked.status === 0 ? undefined : 'docker is there but does not run'
}

/** Makes the container or, where it is there already, starts it again with the data it had. */
export function startContainer(name: string, { place, directory, heapMb }: RunnerOptions): void {
  const again = spawnSync('docker', ['start', name], { encoding: 'utf8' })
  if (again.status === 0) return
  const settings = path.join(directory, `container-${place.id}`)
  mkdirSync(settings, { recursive: true })
  const made = spawnSync(
    'docker',
    [
      ...['run', '--detach', '--name', name, '--network', 'host'],
      ...['--volume', `${settings}:${settingsInside}:ro`],
      ...['--env', `CLUSTER_ID=${clusterIdOf(directory)}`],
      ...['--env', `KAFKA_HEAP_OPTS=-Xmx${heapMb}m`],
      image,
    ],
    { encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`services: docker run ${image}: ${made.stderr.trim()}`)
}

/** Puts a broker's settings where its container reads them; the data stay inside. */
export function placeSettings(directory: string, id: number, file: string, text: string): void {
  const settings = path.join(directory, `container-${id}`)
  mkdirSync(settings, { recursive: true })
  writeFileSync(file, text.replace(/^log\.dirs=.*$/m, `log.dirs=${dataInside}`))
  renameSync(file, path.join(settings, 'server.properties'))
}

export function removeContainer(name: string): void {
  spawnSync('docker', ['rm', '--force', '--volumes', name])
}

export function startToolInside(
  name: string,
  className: string,
  args: readonly string[],
): ChildProcess {
  const program = '/opt/kafka/bin/kafka-run-class.sh'
  return spawn('docker', ['exec', '--interactive', name, program, className, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

/** 16 bytes as base64url: the same for all brokers of a cluster. */
function clusterIdOf(directory: string): string {
  return Buffer.from(path.basename(directory).padEnd(16, 'x').slice(-16)).toString('base64url')
}
