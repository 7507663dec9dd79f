/** `millrace kafka size`: how large a cluster has to be, and what drives its bill. */
import { Command, InvalidArgumentError } from 'commander'
import { type ContextSource, processContext } from './context.ts'
import { durationText, parseBytes, parseDuration, parseWhole } from './duration.ts'
import { type Bill, kafkaBills } from './kafka-bills.ts'
import {
  amount,
  defaultBroker,
  type KafkaLoad,
  type KafkaSize,
  type Needed,
  rate,
  sizeKafka,
} from './kafka-sizing.ts'
import { countText, table } from './table.ts'

interface SizeFlags {
  readonly messagesPerSecond: number
  readonly averageMessagesPerSecond?: number
  readonly bytes: number
  readonly retention: number
  readonly replication: number
  readonly consumers: number
  readonly compressionRatio: number
  readonly headroom: number
  readonly partitionThroughput: number
  readonly consumerThroughput: number
  readonly workers: number
  readonly growth: number
  readonly brokerNetwork: number
  readonly brokerDisk: number
  readonly brokerPartitions: number
  readonly json: boolean
}

const day = 24 * 3_600_000
const tenMegabytes = 10_000_000

export function sizeCommand(context: ContextSource = processContext): Command {
  const command = new Command('size')
    .description(
      'throughput, partitions, storage, brokers, and what drives the bill on each service',
    )
    .requiredOption('--messages-per-second <number>', 'at the busiest time', parseAmount(0.001))
    .requiredOption('--bytes <size>', 'of one message: key, value and headers', parseBytes)
    .option(
      '--average-messages-per-second <number>',
      'over a month (default: the same)',
      parseAmount(0),
    )
  return withLoad(withSizes(command))
    .option('--json', 'print one line of JSON', false)
    .addHelpText(
      'after',
      '\nExample:\n  millrace kafka size --messages-per-second 20000 --bytes 500 --retention 7d --consumers 3',
    )
    .action(async (flags: SizeFlags, self: Command) => {
      const { output } = context()
      const load = loadOf(flags)
      if (load.averageMessagesPerSecond > load.messagesPerSecond) {
        self.error('error: the average is above the busiest time (--messages-per-second)')
      }
      const size = sizeKafka(load)
      const bills = kafkaBills(load, size)
      await output.print(
        flags.json ? JSON.stringify({ load, ...size, bills }) : sizeText(load, size, bills),
      )
    })
}

function withLoad(command: Command): Command {
  return command
    .option('--retention <duration>', 'how long messages are kept', parseDuration, 7 * day)
    .option('--replication <number>', 'copies of each message', parseWhole(1, 9), 3)
    .option('--consumers <number>', 'groups that read everything', parseWhole(0, 10_000), 1)
    .option('--compression-ratio <number>', 'bytes before for one after', parseAmount(1, 100), 1)
    .option('--headroom <percent>', 'of disk and network that stays free', parseWhole(0, 90), 25)
    .option('--workers <number>', 'threads over all machines', parseWhole(1, 10_000), 1)
    .option('--growth <number>', 'times the load of today', parseAmount(1, 1000), 2)
}

function withSizes(command: Command): Command {
  const { networkBytesPerSecond, diskBytes, replicas } = defaultBroker
  return command
    .option(
      '--partition-throughput <size>',
      'bytes a second that one partition takes in',
      parseSome,
      tenMegabytes,
    )
    .option(
      '--consumer-throughput <size>',
      'bytes a second that the consumer of one partition works on: measure yours',
      parseSome,
      tenMegabytes,
    )
    .option(
      '--broker-network <size>',
      'bytes a second of a broker, each way',
      parseSome,
      networkBytesPerSecond,
    )
    .option('--broker-disk <size>', "a broker's disk", parseSome, diskBytes)
    .option(
      '--broker-partitions <number>',
      'leaders and followers on a broker',
      parseWhole(1),
      replicas,
    )
}

function loadOf(flags: SizeFlags): KafkaLoad {
  const { messagesPerSecond, averageMessagesPerSecond = messagesPerSecond } = flags
  return {
    ...{ messagesPerSecond, averageMessagesPerSecond, messageBytes: flags.bytes },
    retentionMs: flags.retention,
    replication: flags.replication,
    consumers: flags.consumers,
    compressionRatio: flags.compressionRatio,
    headroom: flags.headroom / 100,
    partitionBytesPerSecond: flags.partitionThroughput,
    consumerBytesPerSecond: flags.consumerThroughput,
    workers: flags.workers,
    growth: flags.growth,
    broker: {
      ...defaultBroker,
      networkBytesPerSecond: flags.brokerNetwork,
      diskBytes: flags.brokerDisk,
      replicas: flags.brokerPartitions,
    },
  }
}

/** A number that may have a fraction. */
function parseAmount(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const number = Number(text)
    if (/^\d+(\.\d+)?$/.test(text) && number >= least && number <= most) return number
    const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`
    throw new InvalidArgumentError(`a number is needed, ${range}.`)
  }
}

function parseSome(text: string): number {
  const bytes = parseBytes(text)
  if (bytes > 0) return bytes
  throw new InvalidArgumentError('more than 0 bytes are needed.')
}

function sizeText(load: KafkaLoad, size: KafkaSize, bills: readonly Bill[]): string {
  const { throughput, partitions, storage, brokers } = size
  const { consumers, replication, compressionRatio, headroom } = load
  const compressed = compressionRatio === 1 ? 'uncompressed' : `compressed ${compressionRatio} to 1`
  const parts = [
    heading('Throughput'),
    `in       ${rate(throughput.inBytesPerSecond)} (${countText(load.messagesPerSecond)} messages/s of ${amount(load.messageBytes)}, ${compressed})`,
    `out      ${rate(throughput.outBytesPerSecond)} (${consumers} groups read everything)`,
    `brokers  ${rate(throughput.brokersInBytesPerSecond)} in, ${rate(throughput.brokersOutBytesPerSecond)} out, with ${replication} copies`,
    heading(`Partitions: ${countText(partitions.count)}`),
    reasonsText(partitions.reasons),
    'the rule: max(t/p, t/c), Confluent, "How to choose the number of topics/partitions"; a keyed topic keeps its partitions for ever',
    heading(`Storage: ${amount(storage.diskBytes)}`),
    `${amount(storage.oneCopyBytes)} kept ${durationText(load.retentionMs)}, ${replication} copies ${amount(storage.copiesBytes)}, ${Math.round(headroom * 100)} % free`,
    heading(`Brokers: ${countText(brokers.count)}`),
    reasonsText(brokers.reasons),
    `the largest and one more, so that a broker may be away; at least ${replication}, for the copies`,
    heading('What drives the bill, a month of 730 hours (no prices: see the source)'),
    ...bills.map(billText),
  ]
  return parts.join('\n').trimStart()
}

const heading = (text: string) => `\n${text}`

function reasonsText(reasons: readonly Needed[]): string {
  return reasons.map(({ count, rule }) => `${countText(count).padStart(7)}  ${rule}`).join('\n')
}

function billText({ service, lines, notes, source }: Bill): string {
  const rows = lines.map(({ dimension, quantity, unit }) => [
    `  ${dimension}`,
    quantityText(quantity),
    unit,
  ])
  const [, ...body] = table(['', '', ''], rows).split('\n')
  return [service, ...body, ...notes.map((note) => `  ${note}`), `  ${source}`].join('\n')
}

const quantityText = (quantity: number) =>
  countText(quantity >= 10 ? Math.ceil(quantity) : Number(quantity.toPrecision(2)))
