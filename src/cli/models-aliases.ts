/** `millrace models promote|rollback|alias|unalias`: which version a name stands for. */
import { Command } from 'commander'
import { fail } from '../core/errors.ts'
import type { RegisteredVersion, RegistryChange } from '../registry/entries.ts'
import type { ModelRecord } from '../registry/records.ts'
import { championAlias, parseReference } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import type { CommandContext, ContextSource } from './context.ts'
import { parseWhole } from './duration.ts'
import { withRegistry } from './model-registry.ts'
import { hashText, isSameTest, metricLines } from './models-text.ts'

interface ChangeFlags {
  readonly alias: string
  readonly expectRevision?: number
  readonly reason?: string
  readonly json: boolean
}

/** The flags of everything that changes a model. */
export function withChangeFlags(command: Command): Command {
  return command
    .option(
      '--expect-revision <number>',
      'refuse if the model was changed since (show tells its revision)',
      parseWhole(0),
    )
    .option('--reason <text>', 'for those who read the history')
    .option('--json', 'print the change as one line of JSON', false)
}

const changeOptions = ({ expectRevision, reason }: ChangeFlags, by: string) => ({
  expectedRevision: expectRevision,
  reason,
  by,
})

export function promoteCommand(context: ContextSource): Command {
  const command = new Command('promote')
    .description('let a version be what the name stands for')
    .argument('<version>', 'NAME:version, or NAME@alias for what that alias points to')
    .option('--alias <name>', 'the alias that is to point to it', championAlias)
  return withChangeFlags(command)
    .addHelpText(
      'after',
      "\nExample:\n  millrace models promote topics:3 --reason 'better on the June rows'",
    )
    .action((reference: string, flags: ChangeFlags) =>
      point(context(), reference, flags.alias, flags, 'promote'),
    )
}

export function aliasCommand(context: ContextSource): Command {
  const command = new Command('alias')
    .description('point an alias of any name to a version')
    .argument('<version>', 'NAME:version, or NAME@alias for what that alias points to')
    .argument('<alias>', 'its name')
  return withChangeFlags(command)
    .addHelpText('after', '\nExample:\n  millrace models alias topics:4 challenger')
    .action((reference: string, alias: string, flags: ChangeFlags) =>
      point(context(), reference, alias, flags, 'alias'),
    )
}

export function unaliasCommand(context: ContextSource): Command {
  const command = new Command('unalias')
    .description('take an alias away')
    .argument('<alias>', 'NAME@alias')
  return withChangeFlags(command)
    .addHelpText('after', '\nExample:\n  millrace models unalias topics@challenger')
    .action((reference: string, flags: ChangeFlags) => {
      const { name, alias } = parseReference(reference)
      if (alias === undefined) {
        throw fail('NAME_INVALID', `unalias: '${reference}' names no alias; give NAME@alias`)
      }
      return change(context(), name, flags.json, (registry) =>
        registry.removeAlias(name, alias, changeOptions(flags, 'unalias')),
      )
    })
}

export function rollbackCommand(context: ContextSource): Command {
  const command = new Command('rollback')
    .description('point an alias to what it pointed to before')
    .argument('<name>', "the model's name")
    .option('--alias <name>', 'the alias', championAlias)
  return withChangeFlags(command)
    .addHelpText(
      'after',
      "\nExample:\n  millrace models rollback topics --reason 'too many unknowns'",
    )
    .action((reference: string, flags: ChangeFlags) => {
      const { name, version, alias = flags.alias } = parseReference(reference)
      if (version !== undefined) {
        throw fail(
          'NAME_INVALID',
          `rollback: it goes back to what was before; to go to version ${version}: millrace models promote ${reference}`,
        )
      }
      return change(context(), name, flags.json, (registry) =>
        registry.rollback(name, alias, changeOptions(flags, 'rollback')),
      )
    })
}

function point(
  here: CommandContext,
  reference: string,
  alias: string,
  flags: ChangeFlags,
  by: string,
): Promise<void> {
  const { name, version, alias: from } = parseReference(reference)
  return change(here, name, flags.json, async (registry) => {
    const target = await registry.resolve(reference)
    if ((version ?? from) === undefined) {
      throw fail(
        'NAME_INVALID',
        `${by}: '${name}' names no version; give one, as ${name}:${target.number}, which it stands for now`,
      )
    }
    return registry.setAlias(name, alias, target.version, changeOptions(flags, by))
  })
}

/** Changes a model and tells what came of it. */
function change(
  here: CommandContext,
  name: string,
  json: boolean,
  decide: (registry: Registry) => Promise<RegistryChange>,
): Promise<void> {
  return withRegistry(here, async (registry) => {
    const { revision } = await registry.showModel(name)
    const made = await decide(registry)
    const model = await registry.showModel(name)
    // What was so already is no change.
    const isNew = made.revision > revision
    if (json) {
      await here.output.print(JSON.stringify({ name, changed: isNew, ...made }))
      return
    }
    for (const line of changeLines(model, made, isNew)) here.output.say(line)
    const compared = versionsIn(model, made)
    if (isNew && compared.length === 2) await here.output.print(comparisonText(compared))
  })
}

function changeLines(model: ModelRecord, made: RegistryChange, isNew: boolean): string[] {
  const { name, newest } = model
  const { alias, version, previous } = made
  if (!isNew) return [`${name}@${alias} points to ${hashText(model, version)} already`]
  // A name without a champion stood for its newest version.
  const stood =
    previous === null && alias === championAlias && newest.version !== version
      ? `${hashText(model, null)} ('${name}' stood for the newest, version ${newest.number})`
      : hashText(model, previous)
  const lines = [
    `${name}@${alias}: ${stood} -> ${hashText(model, version)}, revision ${made.revision}`,
  ]
  if (version === null && alias === championAlias) {
    lines.push(`'${name}' stands for the newest version again, version ${newest.number}`)
  }
  return lines
}

/** What the name stood for and what the alias points to, while both are there. */
function versionsIn(
  { versions, newest }: ModelRecord,
  { alias, previous, version }: RegistryChange,
) {
  const stood = previous ?? (alias === championAlias ? newest.version : null)
  if (stood === version) return []
  return [stood, version].flatMap((hash) => versions.filter((one) => one.version === hash))
}

function comparisonText(versions: readonly RegisteredVersion[]): string {
  const [before, after] = versions
  const lines = metricLines(versions)
  if (lines.length === 0) return ''
  if (isSameTest(before!, after!)) return lines.join('\n')
  const { name } = after!
  const hint = `millrace evaluate ${name}:${after!.number} --against ${name}:${before!.number} --data FILE`
  return [...lines, `these figures are of different rows; on the same ones: ${hint}`].join('\n')
}
