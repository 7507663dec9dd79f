/** `millrace groups list|show|reset|pause|resume`: who reads, how far, and from where next. */
import { Command } from 'commander'
import { dispositions, type StepCounts, unaccounted } from '../pipeline/ledger.ts'
import {
  type ContextSource,
  groupNamed,
  hasLog,
  isInternal,
  processContext,
  withLog,
} from './context.ts'
import { resetCommand } from './groups-reset.ts'
import { type GroupPartition, type GroupState, groupState } from './groups-state.ts'
import { type Cell, countText, table } from './table.ts'

export function groupsCommand(context: ContextSource = processContext): Command {
  return new Command('groups')
    .description('list, show, reset, pause and resume consumer groups: one for each pipeline')
    .addCommand(listCommand(context))
    .addCommand(showCommand(context))
    .addCommand(resetCommand(context))
    .addCommand(pauseCommand(context, true))
    .addCommand(pauseCommand(context, false))
    .addHelpText('after', '\nExample:\n  millrace groups show score')
}

function listCommand(context: ContextSource): Command {
  return new Command('list')
    .description('state, members and lag of every group')
    .option('--all', 'also what Millrace keeps for itself', false)
    .option('--json', 'print one line of JSON', false)
    .addHelpText('after', '\nExample:\n  millrace groups list')
    .action(async ({ all, json }: { all: boolean; json: boolean }) => {
      const here = context()
      if (!hasLog(here.directory)) {
        here.output.say(`no groups: nothing has run with ${here.directory} yet`)
        if (json) await here.output.print('[]')
        return
      }
      await withLog(here, async (log) => {
        const groups = (await log.groups()).filter(({ name }) => all || !isInternal(name))
        const states = await Promise.all(groups.map((group) => groupState(log, group)))
        if (json) {
          const rows = states.map(({ name, state, members, lag }) => {
            return { name, state, members: members.length, lag }
          })
          return here.output.print(JSON.stringify(rows))
        }
        const rows = states.map(({ name, state, members, lag }) => [
          name,
          state,
          members.length,
          lag,
        ])
        await here.output.print(table(['group', 'state', 'members', 'lag'], rows))
      })
    })
}

function showCommand(context: ContextSource): Command {
  return new Command('show')
    .description('members, lag of each partition, and the ledger of each step')
    .argument('<group>', 'its name, which is that of the pipeline')
    .option('--json', 'print one line of JSON', false)
    .addHelpText('after', '\nExample:\n  millrace groups show score')
    .action((name: string, flags: { json: boolean }) => {
      const here = context()
      return withLog(here, async (log) => {
        const state = await groupState(log, await groupNamed(log, name))
        await here.output.print(flags.json ? stateJson(state) : stateText(state))
      })
    })
}

function stateJson(state: GroupState): string {
  const partitions = state.partitions.map(({ checkpoint: _, data, ...one }) => {
    return { ...one, source: data?.source }
  })
  return JSON.stringify({ ...state, partitions, ledger: Object.fromEntries(state.ledger) })
}

function stateText(state: GroupState): string {
  const { name, partitions, members, lag, ledger, unreadable } = state
  const shortId = (id: string | undefined) => id?.slice(0, 8)
  const who = members.map(({ memberId, owned }) => {
    return `  member ${shortId(memberId)} owns ${owned.length} partitions`
  })
  const parts = [
    [`group ${name}: ${state.state}, ${members.length} members, lag ${countText(lag)}`, ...who],
    [partitionTable(partitions, shortId)],
    ledger.size === 0 ? [] : [ledgerTable(ledger)],
    remarks(state),
    unreadable.map((where) => `${where}: the checkpoint was not written by this version`),
  ]
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function partitionTable(
  partitions: readonly GroupPartition[],
  shortId: (id: string | undefined) => string | undefined,
): string {
  const rows = partitions.map(({ topic, partition, member, committed, end, lag, done }) => {
    return [topic, partition, committed, end, done ? 0 : lag, shortId(member)]
  })
  return table(['topic', 'partition', 'committed', 'end', 'lag', 'member'], rows)
}

/** A row a step; columns that are 0 everywhere are left out. */
function ledgerTable(ledger: ReadonlyMap<string, StepCounts>): string {
  const names = ['in', ...dispositions, 'emitted'] as const
  const rows = [...ledger]
  const used = names.filter(
    (name) => name === 'in' || name === 'passed' || rows.some(([, counts]) => counts[name] > 0),
  )
  const headings = used.map((name) => (name === 'deadLettered' ? 'dead letters' : name))
  const cells = rows.map(([step, counts]): Cell[] => [step, ...used.map((name) => counts[name])])
  return table(['step', ...headings], cells)
}

function remarks({ ledger, partitions }: GroupState): string[] {
  const missing = [...ledger].flatMap(([step, counts]) => {
    const lost = unaccounted(counts)
    return lost === 0 ? [] : [`step ${step}: ${lost} messages have no disposition`]
  })
  const gone = partitions.flatMap(({ topic, partition, expired }) =>
    expired === 0 ? [] : [`${topic}/${partition}: retention took ${expired} messages unread`],
  )
  return [...missing, ...gone]
}

function pauseCommand(context: ContextSource, paused: boolean): Command {
  const verb = paused ? 'pause' : 'resume'
  const what = paused
    ? 'let its members keep their partitions and do nothing'
    : 'let a paused group go on where it stopped'
  return new Command(verb)
    .description(what)
    .argument('<group>', 'its name, which is that of the pipeline')
    .option('--json', 'print one line of JSON', false)
    .addHelpText('after', `\nExample:\n  millrace groups ${verb} score`)
    .action((name: string, flags: { json: boolean }) => {
      const { output, directory } = context()
      return withLog({ output, directory }, async (log) => {
        const group = await groupNamed(log, name)
        await log.pauseGroup(name, paused)
        const now = paused ? 'paused' : 'resumed'
        const again = group.paused === paused ? ' (it was already)' : ''
        if (flags.json) await output.print(JSON.stringify({ group: name, paused }))
        else output.say(`group ${name} ${now}${again}`)
      })
    })
}
