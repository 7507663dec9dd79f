/** Who takes part in bench/kafka.ts, and by which command; all read and write the same topics. */
import { fileURLToPath } from 'node:url'
import { javaPeers } from './kafka-java.ts'
import { pythonPeers } from './kafka-python.ts'

/** What a contestant is told to work on. */
export interface Task {
  readonly bootstrapServers: string
  readonly input: string
  readonly output: string
  readonly group: string
  /** Where Millrace keeps its state, and where the files of the model lie. */
  readonly directory: string
  readonly rows: string
  readonly model: string
}

export interface Start {
  readonly command: string
  readonly args: readonly string[]
  readonly environment?: NodeJS.ProcessEnv
}

export interface Entry {
  readonly name: string
  readonly what: string
  readonly kind: 'bare' | 'millrace' | 'peer'
  /** Every message comes out exactly once, and the bench counts them. */
  readonly isExactlyOnce: boolean
  readonly hasLatency: boolean
  /** Throws with why it cannot take part here. `steady`: until it is ended, not until all is done. */
  start(task: Task, steady: boolean): Start
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const bin = here('../bin/millrace.js')

const millrace = (workers: number): Entry => ({
  name: `millrace-${workers}`,
  what: `**Millrace, exactly once, ${workers} worker${workers === 1 ? '' : 's'}**`,
  ...{ kind: 'millrace', isExactlyOnce: true, hasLatency: workers === 1 },
  start: ({ bootstrapServers, input, output, group, directory }, steady) => ({
    command: process.execPath,
    args: [
      ...(process.env.BENCH_NODE_OPTIONS?.split(' ') ?? []),
      ...[bin, 'run', here('./kafka-app.ts'), '--env', 'kafka', '--workers', String(workers)],
      ...['--json', ...(steady ? ['--no-page'] : ['--until-caught-up'])],
    ],
    environment: {
      ...{ KAFKA_BOOTSTRAP_SERVERS: bootstrapServers, MILLRACE_DIR: directory },
      KAFKA_CREATE_TOPICS: 'true',
      ...{ BENCH_INPUT: input, BENCH_OUTPUT: output, BENCH_GROUP: group },
    },
  }),
})

const ours = (how: 'plain' | 'transactions', what: string): Entry => ({
  ...{ name: `bare-millrace-${how}`, what, kind: 'bare', hasLatency: false },
  isExactlyOnce: how === 'transactions',
  start: ({ bootstrapServers, input, output, group }) => ({
    command: process.execPath,
    args: [here('./kafka-bare.ts'), bootstrapServers, input, output, group, how],
  }),
})

const java = (
  entry: Omit<Entry, 'start'>,
  className: string,
  more: (task: Task) => readonly string[] = () => [],
): Entry => ({
  ...entry,
  start: (task) => {
    const { java: command, args } = javaPeers()
    const { bootstrapServers, input, output, group } = task
    const own = [bootstrapServers, input, output, group, ...more(task)]
    return { command, args: [...args, className, ...own] }
  },
})

const streams = (name: string, guarantee: string, what: string): Entry =>
  java(
    {
      ...{ name, what, kind: 'peer' },
      ...{ isExactlyOnce: guarantee === 'exactly_once_v2', hasLatency: name === 'streams-eos' },
    },
    'StreamsPeer',
    ({ model }) => [model, guarantee, '1'],
  )

const python = (
  name: string,
  what: string,
  script: string,
  needs: readonly string[],
  kind: Entry['kind'] = 'peer',
): Entry => ({
  ...{ name, what, kind, isExactlyOnce: false, hasLatency: name === 'confluent-batches' },
  start: ({ bootstrapServers, input, output, group, rows, model }) => {
    const { python: command, missing } = pythonPeers()
    for (const one of needs) {
      const why = missing.get(one)
      if (why !== undefined) throw new Error(`${one} could not be installed: ${why}`)
    }
    const own = [bootstrapServers, input, output, group]
    const args = [here(`./peers/${script}`), ...own, ...(kind === 'bare' ? [] : [rows, model])]
    // One thread each, for NumPy, SciPy and scikit-learn.
    return { command, args, environment: { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' } }
  },
})

const scikitLearn = ['scikit-learn', 'orjson']

export const entries: readonly Entry[] = [
  python(
    ...(['bare-librdkafka', 'no model: librdkafka from Python'] as const),
    ...(['kafka_bare_librdkafka.py', ['confluent-kafka'], 'bare'] as const),
  ),
  java(
    {
      ...{ name: 'bare-java', what: 'no model: the Java clients', kind: 'bare' },
      ...{ isExactlyOnce: false, hasLatency: false },
    },
    'BarePeer',
  ),
  ours('plain', "no model: Millrace's client"),
  ours('transactions', "no model: Millrace's log, exactly once, one thread"),
  millrace(1),
  millrace(2),
  streams('streams-eos', 'exactly_once_v2', 'Kafka Streams, exactly_once_v2, 1 thread'),
  streams('streams-alo', 'at_least_once', 'Kafka Streams, at least once, 1 thread'),
  python(
    ...(['confluent-batches', 'confluent-kafka, batches of 2,000, scikit-learn, orjson'] as const),
    ...(['kafka_confluent_batches.py', ['confluent-kafka', ...scikitLearn]] as const),
  ),
  python(
    ...(['bytewax', 'Bytewax, batches into scikit-learn, orjson'] as const),
    ...(['kafka_bytewax_batches.py', ['bytewax', 'confluent-kafka', ...scikitLearn]] as const),
  ),
  python(
    ...(['quix', 'Quix Streams, one predict_proba a message'] as const),
    ...(['kafka_quix_each.py', ['quixstreams', ...scikitLearn]] as const),
  ),
  python(
    ...(['kafka-python', 'by hand: kafka-python, one predict_proba a message'] as const),
    ...(['kafka_python_each.py', ['kafka-python', ...scikitLearn]] as const),
  ),
]
