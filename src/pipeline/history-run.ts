/**
 * What a pipeline knows of each message at the time of that message, reckoned anew from its topics: by
 * the very steps that reckon it live, in a log of its own that is thrown away. Neither the pipeline's
 * state nor its topics are touched, whether it runs or not.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Message } from '../core/message.ts'
import { openEmbeddedLog } from '../log/embedded.ts'
import type { Log } from '../log/log.ts'
import type { Codecs } from './codecs.ts'
import type { Definition } from './definition.ts'
import { ensureTopics } from './ensure-topics.ts'
import { copyHistory } from './history-copy.ts'
import { type HistoryPlan, historyPlan, rowsTopic } from './history-plan.ts'
import { withTopicsOf } from './inputs.ts'
import { planOf } from './plan.ts'
import { runUntilCaughtUp } from './testing.ts'

export interface HistoryOptions {
  /** The step that rows come to: see `historyPlan`. */
  readonly before?: string | undefined
  readonly codecs?: Codecs | undefined
}

/** A message as it comes to the step behind its features. */
export interface HistoryRow {
  readonly id: string
  readonly timeMs: number
  readonly value: unknown
}

export interface History extends Omit<HistoryPlan, 'definition'> {
  /** In the order of event time, as far as each partition keeps it. May be gone through again. */
  rows(): AsyncGenerator<HistoryRow>
  /** How many messages the topics had whose rows these are. */
  readonly messages: number
  /** What has no row, as it has none live. */
  readonly late: number
  readonly deadLetters: number
}

/** Reckons the history, and gives it to `work`; it is gone once that is done. */
export async function withHistory<Result>(
  log: Log,
  definition: Definition,
  options: HistoryOptions,
  work: (history: History) => Promise<Result>,
): Promise<Result> {
  const known = new Map((await log.topics()).map((topic) => [topic.name, topic]))
  const [found] = await withTopicsOf(log, [definition])
  const { definition: cut, ...plan } = historyPlan(found!, known, options.before)
  const directory = await mkdtemp(join(tmpdir(), 'millrace-history-'))
  try {
    const own = await openEmbeddedLog({ directory, maintain: false, durability: 'process' })
    try {
      await ensureTopics(own, planOf([cut]))
      const counts = await copyHistory(log, plan.reads, own)
      const { audits } = await runUntilCaughtUp(
        own,
        [{ '~pipeline': cut }],
        directory,
        options.codecs,
      )
      const steps = [...audits.get(cut.name)!.steps.values()]
      return await work({
        ...plan,
        rows: () => rowsOf(own),
        messages: plan.main.reduce((sum, name) => sum + counts.get(name)!, 0),
        late: steps.reduce((sum, { late }) => sum + late, 0),
        deadLetters: steps.reduce((sum, { deadLettered }) => sum + deadLettered, 0),
      })
    } finally {
      await own.close()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function* rowsOf(log: Log): AsyncGenerator<HistoryRow> {
  for (let offset = 0; ; ) {
    const batch = await log.read(rowsTopic, 0, offset)
    if (batch === undefined) return
    for (let index = 0; index < batch.count; index++) {
      const { id, time, value } = new Message(batch, index)
      // What deletes a key is no row.
      if (value !== null) yield { id, timeMs: time, value: JSON.parse(String(value)) as unknown }
    }
    offset = batch.nextOffset
  }
}
