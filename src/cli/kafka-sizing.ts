/**
 * How large a Kafka cluster has to be: plain arithmetic on a load, each figure with the rule that it
 * comes from. docs/guide/choosing-kafka.md has the rules' sources.
 */

export interface KafkaLoad {
  /** At the busiest time: partitions and brokers have to bear it. */
  readonly messagesPerSecond: number
  /** Over a month: storage and bills follow it. */
  readonly averageMessagesPerSecond: number
  /** Key, value and headers of one message, before compression. */
  readonly messageBytes: number
  readonly retentionMs: number
  readonly replication: number
  /** Groups that read everything; each reads it once. */
  readonly consumers: number
  /** Bytes before compression for one byte after it. */
  readonly compressionRatio: number
  /** The part of disk and network that stays free, 0.25: a quarter. */
  readonly headroom: number
  /** What a partition takes in, and what a consumer of one partition works on, before compression. */
  readonly partitionBytesPerSecond: number
  readonly consumerBytesPerSecond: number
  /** Threads over all machines that are to share the work. */
  readonly workers: number
  /** Times the load of today: a keyed topic keeps its partitions for ever. */
  readonly growth: number
  readonly broker: BrokerSize
}

/** What one broker bears. */
export interface BrokerSize {
  /** In each direction. */
  readonly networkBytesPerSecond: number
  readonly diskBytesPerSecond: number
  readonly diskBytes: number
  /** Leaders and followers. */
  readonly replicas: number
}

export const defaultBroker: BrokerSize = {
  networkBytesPerSecond: 125_000_000,
  diskBytesPerSecond: 250 * 1024 ** 2,
  diskBytes: 4 * 1024 ** 4,
  replicas: 1000,
}

export interface Needed {
  readonly count: number
  /** For people: the figures that the count comes from. */
  readonly rule: string
}

export interface KafkaSize {
  readonly throughput: {
    /** After compression, at the busiest time. */
    readonly inBytesPerSecond: number
    readonly outBytesPerSecond: number
    /** What brokers take in and give out, copies included. */
    readonly brokersInBytesPerSecond: number
    readonly brokersOutBytesPerSecond: number
    /** On average, for the bill. */
    readonly averageInBytesPerSecond: number
    readonly averageOutBytesPerSecond: number
  }
  readonly partitions: { readonly count: number; readonly reasons: readonly Needed[] }
  readonly storage: {
    /** One copy of what is kept. */
    readonly oneCopyBytes: number
    readonly copiesBytes: number
    /** Disks to have, with what stays free. */
    readonly diskBytes: number
  }
  readonly brokers: { readonly count: number; readonly reasons: readonly Needed[] }
}

/** `__consumer_offsets` and `__transaction_state` have 50 partitions each by Kafka's default. */
const kafkaOwnPartitions = 100
const secondMs = 1000

export function sizeKafka(load: KafkaLoad): KafkaSize {
  const throughput = throughputOf(load)
  const partitions = partitionsOf(load)
  const storage = storageOf(load, throughput.averageInBytesPerSecond)
  const brokers = brokersOf(load, { throughput, partitions, storage })
  return { throughput, partitions, storage, brokers }
}

function throughputOf(load: KafkaLoad): KafkaSize['throughput'] {
  const { messageBytes, compressionRatio, consumers, replication } = load
  const stored = (messagesPerSecond: number) =>
    (messagesPerSecond * messageBytes) / compressionRatio
  const inBytesPerSecond = stored(load.messagesPerSecond)
  const averageInBytesPerSecond = stored(load.averageMessagesPerSecond)
  const outBytesPerSecond = inBytesPerSecond * consumers
  return {
    inBytesPerSecond,
    outBytesPerSecond,
    brokersInBytesPerSecond: inBytesPerSecond * replication,
    brokersOutBytesPerSecond: outBytesPerSecond + inBytesPerSecond * (replication - 1),
    averageInBytesPerSecond,
    averageOutBytesPerSecond: averageInBytesPerSecond * consumers,
  }
}

/** max(t / p, t / c), with room to grow; no fewer than there are workers. */
function partitionsOf(load: KafkaLoad): KafkaSize['partitions'] {
  const { messagesPerSecond, messageBytes, growth, workers } = load
  const target = messagesPerSecond * messageBytes * growth
  const shares = (bytesPerSecond: number, who: string): Needed => ({
    count: atLeastOne(target / bytesPerSecond),
    rule: `${rate(target)} (${growth} times the load) / ${rate(bytesPerSecond)} ${who}`,
  })
  const reasons = [
    shares(load.partitionBytesPerSecond, 'that a partition takes in'),
    shares(load.consumerBytesPerSecond, 'that a consumer of one partition works on'),
    { count: workers, rule: 'one for each worker: more workers than partitions have no work' },
  ]
  return { count: most(reasons), reasons }
}

function storageOf(load: KafkaLoad, averageInBytesPerSecond: number): KafkaSize['storage'] {
  const oneCopyBytes = Math.ceil((averageInBytesPerSecond * load.retentionMs) / secondMs)
  const copiesBytes = oneCopyBytes * load.replication
  return { oneCopyBytes, copiesBytes, diskBytes: Math.ceil(copiesBytes / (1 - load.headroom)) }
}

/** One more than bear the load: an upgrade takes each broker away once. Never fewer than copies. */
function brokersOf(
  { broker, headroom, replication }: KafkaLoad,
  { throughput, partitions, storage }: Omit<KafkaSize, 'brokers'>,
): KafkaSize['brokers'] {
  const used = 1 - headroom
  const { brokersInBytesPerSecond, brokersOutBytesPerSecond } = throughput
  const network = Math.max(brokersInBytesPerSecond, brokersOutBytesPerSecond)
  const replicas = (partitions.count + kafkaOwnPartitions) * replication
  const reasons = [
    {
      count: atLeastOne(network / (broker.networkBytesPerSecond * used)),
      rule: `network: ${rate(network)} / ${rate(broker.networkBytesPerSecond)}, of which ${percent(used)} used`,
    },
    {
      count: atLeastOne(brokersInBytesPerSecond / (broker.diskBytesPerSecond * used)),
      rule: `writing: ${rate(brokersInBytesPerSecond)} / ${rate(broker.diskBytesPerSecond)}, of which ${percent(used)} used`,
    },
    {
      count: atLeastOne(storage.diskBytes / broker.diskBytes),
      rule: `disk: ${amount(storage.diskBytes)} / ${amount(broker.diskBytes)}`,
    },
    {
      count: atLeastOne(replicas / broker.replicas),
      rule: `partitions: ${replicas} replicas, Kafka's own included / ${broker.replicas}`,
    },
  ]
  return { count: Math.max(replication, most(reasons) + 1), reasons }
}

const most = (reasons: readonly Needed[]) => Math.max(...reasons.map(({ count }) => count))
/** What comes out a hair above a whole number by rounding alone is that number. */
const atLeastOne = (share: number) => Math.max(1, Math.ceil(share - 1e-9))
const percent = (share: number) => `${Math.round(share * 100)} %`

/** Decimal, as networks and the providers' limits count: 1 MB is 1,000,000 bytes. */
export function amount(sizeBytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  const power = sizeBytes < 1000 ? 0 : Math.min(5, Math.floor(Math.log10(sizeBytes) / 3))
  const scaled = sizeBytes / 1000 ** power
  return `${Number(scaled.toPrecision(scaled >= 1000 ? 4 : 3))} ${units[power]}`
}

export const rate = (bytesPerSecond: number) => `${amount(bytesPerSecond)}/s`
