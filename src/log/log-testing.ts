/**
 * The log that tests of whole pipelines run on: in memory, in files where they start processes; with
 * MILLRACE_LOG=kafka on a Kafka that all of them share, each under a prefix of its own. Test files
 * that import this are those which `MILLRACE_LOG=kafka npm test` runs.
 */
import { after } from 'node:test'
import { brokerForAll, isOnKafka } from '../../scripts/test-kafka.ts'
import { openKafkaLog } from './kafka.ts'
import { newName } from './kafka-testing.ts'
import type { Log } from './log.ts'
import { createMemoryLog } from './memory.ts'
import { prefixed } from './prefixed.ts'

const opened: Log[] = []
let starting: ReturnType<typeof brokerForAll> | undefined
/** By state directory, so that processes which share one share a log. */
const prefixes = new Map<string, string>()

/** A log of its own for one test, for pipelines in this process. */
export async function newLog(): Promise<Log> {
  if (!isOnKafka()) return createMemoryLog()
  const prefix = newName('test')
  const brokers = (await servers()).split(',')
  const connection = { brokers, clientId: 'test' }
  const log = prefixed(await openKafkaLog({ connection, prefix: `${prefix}.` }), prefix)
  opened.push(log)
  return log
}

/** What a process with this state directory is started with, besides the directory. */
export async function logVariables(directory: string): Promise<Record<string, string>> {
  if (!isOnKafka()) return { MILLRACE_ENV: '' }
  const prefix = prefixes.get(directory) ?? newName('test')
  prefixes.set(directory, prefix)
  return {
    MILLRACE_ENV: 'kafka',
    MILLRACE_PREFIX: prefix,
    KAFKA_CREATE_TOPICS: 'true',
    KAFKA_BOOTSTRAP_SERVERS: await servers(),
  }
}

/** `npm test` has started one and names it; a file that is run by itself starts its own. */
async function servers(): Promise<string> {
  starting ??= brokerForAll()
  return (await starting).bootstrapServers
}

after(async () => {
  await Promise.all(opened.map((log) => log.close()))
})
