/**
 * Topics as an application declares them, before it runs: made where they are missing, compared with
 * the declaration where they are there. Nothing that exists is ever changed.
 */
import { codeOf, fail } from '../core/errors.ts'
import type { Log, TopicInfo } from '../log/log.ts'
import { besideJoined, checkJoinedTopics } from './join-topics.ts'
import type { Plan, TopicPlan } from './plan.ts'
import { type Cluster, createCommand } from './topic-commands.ts'
import { differencesOf } from './topic-differences.ts'

export interface EnsureOptions {
  /** Where the log is on Kafka; undefined: a log of our own. */
  readonly cluster?: Cluster | undefined
  /** Which missing topics are made. The pipelines' own are made in any case. */
  readonly mayCreate?: (topic: TopicPlan) => boolean
  /** Told what differs and does no harm. */
  readonly warn?: (words: string) => void
}

/**
 * Throws `TOPICS_MISSING`, with all that are; `TOPIC_DIFFERS` where a pipeline would be wrong, with all
 * reasons; `PIPELINE_INVALID` for topics that cannot be joined as they are.
 */
export async function ensureTopics(
  log: Log,
  plan: Plan,
  options: EnsureOptions = {},
): Promise<void> {
  const existing = await existingTopics(log, plan)
  checkMissing(plan, existing, options)
  const known = new Map<string, TopicInfo>()
  const errors: string[] = []
  // The pipelines' own topics come last, and are made to fit the others.
  for (const topic of plan.topics) {
    const planned = asNeeded(plan, topic, known)
    const info = existing.get(planned.name) ?? (await create(log, planned))
    if (info === undefined) continue
    for (const { severity, words } of differencesOf(info, planned, options.cluster)) {
      if (severity === 'error') errors.push(words)
      else options.warn?.(words)
    }
    known.set(planned.name, info)
  }
  if (errors.length > 0) throw fail('TOPIC_DIFFERS', errors.join('\n  '))
  checkJoinedTopics(plan, known)
}

/** Only beside a join it matters how many partitions dead letters and replays have. */
function asNeeded(plan: Plan, topic: TopicPlan, known: ReadonlyMap<string, TopicInfo>): TopicPlan {
  const beside = besideJoined(plan, topic, known)
  if (beside !== topic || !topic.internal) return beside
  const { partitions: _, ...declared } = topic.declared
  return { ...topic, declared }
}

async function existingTopics(log: Log, plan: Plan): Promise<Map<string, TopicInfo>> {
  const found = new Map<string, TopicInfo>()
  for (const { name } of plan.topics) {
    const info = await log.topic(name)
    if (info !== undefined) found.set(name, info)
  }
  return found
}

function checkMissing(
  plan: Plan,
  existing: ReadonlyMap<string, TopicInfo>,
  { cluster, mayCreate = () => true }: EnsureOptions,
): void {
  const missing = plan.topics.filter((topic) => {
    return !topic.internal && !existing.has(topic.name) && !mayCreate(topic)
  })
  if (missing.length === 0) return
  const names = missing.map(({ name }) => name)
  const what = names.length === 1 ? `topic ${names[0]} does` : `topics ${names.join(', ')} do`
  const where = cluster === undefined ? '' : ` on ${cluster.log.brokers.join(',')}`
  const seen = `${what} not exist${where} (or this user may not see it)`
  const fix = 'let the run make what is missing with --create-topics'
  if (cluster === undefined) throw fail('TOPICS_MISSING', `${seen}; ${fix}`)
  const commands = missing.map(({ name, settings }) => createCommand(cluster, name, settings))
  throw fail('TOPICS_MISSING', [`${seen}; ${fix}, or with`, ...commands].join('\n  '))
}

async function create(log: Log, planned: TopicPlan): Promise<TopicInfo | undefined> {
  try {
    return await log.createTopic(planned.name, planned.settings)
  } catch (error) {
    // Another process was first: then its settings are compared.
    if (codeOf(error) === 'TOPIC_EXISTS') return log.topic(planned.name)
    throw error
  }
}
