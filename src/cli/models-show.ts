/** `millrace models show`: all there is to know of a model and of one of its versions. */
import { Command } from 'commander'
import { labelText } from '../evaluation/text-table.ts'
import type { PlainObject, RegisteredVersion } from '../registry/entries.ts'
import type { ModelRecord } from '../registry/records.ts'
import { parseReference } from '../registry/reference.ts'
import type { ContextSource } from './context.ts'
import { withRegistry } from './model-registry.ts'
import { recipeText } from './models-recipe.ts'
import { ageText, changeText, figureOf, metricLines } from './models-text.ts'
import { countText, oneLine, table, timeText } from './table.ts'

export function showCommand(context: ContextSource): Command {
  return new Command('show')
    .description('one version with its figures and how it was trained; all versions; the history')
    .argument('<model>', 'NAME, NAME@alias or NAME:version')
    .option('--json', 'print one line of JSON', false)
    .addHelpText('after', '\nExample:\n  millrace models show topics@champion')
    .action((reference: string, flags: { json: boolean }) => {
      const { output, ...here } = context()
      return withRegistry({ output, ...here }, async (registry) => {
        const version = await registry.resolve(reference)
        const model = await registry.showModel(parseReference(reference).name)
        if (flags.json) await output.print(JSON.stringify({ ...model, shown: version }))
        else await output.print(showText(model, version))
      })
    })
}

function showText(model: ModelRecord, version: RegisteredVersion): string {
  const history = model.history.map((change) => changeText(model, change))
  const parts = [
    factLines(version),
    metricLines([version]),
    warningLines(version),
    versionLines(model),
    history.length === 0 ? [] : [`history (revision ${model.revision})`, ...history],
  ]
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function factLines(version: RegisteredVersion): string[] {
  const { name, number, registeredAtMs, estimator, featureSchema, labels, recipe } = version
  const facts: readonly (readonly [string, string])[] = [
    ['model', name],
    ['version', `${number} (${version.version})`],
    [
      'registered',
      `${timeText(registeredAtMs)}, ${ageText(registeredAtMs)} ago, by Millrace ${version.libraryVersion || '(not known)'}`,
    ],
    ['estimator', estimator],
    ['features', featureSchema.join(' + ')],
    ['labels', labelsText(labels)],
    ...dataFacts(version.data),
    [
      'seeds',
      Object.entries(version.seeds)
        .map(([key, seed]) => `${key} ${seed}`)
        .join(', '),
    ],
    ['why', typeof version.details.why === 'string' ? version.details.why : ''],
    ['trained by', recipeText(name, recipe) ?? 'not known: it cannot be trained again from here'],
  ]
  return facts
    .filter(([, text]) => text !== '')
    .map(([key, text]) => `${key.padEnd(11)} ${oneLine(text)}`)
}

const shownLabels = 12

function labelsText(labels: readonly string[]): string {
  const shown = labels.slice(0, shownLabels).map(labelText).join(', ')
  const more = labels.length > shownLabels ? ` and ${labels.length - shownLabels} more` : ''
  return `${labels.length}: ${shown}${more}`
}

function dataFacts(data: PlainObject): (readonly [string, string])[] {
  return Object.entries(data).map(([part, facts]) => [part, dataText(facts)] as const)
}

interface DataFacts {
  readonly rows?: number
  readonly sha256?: string
  readonly files?: readonly { readonly name: string }[]
  readonly fileCount?: number
  readonly split?: string
  readonly share?: number
}

function dataText(facts: unknown): string {
  if (typeof facts !== 'object' || facts === null) return JSON.stringify(facts)
  const { rows, sha256, files, fileCount, split, share, ...others } = facts as DataFacts
  const names = files?.map(({ name }) => name).join(', ')
  const parts = [
    split === 'by-time' ? `the last ${percent(share)} of the rows by time` : '',
    split === 'holdout' ? `${percent(share)} of the rows, held back by chance` : '',
    rows === undefined ? '' : `${countText(rows)} rows`,
    names === undefined || names === '' ? '' : `of ${names}`,
    fileCount === undefined ? '' : `of ${countText(fileCount)} files`,
    sha256 === undefined ? '' : `(sha256 ${sha256.slice(0, 12)})`,
  ].filter((part) => part !== '')
  return parts.length > 0 ? parts.join(' ') : JSON.stringify(others)
}

const percent = (share = 0) => `${Number((share * 100).toFixed(1))} %`

function warningLines({ details }: RegisteredVersion): string[] {
  const { warnings } = details
  return Array.isArray(warnings)
    ? warnings.map((warning) => `warning: ${oneLine(String(warning))}`)
    : []
}

function versionLines({ versions, aliases }: ModelRecord): string[] {
  const rows = versions.map((version) => [
    version.number,
    version.version.slice(0, 12),
    aliases
      .filter((one) => one.version === version.version)
      .map(({ alias }) => alias)
      .join(', ') || undefined,
    figureOf(version, 'accuracy')?.toFixed(4),
    figureOf(version, 'macroF1')?.toFixed(4),
    ageText(version.registeredAtMs),
    version.estimator || undefined,
  ])
  return [table(['version', 'hash', 'aliases', 'accuracy', 'macro F1', 'age', 'estimator'], rows)]
}
