/** Where a test's log is: in memory, or on a Kafka under a prefix of its own that is removed at the end. */
import { chooseEnvironment } from '../config/environment.ts'
import { codeOf, fail } from '../core/errors.ts'
import type { Commit, Log } from '../log/log.ts'
import { createMemoryLog, MemoryStore } from '../log/memory.ts'
import { prefixed } from '../log/prefixed.ts'
import type { Definition } from '../pipeline/definition.ts'
import { sourceTopic } from '../pipeline/plan.ts'
import { RunningClock, type TestClock, VirtualClock } from './test-clock.ts'

/** What one process has of it. */
export interface Handle {
  readonly log: Log
  /** Brings a commit to where all is written and nothing decided; it fails there. */
  write(commit: Commit): Promise<unknown>
  close(): Promise<void>
}

export interface World {
  readonly clock: TestClock
  /** For the test's own questions and messages. */
  readonly log: Log
  /** For a process whose sleep may end before it wakes. */
  open(sleep: TestClock['sleep']): Promise<Handle>
  /** Takes away all that was made for this test. */
  remove(definitions: readonly Definition[]): Promise<void>
}

export const logVariable = 'MILLRACE_LOG'

/** Throws `TEST_INVALID` for a log that there is not, `CONFIG_INVALID` where Kafka is not described. */
export async function openWorld(asked: string | undefined, startMs: number): Promise<World> {
  const wanted = asked ?? (process.env[logVariable] || 'memory')
  if (wanted === 'memory') return memoryWorld(startMs)
  if (wanted === 'kafka') return kafkaWorld(startMs)
  const from = asked === undefined ? logVariable : "pipelineTest: option 'log'"
  throw fail('TEST_INVALID', `${from}: there is no log '${wanted}' to test on; say memory or kafka`)
}

function memoryWorld(startMs: number): World {
  const clock = new VirtualClock(startMs)
  const store = new MemoryStore()
  // Members are not given up for silence: in a leap of time they cannot speak.
  const open = (sleep: TestClock['sleep']) =>
    createMemoryLog({ store, clock: { now: () => 0, sleep } })
  return {
    clock,
    log: open((waitMs, signal) => clock.sleep(waitMs, signal)),
    async open(sleep) {
      // What is written and not decided is nowhere to be seen.
      return { log: open(sleep), write: async () => undefined, close: async () => undefined }
    },
    remove: async () => undefined,
  }
}

/** Of this process; with the time it is nobody else's, also on a cluster that is kept. */
let worlds = 0

async function kafkaWorld(startMs: number): Promise<World> {
  const environment = await chooseEnvironment({ name: 'kafka', app: '/' })
  const choice = environment.log
  if (choice.kind !== 'kafka') throw new Error('the environment kafka is one on Kafka')
  const own = `test-${process.pid.toString(36)}-${Date.now().toString(36)}-${++worlds}`
  // Who may use only names that begin with MILLRACE_PREFIX can test there too.
  const prefix = environment.prefix === '' ? own : `${environment.prefix}.${own}`
  const { openKafkaLog } = await import('../log/kafka.ts')
  const { directory } = environment
  const openOne = async (onStep?: (step: string) => void) => {
    const connection = await choice.connection({ clientId: 'millrace-test', directory })
    const { replicationFactor } = choice.topics
    const opened = await openKafkaLog({
      ...{ connection, prefix: `${prefix}.`, replicationFactor, onStep },
    })
    return prefixed(opened, prefix)
  }
  const log = await openOne()
  return {
    clock: new RunningClock(startMs),
    log,
    async open() {
      let isEnding = false
      const opened = await openOne((step) => {
        if (isEnding && step === 'ending') throw new Error('the test ends the process here')
      })
      const write = (commit: Commit) => {
        isEnding = true
        return opened.commit(commit)
      }
      return { log: opened, write, close: () => opened.close() }
    },
    async remove(definitions) {
      try {
        await removeAll(log, definitions)
      } finally {
        await log.close()
      }
    },
  }
}

async function removeAll(log: Log, definitions: readonly Definition[]): Promise<void> {
  for (const { name } of definitions) await log.deleteGroup(name)
  // Positions of sources are kept under names that are not listed.
  const hidden = definitions.flatMap((definition) =>
    definition.inputs.flatMap((input) =>
      input.kind === 'source' ? [sourceTopic(definition, input)] : [],
    ),
  )
  const listed = (await log.topics()).map(({ name }) => name)
  for (const name of [...listed, ...hidden]) {
    await log.deleteTopic(name).catch((error: unknown) => {
      if (codeOf(error) !== 'TOPIC_UNKNOWN') throw error
    })
  }
}
