/** `millrace models list`: the versions that matter, a line each. */
import { Command } from 'commander'
import type { RegisteredVersion } from '../registry/entries.ts'
import { type ModelRecord, recordOf } from '../registry/records.ts'
import { championAlias } from '../registry/reference.ts'
import { readRegistry } from '../registry/state.ts'
import { type CommandContext, type ContextSource, hasLog, withLog } from './context.ts'
import { trainFirst } from './model-registry.ts'
import { ageText, figureOf } from './models-text.ts'
import { shortened, table } from './table.ts'

interface ListFlags {
  readonly all: boolean
  readonly json: boolean
}

export function listCommand(context: ContextSource): Command {
  return new Command('list')
    .description('the newest version of each model and those with an alias')
    .option('--all', 'every version', false)
    .option('--json', 'print one line of JSON', false)
    .addHelpText('after', '\nExample:\n  millrace models list --all')
    .action((flags: ListFlags) => list(context(), flags))
}

async function list(here: CommandContext, { all, json }: ListFlags): Promise<void> {
  const { output } = here
  const models = hasLog(here.directory)
    ? await withLog(here, async (log) => (await readRegistry(log)).present().map(recordOf))
    : []
  const rows = models.flatMap((model) =>
    versionsOf(model, all).map((version) => ({ model, version })),
  )
  if (json) {
    await output.print(JSON.stringify(rows.map(({ model, version }) => jsonOf(model, version))))
    return
  }
  if (models.length === 0) {
    output.say(
      `no models: none was registered in ${here.directory} yet; train one first: ${trainFirst}`,
    )
    return
  }
  const width = output.columns === undefined ? Infinity : Math.max(24, output.columns - 72)
  const cells = rows.map(({ model, version }) => [
    version.name,
    version.number,
    version.version.slice(0, 12),
    aliasesOf(model, version).join(', ') || undefined,
    figureOf(version, 'accuracy')?.toFixed(4),
    figureOf(version, 'macroF1')?.toFixed(4),
    ageText(version.registeredAtMs),
    shortened(version.estimator, width) || undefined,
  ])
  const headings = [
    'model',
    'version',
    'hash',
    'aliases',
    'accuracy',
    'macro F1',
    'age',
    'estimator',
  ]
  await output.print(table(headings, cells))
  const hidden = models.reduce((sum, { versionCount }) => sum + versionCount, 0) - rows.length
  if (hidden > 0) output.say(`${hidden} older versions are not shown; --all shows them`)
}

function versionsOf({ versions, newest, aliases }: ModelRecord, all: boolean) {
  const pointed = new Set([newest.version, ...aliases.map(({ version }) => version)])
  return all ? versions : versions.filter(({ version }) => pointed.has(version))
}

const aliasesOf = ({ aliases }: ModelRecord, { version }: RegisteredVersion) =>
  aliases.filter((one) => one.version === version).map(({ alias }) => alias)

function jsonOf(model: ModelRecord, version: RegisteredVersion) {
  const { name, number, registeredAtMs, estimator } = version
  const champion = model.aliases.find(({ alias }) => alias === championAlias)
  return {
    name,
    number,
    version: version.version,
    aliases: aliasesOf(model, version),
    /** Whether the bare name means it. */
    current: version.version === (champion?.version ?? model.newest.version),
    accuracy: figureOf(version, 'accuracy') ?? null,
    macroF1: figureOf(version, 'macroF1') ?? null,
    estimator,
    registeredAtMs,
  }
}
