/** `millrace dead-letters list|show|replay|drop`: what steps could not take, and what becomes of it. */
import { Command } from 'commander'
import { fail } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import {
  type DeadLetterGroup,
  deadLetterGroups,
  deadLetterPipelines,
  deadLetters,
  dropDeadLetters,
  type KeptDeadLetter,
  replayDeadLetters,
  type Selection,
} from '../pipeline/dead-letter-store.ts'
import {
  type CommandContext,
  type ContextSource,
  hasLog,
  processContext,
  withLog,
} from './context.ts'
import { letterJson, letterText } from './dead-letters-letter.ts'
import { parseWhole } from './duration.ts'
import type { Output } from './output.ts'
import { countText, shortened, table, timeText } from './table.ts'
import { wireView } from './wire-viewer.ts'

export function deadLettersCommand(context: ContextSource = processContext): Command {
  return new Command('dead-letters')
    .description('list, show, replay and drop what pipelines could not take')
    .addCommand(listCommand(context))
    .addCommand(showCommand(context))
    .addCommand(replayCommand(context))
    .addCommand(dropCommand(context))
    .addHelpText('after', '\nExample:\n  millrace dead-letters replay score --all --dry-run')
}

interface ListFlags {
  readonly json: boolean
  readonly limit?: number
}

function listCommand(context: ContextSource): Command {
  return new Command('list')
    .description('dead letters counted by step and error, with an example of each')
    .argument('[pipeline]', 'its name (default: all pipelines)')
    .option('--limit <number>', 'print at most so many lines', parseWhole(1))
    .option('--json', 'every dead letter as a line of JSON', false)
    .addHelpText('after', '\nExample:\n  millrace dead-letters list score --json | jq .message')
    .action(async (pipeline: string | undefined, flags: ListFlags) => {
      const here = context()
      if (!hasLog(here.directory)) {
        here.output.say(`no dead letters: nothing has run with ${here.directory} yet`)
        return
      }
      await withLog(here, async (log) => {
        const pipelines = pipeline === undefined ? await deadLetterPipelines(log) : [pipeline]
        if (flags.json) await listLetters(log, pipelines, here.output, flags.limit)
        else await listGroups(log, pipelines, here.output, flags.limit)
      })
    })
}

async function listLetters(
  log: Log,
  pipelines: readonly string[],
  output: Output,
  limit = Number.POSITIVE_INFINITY,
): Promise<void> {
  const view = wireView()
  let printed = 0
  for (const pipeline of pipelines) {
    for await (const letter of deadLetters(log, pipeline)) {
      if (printed >= limit || output.closed.aborted) return
      await output.print(letterJson(letter, await view(letter.value)))
      printed++
    }
  }
}

async function listGroups(
  log: Log,
  pipelines: readonly string[],
  output: Output,
  limit: number | undefined,
): Promise<void> {
  const groups: DeadLetterGroup[] = []
  for (const pipeline of pipelines) groups.push(...(await deadLetterGroups(log, pipeline)))
  if (groups.length === 0) {
    output.say(pipelines.length === 0 ? 'no pipeline has run here yet' : 'no dead letters')
    return
  }
  const rows = groups.slice(0, limit).map(({ pipeline, step, error, count, example }) => {
    const message = output.columns === undefined ? example.message : shortened(example.message, 60)
    return [pipeline, step, error, count, timeText(example.failedAtMs), example.id, message]
  })
  const headings = ['pipeline', 'step', 'error', 'letters', 'last failed', 'its id', 'its message']
  await output.print(table(headings, rows))
  if (groups.length > rows.length) output.say(`${groups.length - rows.length} more kinds not shown`)
  const first = groups[0]!
  output.say(
    `\nmillrace dead-letters show ${first.pipeline} '${first.example.id}' shows one; replay sends them through the pipeline again`,
  )
}

function showCommand(context: ContextSource): Command {
  return new Command('show')
    .description('one dead letter: why it failed, where it came from, its headers and value')
    .argument('<pipeline>', 'its name')
    .argument('<id>', 'the id of the message that failed')
    .option('--json', 'print a line of JSON for each step at which it failed', false)
    .addHelpText('after', "\nExample:\n  millrace dead-letters show score 'files:mails.ndjson:17'")
    .action((pipeline: string, id: string, flags: { json: boolean }) => {
      const here = context()
      return withLog(here, async (log) => {
        const letters: KeptDeadLetter[] = []
        for await (const letter of deadLetters(log, pipeline, { id })) letters.push(letter)
        if (letters.length === 0) throw unknownId(pipeline, id)
        const view = wireView()
        const textOf = flags.json ? letterJson : letterText
        const texts: string[] = []
        for (const letter of letters) texts.push(textOf(letter, await view(letter.value)))
        await here.output.print(texts.join(flags.json ? '\n' : '\n\n'))
      })
    })
}

