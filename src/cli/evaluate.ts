/** `millrace evaluate`: how good a model's answers are on labelled rows, alone or beside another. */
import { Command, Option } from 'commander'
import { fail } from '../core/errors.ts'
import { type Comparison, comparePredictions } from '../evaluation/comparison.ts'
import type { EvaluationReport } from '../evaluation/evaluation-report.ts'
import { reportText } from '../evaluation/report-text.ts'
import type { LoadedModel } from '../registry/registry.ts'
import type { LabelledRows } from '../training/data.ts'
import { notesOf } from '../training/train-files.ts'
import { evaluateOn } from '../training/train-text.ts'
import { type CommandContext, type ContextSource, processContext } from './context.ts'
import { type DataFlags, dataSourceOf, withDataFlags } from './data-flags.ts'
import { parseWhole } from './duration.ts'
import { type CorrectedPriors, correctedPriors } from './evaluate-priors.ts'
import { comparisonText, priorsText } from './evaluate-text.ts'
import { learntFrom, readRowsFor } from './model-data.ts'
import { versionWords, withRegistry } from './model-registry.ts'
import { countText } from './table.ts'

interface EvaluateFlags extends DataFlags {
  readonly against?: string
  readonly priors?: 'estimate'
  readonly top?: number
  readonly json: boolean
}

/** A model, and how good it is on the rows. */
interface Evaluated extends LoadedModel {
  readonly report: EvaluationReport
}

export function evaluateCommand(context: ContextSource = processContext): Command {
  const command = new Command('evaluate')
    .description('ask a model about labelled rows, and tell how good its answers are')
    .argument('<model>', 'NAME, NAME@alias or NAME:version')
  return withDataFlags(command)
    .option('--against <model>', 'another model, on the same rows: is the difference chance?')
    .addOption(
      new Option(
        '--priors <how>',
        'estimate: from the texts alone, how common each label is here; and answer by it (Saerens 2002)',
      ).choices(['estimate']),
    )
    .option('--top <number>', 'labels in the table, the commonest first', parseWhole(1))
    .option('--json', 'print all figures as one line of JSON', false)
    .addHelpText(
      'after',
      `
Columns that are not named are those that the model learnt from, where the data has them.

Examples:
  millrace evaluate topics --data test.csv --text body --label topic
  millrace evaluate topics:4 --against topics@champion --data test.ndjson.gz --json`,
    )
    .action((reference: string, flags: EvaluateFlags) => evaluate(context(), reference, flags))
}

async function evaluate(
  here: CommandContext,
  reference: string,
  flags: EvaluateFlags,
): Promise<void> {
  const { output } = here
  // Before the model, which may take a while to come.
  dataSourceOf(flags)
  const [model, other] = await withRegistry(here, async (registry) => [
    await registry.load(reference),
    flags.against === undefined ? undefined : await registry.load(flags.against),
  ])
  if (other?.version.version === model!.version.version) {
    throw fail(
      'OPTIONS_INVALID',
      `evaluate: '${reference}' and '${flags.against}' are both ${versionWords(model!.version)}; name two versions`,
    )
  }
  const rows = await readRowsFor(model!.version, flags)
  const say = (text: string) => output.say(text)
  for (const note of notesOf(rows)) say(note)
  for (const one of [model!, ...(other === undefined ? [] : [other])]) {
    const flattered = learntFrom(one.version, rows)
    if (flattered !== undefined) say(`warning: ${flattered}`)
    warnOfOtherLabels(one, rows, say)
  }
  const asked: Evaluated = { ...model!, report: evaluateOn(model!.classifier, rows) }
  const priors = flags.priors === undefined ? undefined : correctedPriors(model!.classifier, rows)
  const against = other && compared(asked, other, rows)
  const lines = flags.json
    ? [JSON.stringify(jsonOf(asked, priors, against, rows))]
    : textsOf(asked, flags, priors, against)
  await output.print(lines.join('\n\n'))
  say(`${versionWords(asked.version)} on ${countText(rows.labels.length)} rows`)
}

interface Compared {
  readonly baseline: Evaluated
  readonly comparison: Comparison
}

function compared(asked: Evaluated, other: LoadedModel, rows: LabelledRows): Compared {
  const labelsBy = ({ classifier }: LoadedModel) =>
    classifier.predict(rows.texts).map(({ label }) => label)
  const comparison = comparePredictions({
    truths: rows.labels,
    baseline: labelsBy(other),
    candidate: labelsBy(asked),
  })
  return { baseline: { ...other, report: evaluateOn(other.classifier, rows) }, comparison }
}

function textsOf(
  asked: Evaluated,
  { top }: EvaluateFlags,
  priors: CorrectedPriors | undefined,
  against: Compared | undefined,
): string[] {
  const texts = [reportText(asked.report, top === undefined ? {} : { maxLabels: top })]
  if (priors !== undefined) texts.push(priorsText(asked.report, priors, top))
  if (against !== undefined) texts.push(comparisonText(asked, against.baseline, against.comparison))
  return texts
}

function jsonOf(
  { version: { name, number, version }, report }: Evaluated,
  priors: CorrectedPriors | undefined,
  against: Compared | undefined,
  { fingerprint }: LabelledRows,
) {
  return {
    name,
    number,
    version,
    ...report,
    data: { rows: fingerprint.rows, sha256: fingerprint.sha256 },
    ...(priors === undefined ? {} : { priors }),
    ...(against === undefined ? {} : { against: againstOf(against) }),
  }
}

function againstOf({ baseline, comparison }: Compared) {
  const { name, number, version } = baseline.version
  return { name, number, version, comparison, report: baseline.report }
}

/** The commonest mistake: labels as numbers here and as words there. */
function warnOfOtherLabels(
  { version, classifier }: LoadedModel,
  { labels }: LabelledRows,
  say: (text: string) => void,
): void {
  const known = new Set<string>(classifier.labels)
  const here = new Set(labels)
  if ([...here].some((label) => known.has(label))) return
  const listed = (all: Iterable<string>) => {
    const [first, second, third, ...more] = all
    const some = [first, second, third].filter((label) => label !== undefined)
    return `${some.map((label) => `'${label}'`).join(', ')}${more.length > 0 ? ', ...' : ''}`
  }
  say(
    `warning: no label of these rows (${listed(here)}) is one that ${versionWords(version)} knows (${listed(known)}): is --label right?`,
  )
}
