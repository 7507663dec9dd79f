/** `node scripts/services/kafka.ts start|stop|env`: brokers that outlive the command, by name. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Remains, startKafka } from '../kafka.ts'
import { end, isRunning } from '../processes.ts'
import { cacheDirectory } from './jars.ts'

interface Kept extends Remains {
  readonly bootstrapServers: string
}

const usage = `node scripts/services/kafka.ts start [--name NAME] [--brokers 1|3]   prints export lines
node scripts/services/kafka.ts env   [--name NAME]                    prints them again
node scripts/services/kafka.ts stop  [--name NAME]                    ends it; its data go too`
const stopMs = 10_000

/** Gives the exit code. Export lines go to stdout, words for people to stderr. */
export async function kafkaCommand(
  words: readonly string[],
  begin: typeof startKafka,
): Promise<number> {
  const parsed = parse(words)
  const action = parsed?.positionals[0]
  const name = parsed?.values.name ?? 'default'
  const brokers = parsed?.values.brokers ?? '1'
  if (!/^[\w-]+$/.test(name) || !['1', '3'].includes(brokers)) return misused()
  const file = path.join(cacheDirectory(), 'running', `kafka-${name}.json`)
  if (action === 'start')
    return start(file, name, () => begin({ brokers: brokers === '3' ? 3 : 1, detached: true }))
  if (action === 'env') return tell(file, name)
  if (action === 'stop') return stop(file)
  return misused()
}

function parse(words: readonly string[]) {
  try {
    const options = { name: { type: 'string' }, brokers: { type: 'string' } } as const
    return parseArgs({ args: [...words], options, allowPositionals: true })
  } catch {
    return undefined
  }
}

function misused(): number {
  console.error(usage)
  return 2
}

async function start(
  file: string,
  name: string,
  begin: () => ReturnType<typeof startKafka>,
): Promise<number> {
  const running = kept(file)
  if (running?.processes.some(isRunning)) {
    console.error(`services: kafka ${name} runs already: stop it first, or use --name`)
    return 1
  }
  try {
    const cluster = await begin()
    mkdirSync(path.dirname(file), { recursive: true })
    const { bootstrapServers } = cluster
    writeFileSync(file, JSON.stringify({ ...cluster.remains, bootstrapServers }))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
  return tell(file, name)
}

function tell(file: string, name: string): number {
  const running = kept(file)
  if (running === undefined) {
    console.error(`services: there is no kafka ${name}`)
    return 1
  }
  console.log(`export KAFKA_BOOTSTRAP_SERVERS=${running.bootstrapServers}`)
  console.log('export KAFKA_SECURITY_PROTOCOL=PLAINTEXT')
  return 0
}

async function stop(file: string): Promise<number> {
  const running = kept(file)
  if (running === undefined) return 0
  await Promise.all(running.processes.map((one) => end(one, stopMs)))
  for (const container of running.containers) spawnSync('docker', ['rm', '--force', container])
  rmSync(running.directory, { recursive: true, force: true })
  rmSync(file)
  return 0
}

function kept(file: string): Kept | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Kept) : undefined
}
