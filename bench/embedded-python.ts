/** scikit-learn on the same tweets, where a Python with it is named: `PYTHON=/path/to/python`. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sentimentRows } from './tweets.ts'

const script = fileURLToPath(new URL('./peers/scikit_learn_batches.py', import.meta.url))

/** Messages/s, or why there is no figure. */
export function scikitLearn(
  directory: string,
  tweets: readonly string[],
  messages: number,
): number | string {
  const python = process.env.PYTHON ?? 'python3'
  const [train, source, target] = ['train', 'input', 'output'].map((name) =>
    join(directory, `${name}.ndjson`),
  ) as [string, string, string]
  const lines = sentimentRows().map((row) => JSON.stringify(row))
  writeFileSync(train, `${lines.join('\n')}\n`)
  const input = Array.from({ length: messages }, (_, index) => tweets[index % tweets.length]!)
  writeFileSync(source, `${input.join('\n')}\n`)
  const result = spawnSync(python, [script, train, source, target], { encoding: 'utf8' })
  if (result.status === 0) return Number(result.stdout)
  const reason = result.error?.message ?? result.stderr.trim().split('\n').at(-1)
  return `not measured: ${reason} (PYTHON names one with scikit-learn)`
}
