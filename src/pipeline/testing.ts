/**
 * Runs pipelines in one process over any log until they are caught up: for tests, of Millrace itself
 * and of applications. Without a directory of its own nothing but the log is touched.
 */
import { tmpdir } from 'node:os'
import { BatchBuilder } from '../core/batch-builder.ts'
import { systemClock } from '../core/clock.ts'
import { Message } from '../core/message.ts'
import { seededRandom } from '../core/random.ts'
import type { Log } from '../log/log.ts'
import { type Audit, audit } from './audit.ts'
import { CaughtUp } from './caught-up.ts'
import type { Codecs } from './codecs.ts'
import type { Definition } from './definition.ts'
import { ensureTopics } from './ensure-topics.ts'
import { planOf } from './plan.ts'
import { Runner } from './runner.ts'

export interface TestRun {
  readonly audits: ReadonlyMap<string, Audit>
}

/** Runs until caught up. Throws what stops a pipeline. */
export async function runUntilCaughtUp(
  log: Log,
  pipelines: readonly { readonly '~pipeline': Definition }[],
  directory: string = tmpdir(),
  codecs?: Codecs,
): Promise<TestRun> {
  const given = pipelines.map((one) => one['~pipeline'])
  const plan = planOf(given)
  const definitions = plan.pipelines.map(({ name }) => given.find((one) => one.name === name)!)
  await ensureTopics(log, plan)
  const stopping = new AbortController()
  const failures: unknown[] = []
  const runners = definitions.map(
    (definition) =>
      new Runner({
        ...{ definition, log, directory, codecs, clock: systemClock, random: seededRandom(1) },
        ratePerSecond: Number.POSITIVE_INFINITY,
        untilEnd: true,
      }),
  )
  const caughtUp = new CaughtUp(log, definitions)
  await caughtUp.start()
  const runs = runners.map((runner) =>
    runner.run(stopping.signal).catch((error: unknown) => failures.push(error)),
  )
  const isOpen = () =>
    runners.some(({ progress }) => !progress.isSettled || progress.openSources > 0)
  while (failures.length === 0 && (isOpen() || !(await caughtUp.check()))) {
    for (const [index, { name }] of definitions.entries()) {
      runners[index]!.ended = caughtUp.ended.get(name)
    }
    await systemClock.sleep(5)
  }
  stopping.abort()
  await Promise.all(runs)
  if (failures.length > 0) throw failures[0]
  const audits = new Map<string, Audit>()
  for (const definition of definitions) audits.set(definition.name, await audit(log, definition))
  return { audits }
}

/** Appends values to one partition of a topic, as JSON or, where they are buffers, as they are. */
export async function appendAll(
  log: Log,
  topic: string,
  messages: readonly {
    readonly key?: string
    readonly value: unknown
    readonly time?: number
    readonly partition?: number
  }[],
): Promise<void> {
  const builders = new Map<number, BatchBuilder>()
  for (const { key, value, time, partition = 0 } of messages) {
    const builder = builders.get(partition) ?? new BatchBuilder(topic, partition)
    builders.set(partition, builder)
    const bytes = Buffer.isBuffer(value) || value === null ? value : JSON.stringify(value)
    builder.append(key ?? null, bytes, time ?? 0)
  }
  const outputs = [...builders].map(([partition, builder]) => ({
    topic,
    partition,
    batch: builder.build(),
  }))
  await log.commit({ outputs })
}

/** Everything that a topic holds, by partition and offset. */
export async function readAll(log: Log, topic: string): Promise<Message[]> {
  const messages: Message[] = []
  const info = await log.topic(topic)
  for (let partition = 0; partition < (info?.partitions ?? 0); partition++) {
    for (let offset = 0; ; ) {
      const batch = await log.read(topic, partition, offset)
      if (batch === undefined) break
      for (let index = 0; index < batch.count; index++) messages.push(new Message(batch, index))
      offset = batch.nextOffset
    }
  }
  return messages
}

/** The JSON values that a topic holds. */
export async function readValues(log: Log, topic: string): Promise<unknown[]> {
  return (await readAll(log, topic)).map((message) => JSON.parse(String(message.value)) as unknown)
}
