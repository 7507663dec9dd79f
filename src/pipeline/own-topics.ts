/**
 * Topics on Kafka that Millrace makes for itself, whatever the application declares. It makes them
 * without being asked; where it may not, they have to be made beforehand, and it says which.
 */
import { codeOf, fail, messageOf } from '../core/errors.ts'
import { changelogOf, changelogSettings } from '../log/kafka-changelog.ts'
import { controlTopic } from '../log/kafka-control.ts'
import { defaultTopicSettings, type Log, type TopicSettings } from '../log/log.ts'
import { figuresSettings, figuresTopic } from '../monitoring/figures.ts'
import { boardsTopic } from '../panels/told-boards.ts'
import { registryTopic } from '../registry/entries.ts'
import { type PipelinePlan, type Plan, sourceTopic } from './plan.ts'
import { keepsState, stateStore } from './state-store.ts'
import { type Cluster, createCommand } from './topic-commands.ts'

export interface OwnTopic {
  readonly name: string
  readonly settings: TopicSettings
}

/** Turns keep a topic beside their group, which takes no messages. */
export const turnsTopic = 'millrace.start'

const single: TopicSettings = { ...defaultTopicSettings, partitions: 1 }
const table: TopicSettings = { ...single, cleanup: 'compact' }

/** The name that a topic, group or store has on the cluster, with the prefix. */
export type Kept = (name: string) => string

/** Those of any application, by their names on the cluster. */
export const sharedTopics = (kept: Kept): OwnTopic[] => [
  { name: kept(controlTopic), settings: table },
  { name: kept(turnsTopic), settings: single },
  { name: kept(figuresTopic), settings: { ...defaultTopicSettings, ...figuresSettings } },
  { name: kept(boardsTopic), settings: table },
  { name: kept(registryTopic), settings: table },
  { name: changelogOf(kept('millrace.start-over')), settings: changelogSettings(0) },
]

/** Those of the steps and sources of an application; its dead letters and replays are in the plan. */
export function stepTopics(plan: Plan, kept: Kept): OwnTopic[] {
  return plan.pipelines.flatMap((pipeline) => {
    const { name, inputs, steps } = pipeline
    const stores = steps.filter(keepsState).map((step) => stateStore(name, step.name))
    // A group keeps the position of a source under a topic's name.
    const sources = inputs.filter(({ kind }) => kind === 'source')
    return [
      ...sources.map((input) => ({ name: kept(sourceTopic({ name }, input)), settings: single })),
      ...stores.map((store) => ({
        name: changelogOf(kept(store)),
        settings: changelogSettings(partitionsOf(plan, pipeline) - 1),
      })),
    ]
  })
}

function partitionsOf(plan: Plan, { inputs }: PipelinePlan): number {
  const read = plan.topics.filter(({ name }) => inputs.some((input) => input.name === name))
  return Math.max(1, ...read.map(({ settings }) => settings.partitions))
}

/** Where it failed because a topic of Millrace's own may not be made: that, with all that are missing. */
export async function withOwnMissing(
  error: unknown,
  log: Log,
  plan: Plan,
  cluster: Cluster,
): Promise<unknown> {
  const said = messageOf(error)
  const isAboutTopics = /^(create topic|add partitions to topic) /.test(said)
  if (codeOf(error) !== 'LOG_FORBIDDEN' || !isAboutTopics) return error
  const { prefix } = cluster
  const kept = (name: string) => `${prefix}${name}`
  const own = plan.topics
    .filter(({ internal }) => internal)
    .map(({ name, settings }) => ({ name: kept(name), settings }))
  const missing: OwnTopic[] = []
  for (const topic of [...sharedTopics(kept), ...own, ...stepTopics(plan, kept)]) {
    const shown = topic.name.startsWith(prefix) ? topic.name.slice(prefix.length) : topic.name
    if ((await log.topic(shown)) === undefined) missing.push(topic)
  }
  if (missing.length === 0) return error
  const words = `${said}; Millrace makes topics for itself, and this user may not: let it (Create on the cluster, or on topics that begin with a prefix), or have those that it does not see made by somebody who may`
  const whole = { ...cluster, prefix: '' }
  const commands = missing.map(({ name, settings }) => createCommand(whole, name, settings))
  return fail('LOG_FORBIDDEN', [words, ...commands].join('\n  '), { cause: error })
}
