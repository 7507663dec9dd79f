/** What the text benchmark found, as Markdown: a row a question, the lost ones too. */
import type { Answer, Task } from './text-sides.ts'
import type { BenchTexts } from './text-texts.ts'

export interface Times {
  /** The first time, in a process that has just read its texts. */
  readonly first: number
  readonly median: number
  readonly best: number
  /** Processor time of the best, all threads of the process, over its time on the clock. */
  readonly load: number
  readonly found: number
}

export interface Measured {
  readonly name: string
  readonly task: Task
  readonly ours: Times
  /** Undefined when scikit-learn was not asked. */
  readonly theirs: Times | undefined
}

export interface ReportSettings {
  readonly rounds: number
  readonly singles: number
  readonly shortCharacters: number
  readonly charPosts: number
}

export function measured(
  name: string,
  task: Task,
  { ours, theirs }: { readonly ours: readonly Answer[]; readonly theirs: readonly Answer[] },
): Measured {
  return { name, task, ours: timesOf(ours)!, theirs: timesOf(theirs) }
}

function timesOf(answers: readonly Answer[]): Times | undefined {
  const [first] = answers
  if (first === undefined) return undefined
  const rising = answers.toSorted((a, b) => a.seconds - b.seconds)
  const best = rising[0]!
  return {
    first: first.seconds,
    median: rising[rising.length >> 1]!.seconds,
    best: best.seconds,
    load: best.cpuSeconds / best.seconds,
    found: first.found,
  }
}

export function reportOf(
  { name, train, test }: BenchTexts,
  results: readonly Measured[],
  { rounds, singles, shortCharacters, charPosts }: ReportSettings,
): string {
  const characters = train.texts.reduce((sum, text) => sum + text.length, 0) / train.texts.length
  return [
    `${name}: ${count(train.texts.length)} to learn from, ${count(test.texts.length)} to score, ${characters.toFixed(0)} characters on average. ` +
      `Best of ${rounds} rounds, in turns (logistic regression: one round); all at defaults, without ` +
      'calibration; one thread of Python, with OMP_NUM_THREADS=1, beside one of JavaScript.',
    '',
    '| what | Millrace, s | first, median | scikit-learn, s | first, median | times as fast: best | first |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...results.map(rowOf),
    '',
    '| in a batch, texts/s | Millrace | scikit-learn |',
    '| --- | ---: | ---: |',
    ...results
      .filter(({ task }) => task.do === 'predict')
      .map((result) => batchRow(result, test.texts.length)),
    '',
    `One a call: ${singles} texts, each in a predict of its own; short: the last ${shortCharacters} characters of each. ` +
      `char_wb:2-5: ${count(charPosts)} posts. ${sameWork(results)} ${loads(results)}`,
  ].join('\n')
}

function rowOf({ name, ours, theirs }: Measured): string {
  const spread = (times: Times) => `${seconds(times.first)}, ${seconds(times.median)}`
  const cells =
    theirs === undefined
      ? ['not run', '', '', '']
      : [
          seconds(theirs.best),
          spread(theirs),
          ratio(theirs.best / ours.best),
          ratio(theirs.first / ours.first),
        ]
  return `| ${[name, seconds(ours.best), spread(ours), ...cells].join(' | ')} |`
}

function batchRow({ name, ours, theirs }: Measured, texts: number): string {
  const rate = (times: Times | undefined) =>
    times === undefined ? 'not run' : count(Math.round(texts / times.best))
  return `| ${name.replace('predict ', '')} | ${rate(ours)} | ${rate(theirs)} |`
}

/** Accuracy, terms, entries: what both must agree on, or they did not do the same. */
function sameWork(results: readonly Measured[]): string {
  const asked = results.filter(({ theirs }) => theirs !== undefined)
  if (asked.length === 0) return 'scikit-learn was not run.'
  const others = asked.filter(({ ours, theirs }) => ours.found !== theirs!.found)
  if (others.length === 0) return 'Both sides found the same terms, entries and accuracies.'
  const words = others.map(
    ({ name, ours, theirs }) => `${name}: ${figure(ours.found)} and ${figure(theirs!.found)}`,
  )
  return `What both sides found (terms, entries, accuracies) is the same but for ${words.join('; ')}.`
}

function loads(results: readonly Measured[]): string {
  const most = (side: (one: Measured) => Times | undefined) =>
    Math.max(...results.map((one) => side(one)?.load ?? 0)).toFixed(2)
  return `Processor time over time on the clock, at most: Millrace ${most(({ ours }) => ours)} (Node collects garbage beside its one thread), scikit-learn ${most(({ theirs }) => theirs)}.`
}

const seconds = (value: number) => value.toPrecision(3)
const ratio = (value: number) => (value < 1 ? `**${value.toFixed(2)}**, slower` : value.toFixed(1))
const count = (value: number) => value.toLocaleString('en')
const figure = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(4))
