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
  const now = await withTopicsOf(log, definitions)
  const all = await Promise.all(now.map((definition) => standingOfOne(log, definition, feeds)))
  return {
    open: all.flatMap(({ open }) => open),
    signature: all.map(({ signature }) => signature).join('\n'),
  }
}

async function standingOfOne(
  log: Log,
  definition: Definition,
  feeds: readonly Feed[],
): Promise<Standing> {
  const { name } = definition
  const group = await log.group(name)
  const unfed = feeds.flatMap(({ topic, pipeline, fed }) => {
    const offset = offsetOf(group, topic, 0) ?? 0
    if (pipeline !== name || offset >= fed.length) return []
    return [`${pipeline}: ${offset} of ${fed.length} of ${topic}`]
  })
  const names = topicInputs(definition).map(({ topic }) => topic.name)
  const topics = [...new Set([...names, replayTopic(name)])]
  const unread = await Promise.all(topics.map((topic) => openOf(log, name, group, topic)))
  const signature = JSON.stringify(group?.checkpoints)
  return { open: [...unfed, ...unread.flat()], signature }
}

async function openOf(
  log: Log,
  pipeline: string,
  group: GroupInfo | undefined,
  topic: string,
): Promise<string[]> {
  const { partitions = 0 } = (await log.topic(topic)) ?? {}
  const open = Array.from({ length: partitions }, async (_, partition) => {
    const { start, end } = await log.offsets(topic, partition)
    const offset = offsetOf(group, topic, partition) ?? start
    return offset < end ? [`${pipeline}: ${topic}/${partition} read to ${offset} of ${end}`] : []
  })
  return (await Promise.all(open)).flat()
}

const offsetOf = (group: GroupInfo | undefined, topic: string, partition: number) =>
  group?.checkpoints.find((one) => one.topic === topic && one.partition === partition)?.offset
