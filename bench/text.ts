/**
 * How fast are text models beside scikit-learn? Learning and scoring from texts, one text at a time,
 * and vectorisers alone: both sides in one run, in turns, in a process of their own each.
 * `PYTHON=/path/to/python npm run bench:text [-- --rounds 3 --posts 11314 --alone --write]`.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { withSection } from './text-readme.ts'
import { type Measured, measured, reportOf } from './text-report.ts'
import {
  type Answer,
  type EstimatorFactory,
  ourSide,
  type Side,
  type Task,
  theirSide,
  whyNoPeer,
} from './text-sides.ts'
import { benchTexts } from './text-texts.ts'

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    posts: { type: 'string' },
    alone: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const readme = fileURLToPath(new URL('./README.md', import.meta.url))
const rounds = Number(flags.rounds)
/** scikit-learn's logistic regression takes minutes: it is asked once. */
const roundsOf = (estimator: EstimatorFactory) => (estimator === 'logisticRegression' ? 1 : rounds)
const singles = 500
const shortCharacters = 140
const charPosts = 500

const why = flags.alone ? undefined : whyNoPeer()
if (why !== undefined) {
  console.error(`bench: ${why}. To measure Millrace alone: --alone`)
  process.exit(1)
}

const began = performance.now()
const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
try {
  await main()
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function main(): Promise<void> {
  const texts = benchTexts(flags.posts === undefined ? undefined : Number(flags.posts))
  const file = join(directory, 'texts.json')
  writeFileSync(file, JSON.stringify(texts))
  const results: Measured[] = []
  const factories: readonly EstimatorFactory[] = [
    'multinomialNB',
    'complementNB',
    'linearSVC',
    'sgdClassifier',
    'logisticRegression',
  ]
  for (const estimator of factories) {
    const tasks: [string, Task][] = [
      [`fit tf-idf + ${estimator}`, { do: 'fit', estimator }],
      [`predict tf-idf + ${estimator}`, { do: 'predict' }],
    ]
    if (estimator === 'multinomialNB' || estimator === 'linearSVC') {
      const [one, short] = [`one post a call, ${estimator}`, `one short text a call, ${estimator}`]
      tasks.push([one, { do: 'single', count: singles }])
      tasks.push([short, { do: 'single', count: singles, characters: shortCharacters }])
    }
    results.push(...(await inTurns(file, tasks, roundsOf(estimator))))
  }
  const all = texts.train.texts.length
  const vectorizers: [string, Task][] = [
    ['count word:1-2', { do: 'vectorize', vectorizer: 'word:1-2', count: all }],
    ['count char_wb:2-5', { do: 'vectorize', vectorizer: 'char_wb:2-5', count: charPosts }],
    ['hashing word:1-1', { do: 'vectorize', vectorizer: 'hashing word:1-1', count: all }],
  ]
  for (const task of vectorizers) results.push(...(await inTurns(file, [task], rounds)))
  const report = reportOf(texts, results, { rounds, singles, shortCharacters, charPosts })
  console.log(report)
  console.error(`took ${((performance.now() - began) / 1000).toFixed(0)} s`)
  if (flags.write) writeFileSync(readme, withSection(readFileSync(readme, 'utf8'), report))
}

/** The tasks in their order, each by both sides, so often; both processes are new at the start. */
async function inTurns(
  file: string,
  tasks: readonly (readonly [string, Task])[],
  times: number,
): Promise<Measured[]> {
  const us = ourSide(file)
  const them = flags.alone ? undefined : theirSide(file)
  const answers = tasks.map(() => ({ ours: [] as Answer[], theirs: [] as Answer[] }))
  for (let round = 0; round < times; round++) {
    for (const [place, [name, task]] of tasks.entries()) {
      console.error(`${name}, round ${round + 1} of ${times}`)
      await take(us, task, answers[place]!.ours)
      if (them !== undefined) await take(them, task, answers[place]!.theirs)
    }
  }
  await us.end()
  await them?.end()
  return tasks.map(([name, task], place) => measured(name, task, answers[place]!))
}

async function take(side: Side, task: Task, answers: Answer[]): Promise<void> {
  answers.push(await side.does(task))
}
