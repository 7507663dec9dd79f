/**
 * A topic as it is beside what an application declares: each difference in words that name both
 * values and what to do. An error is where the pipeline would be wrong, or messages lost that the
 * declaration keeps; everything else runs on, with a warning.
 */
import type { TopicInfo, TopicSettings } from '../log/log.ts'
import type { TopicPlan } from './plan.ts'
import { alterCommand, type Cluster, growCommand } from './topic-commands.ts'

export interface Difference {
  readonly severity: 'warning' | 'error'
  readonly words: string
}

type Setting = keyof TopicSettings

interface Meaning {
  readonly severity: Difference['severity']
  /** What comes of it. */
  readonly because: string
}

/** Compares only what is declared. `cluster` is undefined for a log that is not on Kafka. */
export function differencesOf(
  existing: TopicInfo,
  planned: TopicPlan,
  cluster: Cluster | undefined,
): Difference[] {
  const keys = Object.keys(planned.declared) as Setting[]
  const isHidden = existing.areSettingsHidden === true
  const seen = isHidden ? keys.filter((key) => key === 'partitions') : keys
  return seen.flatMap((key) => {
    const declared = planned.declared[key]
    if (declared === undefined || declared === existing[key]) return []
    const meaning = meaningOf(key, existing, planned)
    if (meaning === undefined) return []
    const { severity, because } = meaning
    const values = `has ${key} ${existing[key] ?? 'unbounded'}, the application declares ${declared}`
    const fix = fixOf(key, existing, planned, cluster)
    return [{ severity, words: `topic ${planned.name} ${values}: ${because}; ${fix}` }]
  })
}

/** Undefined: it makes no difference. */
function meaningOf(key: Setting, existing: TopicInfo, planned: TopicPlan): Meaning | undefined {
  const isLess = (existing[key] ?? Infinity) < (planned.declared[key] ?? Infinity)
  const isWritten = planned.writtenBy.length > 0 && !planned.internal
  switch (key) {
    case 'partitions':
      if (planned.internal) {
        return isLess ? wrong('what failed beside a join has to come back there') : undefined
      }
      return warning(`it works with ${existing.partitions}, which that many workers share at most`)
    case 'cleanup':
      return existing.cleanup === 'compact'
        ? wrong('of messages with one key all but the newest go')
        : wrong('messages go when they are old, also the newest of their key')
    case 'retentionMs':
    case 'retentionBytes':
      if (!isLess) return warning('messages are kept longer than declared')
      return warning('messages go sooner: a pipeline that falls behind so far stops')
    case 'maxMessageBytes':
      if (isLess && isWritten) {
        return wrong('messages that the declaration allows would become dead letters')
      }
      if (planned.internal) return warning('of larger messages only the beginning is kept')
      return isLess
        ? warning('messages above that size are not to be had from it')
        : warning('a message above the declared size is kept only in part where it fails')
    case 'compression':
      return warning(`what is written is compressed with ${existing.compression}`)
  }
}

const warning = (because: string): Meaning => ({ severity: 'warning', because })
const wrong = (because: string): Meaning => ({ severity: 'error', because })

function fixOf(
  key: Setting,
  existing: TopicInfo,
  planned: TopicPlan,
  cluster: Cluster | undefined,
): string {
  const { name, settings, internal } = planned
  const declare = `declare ${key}: ${valueText(existing[key])}`
  const change = commandOf(key, existing, planned, cluster)
  if (cluster !== undefined) {
    if (change === undefined) return declare
    return internal ? `change it: ${change}` : `change the declaration, or the topic: ${change}`
  }
  if (internal || planned.writtenBy.length > 0) {
    return `change the declaration, or start over with --fresh`
  }
  const remake = `delete the topic (millrace topics delete ${name}) and let it be made with ${settings[key]}`
  return `change the declaration, or ${remake}`
}

/** Undefined: Kafka cannot take partitions away. */
function commandOf(
  key: Setting,
  existing: TopicInfo,
  { name, settings }: TopicPlan,
  cluster: Cluster | undefined,
): string | undefined {
  if (cluster === undefined) return undefined
  if (key !== 'partitions') return alterCommand(cluster, name, key, settings)
  if (settings.partitions < existing.partitions) return undefined
  return `${growCommand(cluster, name, settings.partitions)} (keys move to other partitions)`
}

const valueText = (value: TopicSettings[Setting]) =>
  typeof value === 'string' ? `'${value}'` : `${value}`
