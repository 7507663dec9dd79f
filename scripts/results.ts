/**
 * `npm run results`: writes docs/results.md, how often models are right on public data that is not in
 * the package, beside scikit-learn, which `PYTHON` has (version 1.9.1). `MILLRACE_DATA` names the data.
 * `-- --prepare DIR` only writes the files that the page's commands read; `--only SECTION` prints one.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { whyNoPeer } from '../bench/text-sides.ts'
import { type Case, cases, sections } from './results-cases.ts'
import { prepare, type Split } from './results-data.ts'
import { argumentsOf, type Figures, pageOf, type Row } from './results-page.ts'

const root = path.resolve(import.meta.dirname, '..')
const { values: flags } = parseArgs({
  options: { prepare: { type: 'string' }, only: { type: 'string' } },
})
const data = process.env.MILLRACE_DATA ?? path.resolve(root, '..', 'shared', 'data')

if (!existsSync(data)) {
  console.error(`results: ${data} is not there; name the folder of data sets with MILLRACE_DATA`)
  process.exit(1)
}
if (flags.prepare === undefined) {
  const work = mkdtempSync(path.join(tmpdir(), 'millrace-results-'))
  await main(work).finally(() => rmSync(work, { recursive: true, force: true }))
} else {
  mkdirSync(flags.prepare, { recursive: true })
  await prepare(data, flags.prepare)
}

async function main(work: string): Promise<void> {
  const splits = await prepare(data, work)
  const rows: Row[] = []
  for (const one of cases) {
    if (flags.only !== undefined && one.section !== flags.only) continue
    const found = splits[one.data]
    if (found === undefined) {
      console.error(`results: the data of '${one.data}' is not in ${data}: its rows are left out`)
      continue
    }
    console.error(`${sections[one.section].title}: ${one.what}`)
    const ours = one.flags === undefined ? undefined : await train(one, found, work)
    rows.push({ case: one, splits: found, ours, theirs: undefined })
  }
  const why = whyNoPeer()
  if (why === undefined) await askPeer(rows, work)
  else console.error(`results: scikit-learn is not run: ${why}`)
  const page = pageOf(rows, why !== undefined)
  if (flags.only === undefined) writeFileSync(path.join(root, 'docs', 'results.md'), page)
  else console.log(page)
}

/** By the command itself, in a directory of state that is thrown away. */
async function train(one: Case, splits: readonly Split[], work: string): Promise<Figures> {
  const found: Figures[] = []
  for (const split of splits) {
    const command = [path.join(root, 'bin', 'millrace.js'), ...argumentsOf(one, split), '--json']
    const env = { ...process.env, MILLRACE_DIR: path.join(work, 'state') }
    const [line] = await linesOf(process.execPath, command, work, env)
    found.push(JSON.parse(line!) as Figures)
  }
  const mean = (value: (figures: Figures) => number) =>
    found.reduce((sum, figures) => sum + value(figures), 0) / found.length
  return {
    ...found[0]!,
    accuracy: mean(({ accuracy }) => accuracy),
    macroF1: mean(({ macroF1 }) => macroF1),
    seconds: mean(({ seconds }) => seconds),
  }
}

async function askPeer(rows: Row[], work: string): Promise<void> {
  const asked = rows.filter((row) => row.case.peer !== undefined)
  const file = path.join(work, 'cases.json')
  const list = asked.map(({ case: { peer, clean = [] }, splits }) => ({
    ...peer,
    clean,
    splits: splits.map((split) => [split.train, split.test]),
  }))
  writeFileSync(file, JSON.stringify(list))
  const script = path.join(root, 'bench', 'peers', 'scikit_learn_quality.py')
  const lines = await linesOf(process.env.PYTHON ?? 'python3', [script, file], work, process.env)
  for (const [index, row] of asked.entries()) {
    row.theirs = JSON.parse(lines[index]!) as Pick<Figures, 'accuracy' | 'macroF1'>
  }
}

/** What a process prints; throws when it fails, its own words stand above. */
async function linesOf(
  command: string,
  words: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  const child = spawn(command, words, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line)
  const code = await ended
  if (code !== 0) throw new Error(`${command} ${words.join(' ')}: exit code ${code}`)
  return lines
}
