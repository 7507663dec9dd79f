/** What an application, or any use of Millrace, needs of a cluster: topics, groups, transactional ids. */
import type { Operation } from '../log/kafka-probe-rights.ts'
import type { TopicSettings } from '../log/log.ts'
import { type OwnTopic, sharedTopics, stepTopics, turnsTopic } from '../pipeline/own-topics.ts'
import type { Plan } from '../pipeline/plan.ts'
import { registryTopic } from '../registry/entries.ts'

export interface KafkaUse {
  readonly topics: readonly NeededTopic[]
  readonly groups: readonly NeededGroup[]
  readonly transactions: readonly NeededTransaction[]
  /** Topics that Millrace keeps for itself, whatever runs. */
  readonly own: readonly NeededTopic[]
}

export interface NeededTopic {
  readonly name: string
  readonly operations: readonly Operation[]
  readonly settings: TopicSettings
  readonly declared: Partial<TopicSettings>
}

export interface NeededGroup {
  readonly name: string
  readonly operations: readonly Operation[]
}

export interface NeededTransaction {
  /** One of those that could be used. */
  readonly id: string
  /** What they all begin with. */
  readonly begin: string
}

const groupOperations = ['Read', 'Describe'] as const
const turnOperations = ['Read', 'Describe', 'Delete'] as const

/** Names as the cluster has them; without a plan only what any application needs. */
export function kafkaUse(prefix: string, plan?: Plan): KafkaUse {
  const kept = (name: string) => (prefix === '' ? name : `${prefix}.${name}`)
  const names = plan?.pipelines.map((one) => one.name) ?? []
  const begins = ['millrace', ...names].map((name) => `${kept(name)}.`)
  return {
    topics: plan === undefined ? [] : topicsOf(plan, kept),
    own: sharedTopics(kept).map(ownTopic),
    groups: [
      // A turn that is over leaves no group behind.
      ...[turnsTopic, registryTopic].map((name) => ({
        name: kept(name),
        operations: turnOperations,
      })),
      ...names.map((name) => ({ name: kept(name), operations: groupOperations })),
    ],
    transactions: begins.map((begin) => ({ id: `${begin}doctor`, begin })),
  }
}

const ownTopic = ({ name, settings }: OwnTopic): NeededTopic => ({
  name,
  operations: ['Read', 'Write', 'DescribeConfigs'],
  settings,
  declared: {},
})

function topicsOf(plan: Plan, kept: (name: string) => string): NeededTopic[] {
  const topics = plan.topics.map(({ name, readBy, writtenBy, internal, settings, declared }) => {
    // The monitor and the page read what is written, and dead letters are replayed by hand.
    const reads = internal || readBy.length > 0 || writtenBy.length > 0
    const operations: Operation[] = [
      ...(reads ? (['Read'] as const) : []),
      ...(internal || writtenBy.length > 0 ? (['Write'] as const) : []),
      'DescribeConfigs',
    ]
    return { name: kept(name), operations, settings, declared }
  })
  return [...topics, ...stepTopics(plan, kept).map(ownTopic)]
}
