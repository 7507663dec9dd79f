/** `millrace train`: learns a model from a labelled file, or as an application's trainer says. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { fail, suggestion } from '../core/errors.ts'
import { reportText } from '../evaluation/report-text.ts'
import { artefactBytes } from '../models/artefact.ts'
import { loadTrainers } from '../pipeline/app.ts'
import type { RegisteredVersion } from '../registry/entries.ts'
import { checkModelName } from '../registry/reference.ts'
import { type FileRecipe, trainFiles } from '../training/train-files.ts'
import type { TrainerResult } from '../training/trainer.ts'
import { type CommandContext, type ContextSource, hasLog, processContext } from './context.ts'
import {
  type DataFlags,
  dataSourceOf,
  parseNumber,
  readingOf,
  withDataFlags,
} from './data-flags.ts'
import { versionWords, withRegistry } from './model-registry.ts'
import { defaultHoldout } from './models-recipe.ts'
import { StatusLine } from './status-line.ts'
import { type SettingFlags, settingsOf, withSettingFlags } from './train-flags.ts'

export interface TrainFlags extends DataFlags, SettingFlags {
  readonly test?: string
  readonly holdout?: number
  readonly byTime?: string
  readonly json: boolean
}

export function trainCommand(context: ContextSource = processContext): Command {
  const command = new Command('train')
    .description('learn a text classifier from labelled rows, evaluate it and register it')
    .argument('<name>', "the model's name; or an application (app.ts) that exports trainers")
    .argument('[trainer]', "of an application: the trainer's model, where it exports several")
  withDataFlags(command)
    .option('--test <path>', 'rows to evaluate on; nothing is learnt from them')
    .option(
      '--holdout <share>',
      'the share of --data to evaluate on (default: 0.2)',
      parseNumber(0, 0.9),
    )
    .option('--by-time <column>', 'when a row came: the last ones are evaluated on')
  withSettingFlags(command)
    .option('--json', 'print what came of it as one line of JSON, a line a model', false)
    .addHelpText(
      'after',
      `
Examples:
  millrace train topics --data train.csv --text body --label topic
  millrace train topics --data train.ndjson.gz --test test.ndjson.gz --text text --label category \\
    --estimator linear-svc --features word:1-2 --json
  millrace train topics --data 20news-bydate-train --estimator complement-nb
  millrace train app.ts`,
    )
  return command.action(async (name: string, trainer: string | undefined, flags: TrainFlags) => {
    const here = context()
    if (isApp(name, flags)) {
      checkAppFlags(command)
      return trainApp(here, name, trainer, flags)
    }
    if (trainer !== undefined) {
      throw fail(
        'OPTIONS_INVALID',
        `train: '${trainer}' is one word too many; --help shows examples`,
      )
    }
    const recipe = fileRecipeOf(flags)
    await keep(here, checkModelName(name), flags.json, (progress) => trainFiles(recipe, progress))
  })
}

/** A model may be called `node.js`; with data it is one, unless there is such a file. */
const isApp = (name: string, { data, textFile }: TrainFlags) =>
  /\.[cm]?[jt]s$/.test(name) && (existsSync(name) || (data ?? textFile) === undefined)

/** Throws `OPTIONS_INVALID` for what the application's trainer decides. */
function checkAppFlags(command: Command): void {
  const given = command.options.find(
    (option) =>
      option.attributeName() !== 'json' &&
      command.getOptionValueSource(option.attributeName()) === 'cli',
  )
  if (given === undefined) return
  throw fail(
    'OPTIONS_INVALID',
    `train: ${given.long} means nothing here: what an application learns from, and how, is in its trainer`,
  )
}

