/** Who takes part in bench/windows.ts, and by which command; all do the same to the same messages. */
import { fileURLToPath } from 'node:url'
import type { Start } from './kafka-contestants.ts'
import { javaPeers } from './kafka-java.ts'
import { pythonPeers } from './kafka-python.ts'

/** What a contestant is told to work on. */
export interface WindowsTask {
  /** Undefined: the embedded log. */
  readonly bootstrapServers: string | undefined
  readonly input: string
  /** Takes every message, with the rolling sum. */
  readonly output: string
  /** Takes the counts of closed windows. */
  readonly counts: string
  readonly group: string
  /** What it keeps on disk, and nothing else on Kafka. */
  readonly directory: string
}

export interface WindowsEntry {
  readonly name: string
  readonly what: string
  readonly log: 'embedded' | 'kafka'
  readonly isMillrace: boolean
  /** Every message counts exactly once, and the bench looks. */
  readonly isExactlyOnce: boolean
  /** Throws with why it cannot take part here. `steady`: until it is ended, not until all is done. */
  start(task: WindowsTask, steady: boolean): Start
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))

const millrace = (log: 'embedded' | 'kafka', workers: number): WindowsEntry => ({
  name: `${log === 'kafka' ? 'millrace' : 'embedded'}-${workers}`,
  what: `**Millrace${log === 'kafka' ? '' : ' on its own log'}, exactly once, ${workers} worker${workers === 1 ? '' : 's'}**`,
  ...{ log, isMillrace: true, isExactlyOnce: true },
  start: ({ bootstrapServers, input, output, counts, group, directory }, steady) => ({
    command: process.execPath,
    args: [
      ...(process.env.BENCH_NODE_OPTIONS?.split(' ') ?? []),
      ...[here('../bin/millrace.js'), 'run', here('./windows-app.ts')],
      ...(log === 'kafka' ? ['--env', 'kafka'] : []),
      ...['--workers', String(workers), '--json'],
      ...(steady ? ['--no-page'] : ['--until-caught-up']),
    ],
    environment: {
      ...(bootstrapServers === undefined ? {} : { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers }),
      ...{ MILLRACE_DIR: directory, KAFKA_CREATE_TOPICS: 'true', BENCH_GROUP: group },
      ...{ BENCH_INPUT: input, BENCH_OUTPUT: output, BENCH_COUNTS: counts },
    },
  }),
})

const common = ({ bootstrapServers, input, output, counts, group, directory }: WindowsTask) => [
  ...[bootstrapServers!, input, output, counts, group, directory],
]

const streams = (threads: number): WindowsEntry => ({
  name: `streams-${threads}`,
  what: `Kafka Streams, exactly_once_v2, RocksDB, ${threads} thread${threads === 1 ? '' : 's'}`,
  ...{ log: 'kafka', isMillrace: false, isExactlyOnce: true },
  start: (task) => {
    const { java: command, args } = javaPeers()
    return { command, args: [...args, 'WindowsPeer', ...common(task), String(threads)] }
  },
})

const python = (
  name: string,
  what: string,
  script: string,
  needs: readonly string[],
  isExactlyOnce: boolean,
): WindowsEntry => ({
  ...{ name, what, log: 'kafka', isMillrace: false, isExactlyOnce },
  start: (task) => {
    const { python: command, missing } = pythonPeers()
    for (const one of needs) {
      const why = missing.get(one)
      if (why !== undefined) throw new Error(`${one} could not be installed: ${why}`)
    }
    return { command, args: [here(`./peers/${script}`), ...common(task)] }
  },
})

export const windowsEntries: readonly WindowsEntry[] = [
  millrace('embedded', 1),
  millrace('embedded', 2),
  millrace('kafka', 1),
  millrace('kafka', 2),
  streams(1),
  streams(2),
  python(
    ...(['bytewax', 'Bytewax, at least once, its state in memory alone'] as const),
    ...(['kafka_bytewax_windows.py', ['bytewax', 'confluent-kafka', 'orjson'], false] as const),
  ),
  python(
    ...(['quix', 'Quix Streams, exactly once, RocksDB'] as const),
    ...(['kafka_quix_windows.py', ['quixstreams'], true] as const),
  ),
]
