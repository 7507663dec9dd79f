/** Settings of a topic as Kafka's own configuration, and back. */
import {
  type Cleanup,
  type Compression,
  defaultTopicSettings,
  type TopicInfo,
  type TopicSettings,
} from './log.ts'

export interface TopicConfig {
  readonly name: string
  readonly value: string
}

/** What a topic is made with. */
export interface TopicConfigs {
  /** Without these the topic is not the one that was asked for. */
  readonly needed: readonly TopicConfig[]
  /** Make it better where the cluster lets its users choose; managed ones refuse some of them. */
  readonly wished: readonly TopicConfig[]
}

/** What is read back of a topic. */
export const describedConfigs = [
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'max.message.bytes',
  'compression.type',
] as const

/**
 * Kafka's bound is for a whole record batch, ours for one message's key, value and headers: so much
 * is left for the head of a batch and the framing of a record.
 */
const framingBytes = 4096
/** The smallest record batch is larger: such a topic never takes a message. */
const noMessageBytes = 1
const longestMs = '9223372036854775807'

export function configsOf(settings: TopicSettings): TopicConfigs {
  const { cleanup, retentionMs, retentionBytes, maxMessageBytes, compression } = settings
  const hasRetention = retentionMs !== undefined || retentionBytes !== undefined
  const policy = cleanup === 'compact' && hasRetention ? 'compact,delete' : cleanup
  const needed = [
    { name: 'cleanup.policy', value: policy },
    { name: 'max.message.bytes', value: `${maxMessageBytes + framingBytes}` },
  ]
  const wished = [
    // Events of the past and of the future are messages like any other, with their own time.
    { name: 'message.timestamp.type', value: 'CreateTime' },
    { name: 'message.timestamp.after.max.ms', value: longestMs },
  ]
  if (policy !== 'compact') {
    needed.push({ name: 'retention.ms', value: `${retentionMs ?? -1}` })
    needed.push({ name: 'retention.bytes', value: `${retentionBytes ?? -1}` })
  }
  if (compression === 'none') wished.push({ name: 'compression.type', value: 'producer' })
  else needed.push({ name: 'compression.type', value: compression })
  if (cleanup === 'compact') wished.push(...compactionConfigs)
  else wished.push(...retentionConfigs(retentionMs, retentionBytes))
  return { needed, wished }
}

/**
 * By default a compacted topic is left alone until half of a closed segment's bytes are outdated,
 * and a segment closes at 1 GiB or after a week: a table of a few megabytes would be read back with
 * a week of its history. Here a segment closes after an hour or at 64 MiB, and is compacted once a
 * fifth is new: what is read back is little more than what is live, written about five times.
 */
const compactionConfigs: readonly TopicConfig[] = [
  { name: 'segment.ms', value: `${60 * 60_000}` },
  { name: 'segment.bytes', value: `${64 * 1024 * 1024}` },
  { name: 'min.cleanable.dirty.ratio', value: '0.2' },
]

const defaultSegmentMs = 7 * 24 * 60 * 60_000
const defaultSegmentBytes = 1024 * 1024 * 1024
const smallestSegmentBytes = 1024 * 1024

/**
 * Kafka drops whole segments, and never the one that is written to: so a segment holds about an
 * eighth of what is kept, not a week or 1 GiB, which is Kafka's default.
 */
function retentionConfigs(
  retentionMs: number | undefined,
  retentionBytes: number | undefined,
): TopicConfig[] {
  const configs: TopicConfig[] = []
  const share = (kept: number, smallest: number) => Math.max(smallest, Math.ceil(kept / 8))
  if (retentionMs !== undefined && share(retentionMs, 60_000) < defaultSegmentMs) {
    configs.push({ name: 'segment.ms', value: `${share(retentionMs, 60_000)}` })
  }
  if (retentionBytes !== undefined) {
    const sizeBytes = share(retentionBytes, smallestSegmentBytes)
    if (sizeBytes < defaultSegmentBytes) {
      configs.push({ name: 'segment.bytes', value: `${sizeBytes}` })
    }
  }
  return configs
}

/** A topic that only lets a group keep offsets under its name: it takes no messages. */
export const splitConfigs: TopicConfigs = {
  needed: [{ name: 'max.message.bytes', value: `${noMessageBytes}` }],
  wished: [
    { name: 'cleanup.policy', value: 'delete' },
    { name: 'retention.ms', value: '60000' },
  ],
}

export type SettingsRead = Omit<TopicInfo, 'name' | 'identity' | 'partitions'> & {
  /** It holds offsets only: for a user it is no topic. */
  readonly isSplit: boolean
}

/** The settings that a described topic has; what is not told is as it is by default. */
export function settingsOf(
  configs: readonly { readonly name: string; readonly value?: string | null }[],
): SettingsRead {
  const values = new Map(configs.map(({ name, value }) => [name, value ?? undefined]))
  const policies = (values.get('cleanup.policy') ?? 'delete').split(',').map((one) => one.trim())
  const cleanup: Cleanup = policies.includes('compact') ? 'compact' : 'delete'
  const drops = policies.includes('delete')
  const sizeBytes = numberOf(values.get('max.message.bytes'))
  const { maxMessageBytes } = defaultTopicSettings
  return {
    cleanup,
    retentionMs: drops ? numberOf(values.get('retention.ms')) : undefined,
    retentionBytes: drops ? numberOf(values.get('retention.bytes')) : undefined,
    maxMessageBytes:
      sizeBytes === undefined ? maxMessageBytes : Math.max(1, sizeBytes - framingBytes),
    compression: compressionOf(values.get('compression.type')),
    isSplit: sizeBytes === noMessageBytes,
  }
}

/** Undefined for -1, which is no bound. */
function numberOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  return number >= 0 ? number : undefined
}

const codecs: readonly Compression[] = ['gzip', 'snappy', 'lz4', 'zstd']

const compressionOf = (type: string | undefined): Compression =>
  codecs.find((codec) => codec === type) ?? 'none'
