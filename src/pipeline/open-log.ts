/** Opens the log that the environment names: `--env`, which MILLRACE_ENV hands on, picks it. */
import { chooseEnvironment, type Environment } from '../config/environment.ts'
import { type EmbeddedLogOptions, openEmbeddedLog } from '../log/embedded.ts'
import type { KafkaCommitStep } from '../log/kafka-transaction.ts'
import type { Log } from '../log/log.ts'
import { prefixed } from '../log/prefixed.ts'

export interface OpenLogOptions extends EmbeddedLogOptions {
  /** The application's file: the configuration is looked for from there on. Default: from here. */
  readonly app?: string | undefined
  /** On Kafka: the handle's name in transactional ids, see log/kafka-instance.ts. */
  readonly instance?: string | undefined
  /** Called at each step of a transaction on Kafka, for tests. */
  readonly onKafkaStep?: (step: KafkaCommitStep) => void
  /** Told when a topic cannot be made yet, because brokers are away. */
  readonly onWaiting?: (words: string) => void
}

export const environmentVariable = 'MILLRACE_ENV'

/** Throws `CONFIG_INVALID`. */
export const environmentFor = (app: string = process.cwd()): Promise<Environment> =>
  chooseEnvironment({ name: process.env[environmentVariable] || undefined, app })

/** Throws `CONFIG_INVALID`, and what stands in the way of the log. */
export async function openLog(options: OpenLogOptions): Promise<Log> {
  const { app, instance, onKafkaStep, onWaiting, ...embedded } = options
  const { log, directory, prefix } = await environmentFor(app)
  const named = (opened: Log) => (prefix === '' ? opened : prefixed(opened, prefix))
  if (log.kind === 'embedded') return named(await openEmbeddedLog(embedded))
  // Loaded when it is used: most runs have no Kafka.
  const { openKafkaLog } = await import('../log/kafka.ts')
  const connection = await log.connection({ clientId: 'millrace', directory })
  const { sessionTimeoutMs } = embedded
  const opened = await openKafkaLog({
    ...{ connection, directory: embedded.directory, onStep: onKafkaStep, onWaiting },
    replicationFactor: log.topics.replicationFactor,
    ...(instance === undefined ? {} : { instance }),
    prefix: prefix === '' ? '' : `${prefix}.`,
    ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
  })
  return named(opened)
}
