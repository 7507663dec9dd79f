/** docs/results.md from what was found. */
import { type Case, sections } from './results-cases.ts'
import type { Split } from './results-data.ts'

export interface Figures {
  readonly accuracy: number
  readonly macroF1: number
  readonly seconds: number
  /** What `--estimator auto` chose, and why. */
  readonly why?: string
}

export interface Row {
  readonly case: Case
  readonly splits: readonly Split[]
  readonly ours: Figures | undefined
  theirs: Pick<Figures, 'accuracy' | 'macroF1'> | undefined
}

const head = `<!-- Written by \`npm run results\`: change scripts/results-cases.ts, not this page. -->

# How often models are right

Public data that is not in the package, each model learnt by \`millrace train\` and asked about rows that
nothing was learnt from or chosen by; scikit-learn 1.9.1 beside it, with the same settings, measured in
the same run. Speed is in [bench/README.md](../bench/README.md).

\`\`\`sh
PYTHON=/path/to/python MILLRACE_DATA=/path/to/data npm run results  # writes this page
MILLRACE_DATA=/path/to/data npm run results -- --prepare work       # the files that the commands read
\`\`\`

The seconds are those of one run on a shared machine with two virtual cores, for learning alone: an
order of magnitude. Commands run in \`work\`; \`--json\` gives the figures as one line.`

export function pageOf(rows: readonly Row[], peerMissing: boolean): string {
  const missing = peerMissing ? ['scikit-learn was not there when this page was written.'] : []
  const blocks = Object.entries(sections).flatMap(([name, { title, text }]) => {
    const own = rows.filter((row) => row.case.section === name)
    return own.length === 0 ? [] : [`## ${title}\n\n${text}`, tableOf(own), commandsOf(own)]
  })
  return `${[head, ...missing, ...blocks].join('\n\n')}\n`
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ case: { what, peer }, ours, theirs }) => {
    const absent = peer === undefined ? 'has none' : 'not run'
    const mine = ours ? [ours.accuracy, ours.macroF1].map(figure) : ['', '']
    const other = theirs ? [theirs.accuracy, theirs.macroF1].map(figure) : [absent, '']
    return `| ${[what, ...mine, ...other, ours?.seconds.toFixed(1) ?? ''].join(' | ')} |`
  })
  return [
    '| what | accuracy | macro F1 | scikit-learn: accuracy | macro F1 | learnt in, s |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ].join('\n')
}

function commandsOf(rows: readonly Row[]): string {
  const shown = rows.flatMap((row) => (row.ours === undefined ? [] : [commandOf(row)]))
  const chosen = rows.flatMap(({ case: { what }, ours }) =>
    ours?.why === undefined ? [] : [`${what} chose ${ours.why}.`],
  )
  return [...chosen, `\`\`\`sh\n${shown.join('\n')}\n\`\`\``].join('\n\n')
}

function commandOf({ case: one, splits }: Row): string {
  const folds = splits.length > 1 ? `  # and 2 to ${splits.length}; the mean` : ''
  return `npx millrace ${argumentsOf(one, splits[0]!).join(' ')} --json${folds}`
}

/** The arguments of the command, for one split. */
export function argumentsOf({ clean = [], flags = '' }: Case, { train, test }: Split): string[] {
  const cleaning = clean.length === 0 ? [] : ['--clean', clean.join(',')]
  const words = flags === '' ? [] : flags.split(' ')
  return ['train', 'results', '--data', train, '--test', test, ...cleaning, ...words]
}

const figure = (value: number) => value.toFixed(4)
