/** Starting over: with `fresh` nothing of an older run is there any more. */
import type { Log } from '../log/log.ts'
import { parseCheckpoint } from './checkpoint.ts'
import type { Definition } from './definition.ts'
import type { Plan } from './plan.ts'
import { keepsState, stateStore } from './state-store.ts'

/** Forgets what the pipelines read, wrote and kept, so that they start over. */
export async function startOver(
  log: Log,
  definitions: readonly Definition[],
  plan: Plan,
  directory: string,
): Promise<void> {
  for (const { name } of definitions) {
    // Refused here while somebody runs one of them, before anything is forgotten.
    if (((await log.group(name))?.members.length ?? 0) > 0) await log.deleteGroup(name)
  }
  await markStartOver(log, definitions, Buffer.from('begun'))
  for (const definition of definitions) {
    await forgetSinks(log, definition, directory)
    if ((await log.group(definition.name)) !== undefined) await log.deleteGroup(definition.name)
    for (const step of definition.steps) {
      if (keepsState(step)) await log.deleteState(stateStore(definition.name, step.name))
    }
  }
  for (const topic of plan.topics) {
    const isOurs = topic.writtenBy.length > 0 || topic.internal
    if (isOurs && (await log.topic(topic.name)) !== undefined) await log.deleteTopic(topic.name)
  }
  await markStartOver(log, definitions, null)
}

/** Empties what the pipeline's sinks wrote, and nothing that it never wrote to. */
async function forgetSinks(log: Log, definition: Definition, directory: string): Promise<void> {
  const checkpoints = (await log.group(definition.name))?.checkpoints ?? []
  const saved = checkpoints.map((one) => parseCheckpoint(definition.name, one.metadata))
  for (const step of definition.steps) {
    if (step.kind !== 'to' || step.target.kind !== 'sink') continue
    const { sink } = step.target
    const hasWritten = saved.some(
      ({ sinks, sinkCommits = 0 }) =>
        sinkCommits > 0 && (sink.delivery === 'keyed' || sinks?.[step.name] !== undefined),
    )
    if (hasWritten) await sink.forget({ directory })
  }
}

const startOverStore = 'millrace.start-over'

/** Until it is unmarked, it is begun again by whoever starts next: half of it is no state to go on from. */
async function markStartOver(
  log: Log,
  definitions: readonly Definition[],
  value: Buffer | null,
): Promise<void> {
  const store = { store: startOverStore, partition: 0 }
  const changes = definitions.map(({ name }) => ({ ...store, key: name, value }))
  await log.commit({ outputs: [], changes })
}

/** True when an earlier `startOver` of one of the pipelines was cut off by a crash. */
export async function isHalfForgotten(
  log: Log,
  definitions: readonly Definition[],
): Promise<boolean> {
  const names = definitions.map(({ name }) => name)
  return (await log.state(startOverStore, 0, names)).size > 0
}
