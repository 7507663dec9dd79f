/** `millrace features export`: a training set from history, as a file. */
import { Command, InvalidArgumentError } from 'commander'
import { fail } from '../core/errors.ts'
import type { LabelCounts, LabelOptions } from '../pipeline/history-labels.ts'
import type { History } from '../pipeline/history-run.ts'
import { type ContextSource, topicNamed } from './context.ts'
import { parseDuration } from './duration.ts'
import { beforeWords, type Loaded, topicOf, withPipeline } from './features-app.ts'
import { countText } from './table.ts'

interface ExportFlags {
  readonly output: string
  readonly before?: string
  readonly labels?: string
  readonly label?: string
  readonly on?: string
  readonly labelDelay?: number
  readonly otherwise?: unknown
  readonly json: boolean
}

export function exportCommand(context: ContextSource): Command {
  const onlyWith = 'with --labels'
  return new Command('export')
    .description('a training set: each message with its features as of its time, and its label')
    .argument('<app>', 'the application, a .ts or .js file')
    .argument('<pipeline>', 'its name')
    .requiredOption('--output <path>', 'the file: .ndjson, .ndjson.gz or .parquet')
    .option('--before <step>', beforeWords)
    .option('--labels <topic>', 'the topic that says what turned out')
    .option('--label <field>', `the field of it that is the label, ${onlyWith}`)
    .option('--on <field>', `what a message and its label share, or message=label, ${onlyWith}`)
    .option(
      '--label-delay <time>',
      `so long labels take: younger rows are left out, ${onlyWith}`,
      parseDuration,
    )
    .option(
      '--otherwise <json>',
      `the label of rows that have none by then, ${onlyWith}`,
      parseJson,
    )
    .option('--json', 'print what was written as one line of JSON', false)
    .addHelpText(
      'after',
      `
Examples:
  millrace features export app.ts score --output train.parquet
  millrace features export app.ts score --output train.ndjson.gz \\
    --labels labels --label fraud --on id --label-delay 7d --otherwise 0`,
    )
    .action(async (app: string, pipeline: string, flags: ExportFlags) => {
      const { checkRowsFile, writeRowsFile } = await import('../training/data-write.ts')
      checkRowsFile(flags.output)
      const here = context()
      await withPipeline(here, app, pipeline, async (loaded) => {
        const labels = labelsOf(flags, loaded)
        if (labels !== undefined) await topicNamed(loaded.log, labels.topic.name)
        await loaded.history(flags.before, async (history) => {
          const { rows, counts } = await rowsOf(history, labels, loaded)
          const written = await writeRowsFile(flags.output, rows)
          const told = { rows: written, features: history.features, ...toldOf(history), ...counts }
          if (flags.json) return here.output.print(JSON.stringify(told))
          here.output.say(exportText(flags.output, told))
        })
      })
    })
}

/** Throws commander's `InvalidArgumentError`. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new InvalidArgumentError(`JSON is needed, as 0, false or '"a text"'.`)
  }
}

/** Undefined: rows are written without labels. Throws `OPTIONS_INVALID`. */
function labelsOf(flags: ExportFlags, { definitions }: Loaded): LabelOptions | undefined {
  const { labels, label, on, labelDelay = 0, otherwise } = flags
  if (labels === undefined) {
    const idle = (['label', 'on', 'labelDelay', 'otherwise'] as const).find(
      (name) => flags[name] !== undefined,
    )
    if (idle === undefined) return undefined
    const named = idle === 'labelDelay' ? 'label-delay' : idle
    throw fail(
      'OPTIONS_INVALID',
      `features export: --${named} is about labels; name their topic with --labels`,
    )
  }
  if (label === undefined || on === undefined) {
    const words =
      'features export: --labels needs --label, the field that is the label, and --on, the field by which it is found'
    throw fail('OPTIONS_INVALID', words)
  }
  const [row = '', other = row] = on.split('=')
  return {
    topic: topicOf(definitions, labels),
    ...{ field: label, on: { row, label: other }, delayMs: labelDelay, otherwise },
  }
}

async function rowsOf(history: History, labels: LabelOptions | undefined, { log, codecs }: Loaded) {
  const { labelledRows, readLabels } = await import('../pipeline/history-labels.ts')
  const counts = { labelled: 0, otherwise: 0, young: 0, unlabelled: 0 }
  if (labels === undefined) return { rows: valuesOf(history.rows()), counts: undefined }
  const known = await readLabels(log, labels, codecs)
  const rows = labelledRows(() => history.rows(), known, labels, counts)
  return { rows: valuesOf(rows), counts }
}

async function* valuesOf(rows: ReturnType<History['rows']>) {
  for await (const { value } of rows) yield value as { readonly [column: string]: unknown }
}

const toldOf = ({ messages, late, deadLetters, before }: History) => ({
  ...{ messages, late, deadLetters, before: before ?? null },
})

type Told = { readonly rows: number; readonly features: readonly string[] } & ReturnType<
  typeof toldOf
> &
  Partial<LabelCounts>

function exportText(path: string, told: Told): string {
  const {
    rows,
    messages,
    features,
    late,
    deadLetters,
    otherwise = 0,
    young = 0,
    unlabelled = 0,
  } = told
  const left = [
    [otherwise, 'with the label of --otherwise'],
    [late, 'late'],
    [deadLetters, 'dead letters'],
    [young, 'too young for a label'],
    [unlabelled, 'without a label'],
  ] as const
  const words = left.flatMap(([count, what]) =>
    count === 0 ? [] : [`${countText(count)} ${what}`],
  )
  const out = words.length === 0 ? '' : `; ${words.join(', ')}`
  const of = features.length === 0 ? '' : ` with ${features.join(', ')}`
  return `${path}: ${countText(rows)} rows${of}, of ${countText(messages)} messages${out}`
}
