/**
 * The registry: which model version a name stands for. Entries are messages of a compacted topic,
 * so they are kept, replicated and read like everything else; artefacts lie in a store by their hash.
 */
import { BatchBuilder } from '../core/batch-builder.ts'
import { codeOf } from '../core/errors.ts'
import type { Log } from '../log/log.ts'

export const registryTopic = 'millrace.registry'

export interface RegisteredModel {
  readonly name: string
  /** Content hash of the artefact. */
  readonly version: string
  readonly registeredAtMs: number
  /** What the training found: settings, seconds, scores. */
  readonly details: Readonly<Record<string, unknown>>
}

/** Makes a version the one that a name stands for. */
export async function registerModel(log: Log, model: RegisteredModel): Promise<void> {
  await ensureTopic(log)
  const builder = new BatchBuilder(registryTopic, 0)
  builder.append(model.name, JSON.stringify(model), model.registeredAtMs)
  await log.commit({ outputs: [{ topic: registryTopic, partition: 0, batch: builder.build() }] })
}

/** The newest entry of every name. */
export async function registeredModels(log: Log): Promise<Map<string, RegisteredModel>> {
  const models = new Map<string, RegisteredModel>()
  if ((await log.topic(registryTopic)) === undefined) return models
  for (let offset = 0; ; ) {
    const batch = await log.read(registryTopic, 0, offset)
    if (batch === undefined) return models
    for (let index = 0; index < batch.count; index++) {
      const name = batch.bytes.toString('utf8', batch.keyStarts[index]!, batch.keyEnds[index]!)
      const start = batch.valueStarts[index]!
      if (start < 0) models.delete(name)
      else {
        const json = batch.bytes.toString('utf8', start, batch.valueEnds[index]!)
        models.set(name, JSON.parse(json) as RegisteredModel)
      }
    }
    offset = batch.nextOffset
  }
}

async function ensureTopic(log: Log): Promise<void> {
  if ((await log.topic(registryTopic)) !== undefined) return
  try {
    await log.createTopic(registryTopic, { partitions: 1, cleanup: 'compact' })
  } catch (error) {
    // Another process was first, which is as good.
    if (codeOf(error) !== 'TOPIC_EXISTS') throw error
  }
}
