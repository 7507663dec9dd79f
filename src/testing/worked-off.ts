/** Whether everything that pipelines read has been read, and what they did is committed. */
import type { GroupInfo, Log } from '../log/log.ts'
import { replayTopic } from '../pipeline/dead-letters.ts'
import type { Definition } from '../pipeline/definition.ts'
import { topicInputs, withTopicsOf } from '../pipeline/inputs.ts'
import type { Feed } from './stand-ins.ts'

export interface Standing {
  /** What is not worked off yet, in words. */
  readonly open: readonly string[]
  /** Changes with every commit of a pipeline. */
  readonly signature: string
}

export async function standingOf(
  log: Log,
  definitions: readonly Definition[],
  feeds: readonly Feed[],
): Promise<Standing> {
  const open: string[] = []
  const signatures: string[] = []
  for (const definition of await withTopicsOf(log, definitions)) {
    const group = await log.group(definition.name)
    signatures.push(JSON.stringify(group?.checkpoints))
    for (const { topic, pipeline, fed } of feeds) {
      if (pipeline !== definition.name) continue
      const offset = offsetOf(group, topic, 0) ?? 0
      if (offset < fed.length) open.push(`${pipeline}: ${offset} of ${fed.length} of ${topic}`)
    }
    const names = topicInputs(definition).map(({ topic }) => topic.name)
    for (const topic of new Set([...names, replayTopic(definition.name)])) {
      open.push(...(await openOf(log, definition.name, group, topic)))
    }
  }
  return { open, signature: signatures.join('\n') }
}

async function openOf(
  log: Log,
  pipeline: string,
  group: GroupInfo | undefined,
  topic: string,
): Promise<string[]> {
  const open: string[] = []
  const partitions = (await log.topic(topic))?.partitions ?? 0
  for (let partition = 0; partition < partitions; partition++) {
    const { start, end } = await log.offsets(topic, partition)
    const offset = offsetOf(group, topic, partition) ?? start
    if (offset < end) open.push(`${pipeline}: ${topic}/${partition} read to ${offset} of ${end}`)
  }
  return open
}

const offsetOf = (group: GroupInfo | undefined, topic: string, partition: number) =>
  group?.checkpoints.find((one) => one.topic === topic && one.partition === partition)?.offset
