/** `millrace topics list|show|tail|create|delete`: what the log holds. */
import { Command, Option } from 'commander'
import type { Log, TopicInfo, TopicSettings } from '../log/log.ts'
import {
  type CommandContext,
  type ContextSource,
  hasLog,
  isInternal,
  partitionsOf,
  processContext,
  topicNamed,
  withLog,
} from './context.ts'
import { durationText, parseBytes, parseDuration, parseWhole } from './duration.ts'
import { bytesText, table } from './table.ts'
import { countedText, countPartition, countTopic, type MessageCount } from './topics-counts.ts'
import { tailCommand } from './topics-tail.ts'

export function topicsCommand(context: ContextSource = processContext): Command {
  return new Command('topics')
    .description('list, show, tail, create and delete topics')
    .addCommand(listCommand(context))
    .addCommand(showCommand(context))
    .addCommand(tailCommand(context))
    .addCommand(createCommand(context))
    .addCommand(deleteCommand(context))
    .addHelpText('after', '\nExample:\n  millrace topics tail orders --follow')
}

function listCommand(context: ContextSource): Command {
  return new Command('list')
    .description('name, partitions, messages and size of every topic')
    .option('--all', 'also dead letters, replays and what Millrace keeps for itself', false)
    .option('--json', 'print one line of JSON', false)
    .addHelpText('after', '\nExample:\n  millrace topics list --all')
    .action(async (flags: { all: boolean; json: boolean }) => {
      const here = context()
      if (!hasLog(here.directory)) {
        here.output.say(`no topics: nothing was written to ${here.directory} yet`)
        if (flags.json) await here.output.print('[]')
        return
      }
      await withLog(here, (log) => list(log, here, flags))
    })
}

async function list(
  log: Log,
  { output }: CommandContext,
  { all, json }: { all: boolean; json: boolean },
): Promise<void> {
  const topics = await log.topics()
  const shown = topics.filter((topic) => all || !isInternal(topic.name))
  const sizes = await log.sizes(shown.map(({ name }) => name))
  const rows = await Promise.all(
    shown.map(async (topic) => {
      const { name, partitions, cleanup } = topic
      const counted = await countTopic(log, topic, await rangesOf(log, topic))
      return { name, partitions, ...counted, cleanup, sizeBytes: sizes.get(name) }
    }),
  )
  if (json) return output.print(JSON.stringify(rows))
  const cells = rows.map((row) => {
    const { name, partitions, cleanup, sizeBytes } = row
    const size = sizeBytes === undefined ? undefined : bytesText(sizeBytes)
    return [name, partitions, countCell(row), cleanup, size]
  })
  await output.print(table(['topic', 'partitions', 'messages', 'cleanup', 'on disk'], cells))
  if (rows.some(({ isExact }) => !isExact)) output.say(aboutOffsets)
  const hidden = topics.length - shown.length
  if (hidden > 0) output.say(`${hidden} of Millrace's own topics are not shown; --all shows them`)
}

const aboutOffsets = '~: offsets, so many messages or fewer; transactions and compaction leave gaps'

const countCell = (count: MessageCount) => (count.isExact ? count.messages : countedText(count))

function showCommand(context: ContextSource): Command {
  return new Command('show')
    .description('settings of a topic, and where each partition starts and ends')
    .argument('<topic>', 'its name')
    .option('--json', 'print one line of JSON', false)
    .addHelpText('after', '\nExample:\n  millrace topics show orders')
    .action((name: string, flags: { json: boolean }) => {
      const here = context()
      return withLog(here, async (log) => {
        const topic = await topicNamed(log, name)
        const ranges = await rangesOf(log, topic)
        const sizeBytes = (await log.sizes([name])).get(name)
        const counts = await Promise.all(
          ranges.map((range, partition) => countPartition(log, name, partition, range)),
        )
        if (flags.json) {
          const partitions = ranges.map((range, partition) => {
            return { partition, ...range, ...counts[partition] }
          })
          await here.output.print(JSON.stringify({ ...topic, sizeBytes, offsets: partitions }))
          return
        }
        const settings = Object.entries(settingsTexts(topic, sizeBytes))
        await here.output.print(
          settings.map(([key, text]) => `${key.padEnd(17)} ${text}`).join('\n'),
        )
        const rows = ranges.map(({ start, end }, partition) => {
          return [partition, start, end, countCell(counts[partition]!)]
        })
        await here.output.print(`\n${table(['partition', 'start', 'end', 'messages'], rows)}`)
        if (counts.some(({ isExact }) => !isExact)) here.output.say(aboutOffsets)
      })
    })
}