interface WorkFlags extends Selection {
  readonly all: boolean
  readonly json: boolean
}

/** The options that say which dead letters are meant. */
const withSelection = (command: Command, verb: string) =>
  command
    .argument('<pipeline>', 'its name')
    .option('--id <id>', `${verb} that of one message`)
    .option('--step <step>', `${verb} those that failed at one step`)
    .option('--all', `${verb} all of them`, false)
    .option('--json', 'print one line of JSON', false)

function replayCommand(context: ContextSource): Command {
  return withSelection(new Command('replay'), 'replay')
    .description('send dead letters through their pipeline again, each exactly once')
    .option('--dry-run', 'only say how many there are', false)
    .addHelpText('after', '\nExample:\n  millrace dead-letters replay score --step parse --dry-run')
    .action((pipeline: string, flags: WorkFlags & { dryRun: boolean }, command: Command) => {
      checkSelection(flags, command)
      const here = context()
      return withLog(here, (log) => replay(log, pipeline, flags, here))
    })
}

async function replay(
  log: Log,
  pipeline: string,
  flags: WorkFlags & { readonly dryRun: boolean },
  { output }: CommandContext,
): Promise<void> {
  const { dryRun, id, step } = flags
  const { done, cut } = await replayDeadLetters(log, pipeline, { id, step }, { dryRun })
  if (id !== undefined && done === 0 && cut.length === 0) throw unknownId(pipeline, id)
  if (id !== undefined && done === 0) {
    const reason = 'was too big to keep, only its beginning is there; send the original again'
    throw fail('DEAD_LETTER_CUT', `dead letter ${id} of ${pipeline}: it ${reason}`)
  }
  if (flags.json) {
    await output.print(JSON.stringify({ pipeline, replayed: dryRun ? 0 : done, found: done, cut }))
    return
  }
  if (dryRun) output.say(`${lettersText(done)} would be replayed; nothing was done`)
  else if (done === 0) output.say('no dead letters to replay')
  else output.say(`${lettersText(done)} replayed: ${pipeline} takes them in when it runs`)
  if (cut.length === 0) return
  const some = cut.slice(0, 5).join(', ') + (cut.length > 5 ? ', ...' : '')
  output.say(`${cut.length} were too big to keep whole and cannot be replayed: ${some}`)
}

function dropCommand(context: ContextSource): Command {
  return withSelection(new Command('drop'), 'drop')
    .description('forget dead letters for good')
    .option('--yes', 'do it: nothing brings them back', false)
    .addHelpText('after', '\nExample:\n  millrace dead-letters drop score --step parse --yes')
    .action((pipeline: string, flags: WorkFlags & { yes: boolean }, command: Command) => {
      checkSelection(flags, command)
      const { output, directory } = context()
      return withLog({ output, directory }, async (log) => {
        const { id, step, yes } = flags
        const { done } = await dropDeadLetters(log, pipeline, { id, step }, { dryRun: !yes })
        if (id !== undefined && done === 0) throw unknownId(pipeline, id)
        if (!yes)
          command.error(`error: ${lettersText(done)} found; to drop them for good, add --yes`)
        if (flags.json) await output.print(JSON.stringify({ pipeline, dropped: done }))
        else output.say(`${lettersText(done)} dropped`)
      })
    })
}

/** Exactly one way to say which; forgetting it must not mean all. */
function checkSelection({ id, step, all }: WorkFlags, command: Command): void {
  const given = [id !== undefined, step !== undefined, all].filter(Boolean)
  if (given.length !== 1) command.error('error: one of --id, --step and --all is needed')
}

const lettersText = (count: number) =>
  `${countText(count)} ${count === 1 ? 'dead letter' : 'dead letters'}`

const unknownId = (pipeline: string, id: string) =>
  fail(
    'DEAD_LETTER_UNKNOWN',
    `dead letters of ${pipeline}: there is none with the id '${id}' (any more); millrace dead-letters list ${pipeline} --json shows all`,
  )
