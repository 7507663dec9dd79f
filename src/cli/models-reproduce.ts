/** `millrace models reproduce`: trains a version again as its recipe says, and compares the bytes. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { codeOf, fail } from '../core/errors.ts'
import { artefactBytes } from '../models/artefact.ts'
import { loadTrainers } from '../pipeline/app.ts'
import type { RegisteredVersion } from '../registry/entries.ts'
import { sha256 } from '../registry/store.ts'
import type { DataSource } from '../training/data-rows.ts'
import { pathsOf, trainFiles } from '../training/train-files.ts'
import type { TrainerResult } from '../training/trainer.ts'
import type { CommandContext, ContextSource } from './context.ts'
import type { SetExitCode } from './exit-code.ts'
import { versionWords, withRegistry } from './model-registry.ts'
import { differencesOf } from './models-differences.ts'
import { type KnownRecipe, knownRecipe } from './models-recipe.ts'
import { StatusLine } from './status-line.ts'

interface ReproduceFlags {
  readonly data?: string
  readonly textFile?: string
  readonly labelFile?: string
  readonly test?: string
  readonly app?: string
  readonly json: boolean
}

export function reproduceCommand(setExitCode: SetExitCode, context: ContextSource): Command {
  return new Command('reproduce')
    .description('train a version again from its recipe, and compare the artefacts byte for byte')
    .argument('<model>', 'NAME, NAME@alias or NAME:version')
    .option('--data <path>', "where the rows are now, instead of the recipe's path")
    .option('--text-file <path>', 'the same of texts in lines')
    .option('--label-file <path>', 'the same of their labels')
    .option('--test <path>', 'the same of the rows to evaluate on')
    .option('--app <file>', 'the same of the application with the trainer')
    .option('--json', 'print what came of it as one line of JSON', false)
    .addHelpText(
      'after',
      `
It registers nothing. Exit code 1: the bytes differ, and it says what does.

Example:
  millrace models reproduce topics:3 --data /mnt/archive/train.csv`,
    )
    .action(async (reference: string, flags: ReproduceFlags) => {
      const isSame = await reproduce(context(), reference, flags)
      if (!isSame) setExitCode(1)
    })
}

async function reproduce(
  here: CommandContext,
  reference: string,
  flags: ReproduceFlags,
): Promise<boolean> {
  const version = await withRegistry(here, (registry) => registry.resolve(reference))
  const recipe = recipeOf(version, flags)
  const line = new StatusLine(process.stderr)
  const tell = (text: string) => (line.isTerminal ? line.show(text) : here.output.say(text))
  const { trained } = await train(recipe, tell).finally(() => line.end())
  const bytes = artefactBytes(trained.classifier, { training: trained.training ?? {} })
  const hash = sha256(bytes)
  const isSame = hash === version.version
  const stored = isSame ? undefined : await storedModel(here, reference)
  const differences = isSame ? [] : differencesOf(version, trained, stored?.classifier)
  const { output } = here
  if (flags.json) {
    const { name, number } = version
    const result = { name, number, version: version.version, reproduced: isSame, trained: hash }
    await output.print(JSON.stringify({ ...result, differences }))
  }
  if (isSame) {
    output.say(`${versionWords(version)} reproduced: the same ${hash}`)
    return true
  }
  output.say(`${versionWords(version)} not reproduced: ${hash.slice(0, 12)} came out`)
  for (const difference of differences) output.say(`  ${difference}`)
  return false
}

/** The recipe with the paths of this machine. Throws for what is not there. */
function recipeOf(version: RegisteredVersion, flags: ReproduceFlags): KnownRecipe {
  const recipe = knownRecipe(version.recipe)
  const who = `reproduce: ${versionWords(version)}`
  if (recipe === undefined) {
    throw fail(
      'OPTIONS_INVALID',
      `${who} was registered without a recipe; millrace train registers one with what it learns`,
    )
  }
  const { data, textFile, labelFile, test, app } = flags
  if (recipe.kind === 'trainer') {
    const path = app ?? recipe.app
    if (path === undefined) {
      throw fail(
        'OPTIONS_INVALID',
        `${who} was trained by the trainer of an application when it ran; say which with --app FILE`,
      )
    }
    if (app === undefined && !existsSync(path)) throw missing(who, path, '--app FILE')
    return { ...recipe, app: resolve(path) }
  }
  const own = { ...recipe }
  const isOther = (data ?? textFile ?? labelFile) !== undefined
  const moved = isOther ? movedSource(recipe.data, flags) : undefined
  if (moved === undefined) checkPaths(who, own.data, sourceFlags(own.data))
  if (test === undefined && own.test !== null) checkPaths(who, own.test, '--test FILE')
  return { ...own, data: moved ?? own.data, test: test ?? own.test }
}

const sourceFlags = (source: DataSource) =>
  typeof source === 'string' ? '--data FILE' : '--text-file FILE --label-file FILE'

function movedSource(
  source: DataSource,
  { data, textFile, labelFile }: ReproduceFlags,
): DataSource {
  const isPath = typeof source === 'string'
  if (isPath && data !== undefined && (textFile ?? labelFile) === undefined) return data
  if (!isPath && data === undefined) {
    return {
      textFile: textFile ?? source.textFile,
      labelFile: labelFile ?? source.labelFile,
    }
  }
  throw fail(
    'OPTIONS_INVALID',
    `reproduce: the recipe's rows take the place of ${sourceFlags(source)}`,
  )
}

function checkPaths(who: string, source: DataSource, flag: string): void {
  const gone = pathsOf(source).find((path) => !existsSync(path))
  if (gone !== undefined) throw missing(who, gone, flag)
}

function missing(who: string, path: string, flag: string): Error {
  return fail(
    'TRAINING_DATA_INVALID',
    `${who} was trained on '${path}', which is not on this machine; say where it is with ${flag}`,
  )
}

async function train(
  recipe: KnownRecipe,
  progress: (line: string) => void,
): Promise<Pick<TrainerResult, 'trained'>> {
  if (recipe.kind === 'files') return trainFiles(recipe, progress)
  const { app = '', name } = recipe
  const trainers = await loadTrainers(app)
  const trainer = trainers.find((one) => one.name === name)
  if (trainer !== undefined) return trainer.train({ progress })
  const names = trainers.map((one) => one.name).join(', ')
  throw fail('APP_UNUSABLE', `${app}: it exports no trainer of '${name}' any more; it has ${names}`)
}

/** What is registered, to compare with; undefined where the store does not have it. */
async function storedModel(here: CommandContext, reference: string) {
  try {
    return await withRegistry(here, (registry) => registry.load(reference))
  } catch (error) {
    const code = codeOf(error)
    if (code !== 'MODEL_UNKNOWN' && code !== 'MODEL_DAMAGED') throw error
    return undefined
  }
}