/** What the flags ask for, as plain data. Throws `OPTIONS_INVALID`. */
export function fileRecipeOf(flags: TrainFlags): FileRecipe {
  if (flags.test !== undefined && (flags.holdout ?? flags.byTime) !== undefined) {
    throw fail(
      'OPTIONS_INVALID',
      'train: --test has the rows to evaluate on; leave out --holdout and --by-time',
    )
  }
  return {
    kind: 'files',
    data: dataSourceOf(flags),
    reading: readingOf(flags, flags.byTime),
    test: flags.test ?? null,
    holdout: flags.test === undefined ? (flags.holdout ?? defaultHoldout) : 0,
    settings: settingsOf(flags),
  }
}

async function trainApp(
  here: CommandContext,
  path: string,
  wanted: string | undefined,
  flags: TrainFlags,
): Promise<void> {
  const trainers = await loadTrainers(path)
  const names = trainers.map(({ name }) => name)
  if (wanted !== undefined && !names.includes(wanted)) {
    const hint = suggestion(wanted, names) || `it has ${names.join(', ')}`
    throw fail('APP_UNUSABLE', `${path}: it exports no trainer of '${wanted}'; ${hint}`)
  }
  for (const trainer of trainers) {
    if (wanted !== undefined && trainer.name !== wanted) continue
    await keep(here, trainer.name, flags.json, async (progress) => {
      const result = await trainer.train({ progress })
      const recipe = { kind: 'trainer', name: trainer.name, app: resolve(path) }
      return {
        ...result,
        trained: { ...result.trained, facts: { ...result.trained.facts, recipe } },
      }
    })
  }
}

/** Trains, registers and tells. Interrupted before the end, nothing is registered. */
async function keep(
  here: CommandContext,
  name: string,
  json: boolean,
  train: (progress: (line: string) => void) => Promise<TrainerResult>,
): Promise<void> {
  // A directory that cannot be used is told now, and not after an hour of learning.
  if (hasLog(here.directory)) await withRegistry(here, async () => {})
  const line = new StatusLine(process.stderr)
  const tell = (text: string) => (line.isTerminal ? line.show(text) : here.output.say(text))
  const result = await train(tell).finally(() => line.end())
  const { facts, training } = result.trained
  const bytes = artefactBytes(result.classifier, { training: training ?? {} })
  const { version, standing } = await withRegistry(
    here,
    async (registry) => {
      const registered = await registry.register(name, bytes, facts)
      return { version: registered, standing: await registry.resolve(name) }
    },
    { create: true },
  )
  if (json) await here.output.print(JSON.stringify(jsonOf(result, version)))
  else await here.output.print(textOf(result))
  for (const warning of result.warnings) here.output.say(`warning: ${warning}`)
  here.output.say(registeredText(version, standing))
}

function jsonOf(
  { report, choice, warnings, seconds, trained }: TrainerResult,
  version: RegisteredVersion,
) {
  const { name, number, estimator, featureSchema, labels } = version
  return {
    name,
    number,
    version: version.version,
    estimator,
    features: featureSchema,
    labels: labels.length,
    accuracy: report?.accuracy ?? null,
    macroF1: report?.macroF1 ?? null,
    seconds,
    metrics: trained.facts?.metrics ?? {},
    ...(choice === undefined ? {} : { why: choice.why }),
    warnings,
    data: trained.facts?.data ?? {},
  }
}

function textOf({ report, choice, trained, seconds }: TrainerResult): string {
  const lines = [`learnt ${trained.facts?.estimator} in ${seconds.toFixed(1)} s`]
  if (choice !== undefined) lines.push('', `chosen: ${choice.why}`)
  lines.push('', report === undefined ? 'no rows were kept to evaluate on' : reportText(report))
  return lines.join('\n')
}

function registeredText(version: RegisteredVersion, standing: RegisteredVersion): string {
  const { name, number } = version
  const registered = `${versionWords(version)} is registered`
  return standing.version === version.version
    ? `${registered}, and what '${name}' stands for`
    : `${registered}; '${name}' still stands for version ${standing.number}: millrace models promote ${name}:${number}`
}
