/** `millrace features skew`: features as they were logged, beside what history says of them. */
import { Command, Option } from 'commander'
import { fail } from '../core/errors.ts'
import type { AnyTopic, Definition } from '../pipeline/definition.ts'
import type { FeatureSkew, Skew } from '../pipeline/feature-skew.ts'
import { type ContextSource, topicNamed } from './context.ts'
import { parseNumber } from './data-flags.ts'
import type { SetExitCode } from './exit-code.ts'
import { beforeWords, type Loaded, topicOf, withPipeline } from './features-app.ts'
import type { Output } from './output.ts'
import { type Cell, countText, shortened, table } from './table.ts'

interface SkewFlags {
  readonly logged?: string
  readonly before?: string
  readonly features?: string
  readonly maxShare: number
  readonly json: boolean
}

export function skewCommand(setExitCode: SetExitCode, context: ContextSource): Command {
  return new Command('skew')
    .description(
      'compare the features that were logged with what history says they should have been',
    )
    .argument('<app>', 'the application, a .ts or .js file')
    .argument('<pipeline>', 'its name')
    .option(
      '--logged <topic>',
      'where they were logged (default: the first topic written behind them)',
    )
    .option('--before <step>', beforeWords)
    .option('--features <list>', 'the fields to compare (default: all that steps add)')
    .addOption(
      new Option('--max-share <share>', 'of a feature, the share of rows that may differ')
        .argParser(parseNumber(0, 1))
        .default(0),
    )
    .option('--json', 'print one line of JSON', false)
    .addHelpText(
      'after',
      '\nExit code 1: more rows differ than may.\n\nExample:\n  millrace features skew app.ts score --max-share 0.01',
    )
    .action(async (app: string, pipeline: string, flags: SkewFlags) => {
      const here = context()
      const { endsOf, skewOf } = await import('../pipeline/feature-skew.ts')
      await withPipeline(here, app, pipeline, async (loaded) => {
        const { log, codecs, definition } = loaded
        const topic = loggedTopic(loaded, flags)
        await topicNamed(log, topic.name)
        const ends = await endsOf(log, topic.name)
        await loaded.history(flags.before, async (history) => {
          const features = flags.features?.split(',').map((name) => name.trim()) ?? history.features
          if (features.length === 0) throw noFeatures(definition)
          const skew = await skewOf(history, features, { log, topic, ends, codecs })
          const { maxShare } = flags
          const tooMany = skew.features.filter(({ share }) => share > maxShare)
          if (tooMany.length > 0 || skew.compared === 0) setExitCode(1)
          const told = { pipeline, logged: topic.name, maxShare, ...skew }
          if (flags.json) await here.output.print(JSON.stringify(told))
          else await skewText(here.output, told)
        })
      })
    })
}

function noFeatures({ name }: Definition) {
  const words = `pipeline ${name}: no step adds anything (add, join with a table); name fields with --features`
  return fail('OPTIONS_INVALID', `features skew: ${words}`)
}

function loggedTopic({ definitions, definition }: Loaded, { logged, before }: SkewFlags): AnyTopic {
  if (logged !== undefined) return topicOf(definitions, logged)
  const { name, steps } = definition
  const isAdding = (step: Definition['steps'][number]) =>
    step.kind === 'keyed' && step.adds !== undefined
  const from =
    before === undefined
      ? steps.findLastIndex(isAdding)
      : steps.findIndex((step) => step.name === before)
  for (const step of steps.slice(Math.max(0, from))) {
    if (step.kind === 'to' && step.target.kind === 'topic') return step.target.topic
  }
  throw fail(
    'OPTIONS_INVALID',
    `features skew: pipeline ${name} writes them to no topic; name one with --logged`,
  )
}

interface ToldSkew extends Skew {
  readonly pipeline: string
  readonly logged: string
  readonly maxShare: number
}

async function skewText(output: Output, told: ToldSkew): Promise<void> {
  const { compared, unknown, features, logged, maxShare } = told
  await output.print(
    table(
      ['feature', 'differing', 'share', 'largest', 'id', 'time', 'logged', 'recomputed'],
      features.flatMap(rowsOf),
      (value) => String(value),
    ),
  )
  const others =
    unknown === 0 ? '' : `; ${countText(unknown)} are in no history any more, or were late`
  output.say(`${countText(compared)} messages of ${logged} compared${others}`)
  const over = features.filter(({ share }) => share > maxShare).map(({ feature }) => feature)
  if (compared === 0) output.say('nothing was compared: is this where they are logged?')
  else if (over.length === 0)
    output.say(`no feature differs in more than ${percent(maxShare)} of them`)
  else output.say(`more than ${percent(maxShare)} of them differ in ${over.join(', ')}`)
}

function rowsOf({ feature, differing, share, largest, examples }: FeatureSkew): Cell[][] {
  const told = examples.map(({ id, time, logged, recomputed }) => [
    ...[id, time, valueText(logged), valueText(recomputed)],
  ])
  const [first = [undefined, undefined, undefined, undefined], ...others] = told
  return [
    [feature, differing, percent(share), largest ?? undefined, ...first],
    ...others.map((one) => [undefined, undefined, undefined, undefined, ...one]),
  ]
}

const percent = (share: number) => `${Number((share * 100).toPrecision(3))} %`
const valueText = (value: unknown) => shortened(JSON.stringify(value), 40)
