/** The doctor's words for what this user may not do and would have to. */
import type { Desk } from '../log/kafka-probe-cluster.ts'
import { groupRights, topicRights, transactionRights } from '../log/kafka-probe-rights.ts'
import type { NamedFinding } from './doctor-check.ts'
import { type Grantor, grants, type Lack, type Resource } from './doctor-kafka-grant.ts'
import type { KafkaUse } from './doctor-kafka-use.ts'

export async function rightsFindings(
  desk: Desk,
  use: KafkaUse,
  grantor: Grantor,
): Promise<NamedFinding[]> {
  const topics: Lack[] = []
  const refused: string[] = []
  for (const topic of [...use.topics, ...use.own]) {
    const { missing, refused: why } = await topicRights(desk, topic)
    if (missing.length > 0) {
      topics.push({ resource: { kind: 'topic', name: topic.name }, operations: missing })
    }
    if (why !== undefined) refused.push(`${topic.name}: ${why}`)
  }
  const groups: Lack[] = []
  for (const group of use.groups) {
    const operations = await groupRights(desk, group)
    const resource = { kind: 'group', name: group.name } as const
    if (operations.length > 0) groups.push({ resource, operations })
  }
  const transactions: Lack[] = []
  for (const { id, begin } of use.transactions) {
    const operations = await transactionRights(desk, id)
    const resource = { kind: 'transactional-id', begin } as const
    if (operations.length > 0) transactions.push({ resource, operations })
  }
  const begins = use.transactions.map(({ begin }) => `${begin}*`).join(', ')
  return [
    ...lacksFinding(
      'topic rights',
      topics,
      grantor,
      `${use.topics.length + use.own.length} topics`,
    ),
    ...lacksFinding(
      'group rights',
      groups,
      grantor,
      `groups ${use.groups.map(({ name }) => name).join(', ')}`,
    ),
    ...lacksFinding('transactions', transactions, grantor, `transactional ids ${begins}`),
    ...refusedFindings(refused),
  ]
}

function lacksFinding(
  name: string,
  lacks: readonly Lack[],
  grantor: Grantor,
  looked: string,
): NamedFinding[] {
  if (lacks.length === 0) {
    return [{ name, health: 'ok', saw: `all that is needed is allowed, on ${looked}` }]
  }
  // Without its settings a topic is taken to be as it was declared.
  const isNeeded = lacks.some(({ operations }) =>
    operations.some((one) => one !== 'DescribeConfigs'),
  )
  const list = lacks.map(({ resource, operations }) => {
    return `${operations.join(' and ')} on ${resource.kind} ${shown(resource)}`
  })
  const saw = `${grantor.principal} may not ${list.join('; ')}`
  return [{ name, health: isNeeded ? 'fail' : 'warn', saw, fix: grants(lacks, grantor) }]
}

const shown = (resource: Resource) => ('begin' in resource ? `${resource.begin}*` : resource.name)

function refusedFindings(refused: readonly string[]): NamedFinding[] {
  if (refused.length === 0) return []
  const fix = 'correct the declaration, or let somebody make the topics beforehand'
  const saw = `the cluster would not make ${refused.join('; ')}`
  return [{ name: 'new topics', health: 'fail', saw, fix }]
}
