/** `millrace topics tail`: messages of a topic, one a line, in the order of their times. */
import { Command } from 'commander'
import { fail } from '../core/errors.ts'
import { type Message, messagesOf } from '../core/message.ts'
import type { Log, TopicInfo } from '../log/log.ts'
import {
  type CommandContext,
  type ContextSource,
  partitionsOf,
  processContext,
  topicNamed,
  withLog,
} from './context.ts'
import { parseWhole } from './duration.ts'
import { jsonLine, textLine } from './topics-message.ts'
import { offsetAt, type Position, parsePosition, positionHint } from './topics-position.ts'
import { wireView } from './wire-viewer.ts'

interface TailFlags {
  readonly from?: Position
  readonly limit?: number
  readonly follow: boolean
  readonly json: boolean
  readonly partition?: number
}

/** Without --from: as many of the newest messages. */
const newestMessages = 10
const readBytes = 256 * 1024
const idleMs = 500

export function tailCommand(context: ContextSource = processContext): Command {
  return new Command('tail')
    .description('print messages, one a line')
    .argument('<topic>', 'its name')
    .option('--from <place>', `${positionHint} (default: the newest messages)`, parsePosition)
    .option(
      '--limit <number>',
      'so many of the newest (default: 10), or from --from on',
      parseWhole(1),
    )
    .option('--follow', 'go on with messages as they come, until Ctrl-C', false)
    .option('--partition <number>', 'only this one', parseWhole(0))
    .option('--json', 'one JSON object a line, with id and headers', false)
    .addHelpText(
      'after',
      '\nExamples:\n  millrace topics tail orders --follow\n  millrace topics tail orders --from 2026-01-31 --json | jq .value',
    )
    .action((name: string, flags: TailFlags) => {
      const here = context()
      return withLog(here, async (log) => {
        const topic = await topicNamed(log, name)
        await untilStopped(here, flags.follow, (stop) => tail(log, topic, here, flags, stop))
      })
    })
}

/** Ctrl-C is how following ends, so it is no failure. */
async function untilStopped(
  { output }: CommandContext,
  follow: boolean,
  work: (stop: AbortSignal) => Promise<void>,
): Promise<void> {
  if (!follow) return work(output.closed)
  const interrupted = new AbortController()
  const interrupt = () => interrupted.abort()
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  try {
    await work(AbortSignal.any([output.closed, interrupted.signal]))
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

async function tail(
  log: Log,
  topic: TopicInfo,
  { output }: CommandContext,
  flags: TailFlags,
  stop: AbortSignal,
): Promise<void> {
  const cursors = await cursorsOf(log, topic, flags)
  const view = wireView()
  const print = async (message: Message) => {
    const seen = await view(message.value)
    const line = flags.json ? jsonLine(message, seen) : textLine(message, output.columns, seen)
    await output.print(line)
  }
  if (flags.from === undefined) {
    const newest: Message[] = []
    for await (const message of inOrder(log, cursors, false, stop)) newest.push(message)
    for (const message of newest.slice(-(flags.limit ?? newestMessages))) await print(message)
    if (!flags.follow) return
  }
  // The newest ones did not count: the limit is on what comes.
  let left = flags.from === undefined ? Number.POSITIVE_INFINITY : (flags.limit ?? Infinity)
  for await (const message of inOrder(log, cursors, flags.follow, stop)) {
    if (stop.aborted) return
    await print(message)
    left--
    if (left <= 0) return
  }
}

/** How far one partition was read, and what of it was not printed yet. */
interface Cursor {
  readonly topic: string
  readonly partition: number
  offset: number
  /** Where it ended when the command began: without --follow, that is the end. */
  readonly end: number
  waiting: Message[]
}

async function cursorsOf(log: Log, topic: TopicInfo, flags: TailFlags): Promise<Cursor[]> {
  const all = partitionsOf(topic)
  if (flags.partition !== undefined && !all.includes(flags.partition)) {
    const seen = `topic ${topic.name} has partitions 0 to ${topic.partitions - 1}`
    throw fail('OPTIONS_INVALID', `--partition ${flags.partition}: ${seen}`)
  }
  const chosen = flags.partition === undefined ? all : [flags.partition]
  return Promise.all(
    chosen.map(async (partition) => {
      const { start, end } = await log.offsets(topic.name, partition)
      const newest = Math.max(start, end - (flags.limit ?? newestMessages))
      const offset =
        flags.from === undefined ? newest : await offsetAt(log, topic.name, partition, flags.from)
      return { topic: topic.name, partition, offset, end, waiting: [] }
    }),
  )
}

/** Messages of all partitions: of those that wait, the one with the earliest time next. */
async function* inOrder(
  log: Log,
  cursors: readonly Cursor[],
  follow: boolean,
  stop: AbortSignal,
): AsyncGenerator<Message> {
  while (!stop.aborted) {
    const seen = log.revision()
    for (const cursor of cursors) if (cursor.waiting.length === 0) await fill(log, cursor, follow)
    const ready = cursors.filter((cursor) => cursor.waiting.length > 0)
    if (ready.length === 0) {
      if (!follow) return
      await log.changed(seen, idleMs, stop)
      continue
    }
    const next = ready.reduce((first, other) =>
      other.waiting.at(-1)!.time < first.waiting.at(-1)!.time ? other : first,
    )
    yield next.waiting.pop()!
  }
}

/** Reads on until there is something, or nothing more. */
async function fill(log: Log, cursor: Cursor, follow: boolean): Promise<void> {
  const { topic, partition } = cursor
  while (cursor.waiting.length === 0 && (follow || cursor.offset < cursor.end)) {
    const batch = await log.read(topic, partition, cursor.offset, { maxBytes: readBytes })
    if (batch === undefined) return
    const messages = messagesOf(batch)
    const wanted = follow ? messages : messages.filter((message) => message.offset < cursor.end)
    // Taken from the end, which costs nothing.
    cursor.waiting = wanted.reverse()
    cursor.offset = batch.nextOffset
  }
}