function settingsTexts(topic: TopicInfo, sizeBytes: number | undefined): Record<string, string> {
  const { retentionMs, retentionBytes } = topic
  return {
    topic: topic.name,
    identity: topic.identity,
    partitions: String(topic.partitions),
    cleanup: topic.cleanup,
    retention: retentionMs === undefined ? 'for ever' : durationText(retentionMs),
    'retention bytes':
      retentionBytes === undefined ? 'no bound' : `${bytesText(retentionBytes)} a partition`,
    'largest message': bytesText(topic.maxMessageBytes),
    compression: topic.compression,
    'on disk': sizeBytes === undefined ? 'not known' : bytesText(sizeBytes),
  }
}

interface CreateFlags {
  readonly partitions?: number
  readonly cleanup?: TopicSettings['cleanup']
  readonly retention?: number
  readonly retentionBytes?: number
  readonly maxMessageBytes?: number
  readonly compression?: TopicSettings['compression']
  readonly json: boolean
}

function createCommand(context: ContextSource): Command {
  const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
  return new Command('create')
    .description('make a topic; a run makes those that it declares, on Kafka with --create-topics')
    .argument('<topic>', 'its name')
    .option('--partitions <number>', 'how many partitions (default: 4)', parseWhole(1, 10_000))
    .addOption(
      new Option('--cleanup <kind>', 'drop old messages, or keep the newest of each key').choices([
        'delete',
        'compact',
      ]),
    )
    .option('--retention <duration>', 'messages older than this may go, such as 7d', parseDuration)
    .option('--retention-bytes <size>', 'bound of a partition, such as 10GiB', parseBytes)
    .option('--max-message-bytes <size>', 'bound of a message (default: 1MiB)', parseBytes)
    .addOption(new Option('--compression <name>', 'of what is stored').choices(compressions))
    .option('--json', 'print one line of JSON', false)
    .addHelpText(
      'after',
      '\nExample:\n  millrace topics create orders --partitions 8 --retention 7d',
    )
    .action((name: string, flags: CreateFlags) => {
      const here = context()
      const { retention: retentionMs, json, ...settings } = flags
      const wanted = retentionMs === undefined ? settings : { ...settings, retentionMs }
      return withLog(
        here,
        async (log) => {
          const topic = await log.createTopic(name, wanted)
          if (json) await here.output.print(JSON.stringify(topic))
          else here.output.say(`topic ${name} made, with ${topic.partitions} partitions`)
        },
        { create: true },
      )
    })
}

function deleteCommand(context: ContextSource): Command {
  return new Command('delete')
    .description('delete a topic, its messages, and what groups committed on it')
    .argument('<topic>', 'its name')
    .option('--yes', 'do it: nothing brings the messages back', false)
    .option('--json', 'print one line of JSON', false)
    .addHelpText('after', '\nExample:\n  millrace topics delete orders --yes')
    .action((name: string, flags: { yes: boolean; json: boolean }, command: Command) => {
      const here = context()
      return withLog(here, async (log) => {
        const topic = await topicNamed(log, name)
        const counted = await countTopic(log, topic, await rangesOf(log, topic))
        const { messages } = counted
        const readers = (await log.groups()).filter(({ members, checkpoints }) =>
          [...members.flatMap((member) => member.owned), ...checkpoints].some(
            (place) => place.topic === name,
          ),
        )
        const groups = readers.map((group) => group.name)
        const read = groups.length === 0 ? '' : `, read by ${groups.join(', ')}`
        if (!flags.yes) {
          const seen = `topic ${name} holds ${countedText(counted)} messages${read}`
          command.error(`error: ${seen}; to delete it for good, add --yes`)
        }
        await log.deleteTopic(name)
        if (flags.json) await here.output.print(JSON.stringify({ deleted: name, messages, groups }))
        else here.output.say(`topic ${name} deleted, with ${countedText(counted)} messages`)
      })
    })
}

function rangesOf(log: Log, topic: TopicInfo) {
  return Promise.all(partitionsOf(topic).map((partition) => log.offsets(topic.name, partition)))
}
