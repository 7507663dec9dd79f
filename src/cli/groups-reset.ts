/**
 * `millrace groups reset`: from where a group reads next. What it wrote stays and comes again; what its
 * windows have counted is forgotten, or messages that come again would be counted twice. What messages
 * are looked up in is forgotten with it, and read whole again.
 */
import { Command } from 'commander'
import { codeOf, fail, messageOf, suggestion } from '../core/errors.ts'
import type { Checkpoint, Log } from '../log/log.ts'
import { resetCheckpoint } from '../pipeline/checkpoint.ts'
import { replayTopic } from '../pipeline/dead-letters.ts'
import { type CountedState, countedStates } from '../pipeline/forget-state.ts'
import { isRepartition } from '../pipeline/internal-names.ts'
import { type ContextSource, groupNamed, partitionsOf, processContext, withLog } from './context.ts'
import { type GroupPartition, type GroupState, groupState } from './groups-state.ts'
import { countText, table } from './table.ts'
import { offsetAt, type Position, parsePosition, positionHint } from './topics-position.ts'

interface ResetFlags {
  readonly to: Position
  readonly topic?: string
  readonly json: boolean
}

export function resetCommand(context: ContextSource = processContext): Command {
  return new Command('reset')
    .description(
      'let a group that nobody runs read from another place; it writes its results again, and its open windows begin anew',
    )
    .argument('<group>', 'its name, which is that of the pipeline')
    .requiredOption('--to <place>', positionHint, parsePosition)
    .option('--topic <topic>', 'only this input (default: all but replays of dead letters)')
    .option('--json', 'print one line of JSON', false)
    .addHelpText(
      'after',
      '\nExamples:\n  millrace groups reset score --to start\n  millrace groups reset score --to 2026-01-31T12:00:00Z --topic orders',
    )
    .action((name: string, flags: ResetFlags) => {
      const { output, directory } = context()
      return withLog({ output, directory }, async (log) => {
        const { moves, forgotten } = await reset(log, name, flags)
        if (flags.json) {
          await output.print(JSON.stringify({ group: name, partitions: moves, forgotten }))
          return
        }
        const rows = moves.map(({ topic, partition, from, to }) => [topic, partition, from, to])
        await output.print(table(['topic', 'partition', 'was at', 'reads from'], rows))
        output.say(`group ${name} reset: ${consequence(moves)}`)
        for (const state of forgotten) output.say(forgottenText(state))
      })
    })
}

function forgottenText({ step, keys }: CountedState): string {
  const amount = keys === undefined ? '' : ` (${countText(keys)} keys)`
  return `the state of step ${step}${amount} is forgotten, so that nothing is counted twice`
}

function consequence(moves: readonly Move[]): string {
  const inputs = moves.filter(({ topic }) => !isRepartition(topic))
  const sum = (count: (move: Move) => number) =>
    countText(inputs.reduce((total, move) => total + Math.max(0, count(move)), 0))
  const again = sum(({ from, to }) => (from ?? 0) - to)
  const skipped = sum(({ from, to }) => to - (from ?? 0))
  return `the next run reads ${again} offsets again, writing their results again, and skips ${skipped}`
}

interface Move {
  readonly topic: string
  readonly partition: number
  readonly from: number | undefined
  readonly to: number
}

interface Reset {
  readonly moves: readonly Move[]
  readonly forgotten: readonly CountedState[]
}

async function reset(log: Log, name: string, flags: ResetFlags): Promise<Reset> {
  const state = await groupState(log, await groupNamed(log, name))
  const counted = await countedStates(log, name)
  if (counted.length > 0) checkAll(state, counted[0]!, flags.topic)
  const topic = counted.length > 0 ? undefined : flags.topic
  const moves: Move[] = []
  const checkpoints: Checkpoint[] = []
  for (const { topic: of, partition, committed, end, data } of await chosen(log, state, topic)) {
    const isWhole = data?.isTable === true && topic === undefined
    const place = isWhole ? ({ kind: 'start' } as const) : flags.to
    const to = await targetOf(log, { topic: of, partition, end }, place)
    moves.push({ topic: of, partition, from: committed, to })
    const metadata = JSON.stringify(resetCheckpoint(to, data))
    checkpoints.push({ topic: of, partition, offset: to, metadata })
  }
  try {
    await log.resetGroup(name, checkpoints)
  } catch (error) {
    if (codeOf(error) !== 'GROUP_ACTIVE') throw error
    const words = `${messageOf(error)}: end the run (Ctrl-C), reset, start it again`
    throw fail('GROUP_ACTIVE', words, { cause: error })
  }
  // Nobody is in the group. Who is stopped here resets again, before the next run.
  for (const { store } of counted) await log.deleteState(store)
  return { moves, forgotten: counted }
}

/**
 * Windows have counted the messages of all inputs together. Throws `OPTIONS_INVALID` where only some of
 * them are to come again.
 */
function checkAll({ name, partitions }: GroupState, { step }: CountedState, topic?: string): void {
  if (topic === undefined) return
  const known = partitions.map((one) => one.topic)
  const inputs = new Set(known.filter((one) => one !== replayTopic(name) && !isRepartition(one)))
  if (inputs.size === 1 && inputs.has(topic)) return
  throw fail(
    'OPTIONS_INVALID',
    `group ${name}: step ${step} has counted messages of all inputs together (${[...inputs].join(', ')}), so they can only be reset together; leave out --topic`,
  )
}

/** What went through a topic of the pipeline's own comes again from its inputs. */
async function targetOf(
  log: Log,
  { topic, partition, end }: Pick<GroupPartition, 'topic' | 'partition' | 'end'>,
  to: Position,
): Promise<number> {
  if (end === undefined) return sourceStart(topic, to)
  return isRepartition(topic) ? end : offsetAt(log, topic, partition, to)
}

/** Replays are left out unless named: what they hold comes again from the input itself. */
async function chosen(
  log: Log,
  { name, partitions }: GroupState,
  topic: string | undefined,
): Promise<readonly Pick<GroupPartition, 'topic' | 'partition' | 'committed' | 'end' | 'data'>[]> {
  const known = partitions.filter((one) =>
    topic === undefined ? one.topic !== replayTopic(name) : one.topic === topic,
  )
  if (known.length > 0) return known
  if (topic === undefined) {
    throw fail('OPTIONS_INVALID', `group ${name}: has read nothing yet; it starts at the start`)
  }
  const info = await log.topic(topic)
  if (info === undefined) {
    const names = [...new Set(partitions.map((one) => one.topic))]
    const hint = suggestion(topic, names) || `it reads ${names.join(', ') || 'nothing yet'}`
    throw fail('TOPIC_UNKNOWN', `group ${name}: there is no topic '${topic}'; ${hint}`)
  }
  const ends = partitionsOf(info).map(async (partition) => {
    const { end } = await log.offsets(topic, partition)
    return { topic, partition, committed: undefined, end, data: undefined }
  })
  return Promise.all(ends)
}

function sourceStart(topic: string, to: Position): number {
  if (to.kind === 'start' || (to.kind === 'offset' && to.offset === 0)) return 0
  throw fail(
    'OPTIONS_INVALID',
    `${topic} is a source, which can only be read again from its beginning: --to start; for the others name one with --topic`,
  )
}
