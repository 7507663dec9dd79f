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
import { durationText } from './duration.ts'
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
    .description('state, members and lag of every group, in messages and in time')
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
          const rows = states.map(({ name, state, generation, members, lag, lagSeconds }) => {
            return { name, state, generation, members: members.length, lag, lagSeconds }
          })
          return here.output.print(JSON.stringify(rows))
        }
        const rows = states.map(({ name, state, members, lag, lagSeconds }) => {
          return [name, state, members.length, lag, behindText(lagSeconds)]
        })
        await here.output.print(table(['group', 'state', 'members', 'lag', 'behind'], rows))
      })
    })
}

function showCommand(context: ContextSource): Command {
  return new Command('show')
    .description('members, owner and lag of each partition, and the ledger of each step')
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
  const { name, partitions, members, lag, lagSeconds, generation, ledger, unreadable } = state
  const who = members.map(({ memberId, owned, host, pid }) => {
    const place = placeText(host, pid)
    const where = place === undefined ? '' : ` (${place})`
    return `  member ${shortId(memberId)}${where} owns ${owned.length} partitions`
  })
  const told = generation === 0 ? '' : `, generation ${generation}`
  const behind = lag === 0 ? '' : `, ${behindText(lagSeconds)} behind`
  const head = `group ${name}: ${state.state}, ${members.length} members${told}, lag ${countText(lag)}`
  const parts = [
    [`${head}${behind}`, ...who],
    [partitionTable(partitions)],
    ledger.size === 0 ? [] : [ledgerTable(ledger)],
    remarks(state),
    unreadable.map((where) => `${where}: the checkpoint was not written by this version`),
  ]
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function partitionTable(partitions: readonly GroupPartition[]): string {
  const rows = partitions.map((one) => {
    const { topic, partition, member, committed, end, lag, lagSeconds, done } = one
    const waits = [done ? 0 : lag, lagSeconds === undefined ? undefined : behindText(lagSeconds)]
    return [topic, partition, committed, end, ...waits, member && shortId(member)]
  })
  return table(['topic', 'partition', 'committed', 'end', 'lag', 'behind', 'member'], rows)
}

const uuidAtEnd = /[0-9a-f]{8}(?=(-[0-9a-f]{4}){3}-[0-9a-f]{12}$)/

/** What tells members apart: on Kafka all ids begin with the name of the client. */
const shortId = (id: string) => uuidAtEnd.exec(id)?.[0] ?? id.slice(0, 8)

function placeText(host: string | undefined, pid: number | undefined): string | undefined {
  return pid === undefined ? host : `${host}, process ${pid}`
}

/** How old the message is that waits. */
function behindText(seconds: number): string {
  if (seconds === 0) return '0 s'
  return durationText(seconds < 10 ? seconds * 1000 : Math.round(seconds) * 1000)
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
