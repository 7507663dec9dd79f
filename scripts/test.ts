/**
 * Runs the tests: `npm test` all of them, `npm run test:fast` those that share one process. Words
 * after `--` narrow it down: to files whose path holds the word, else to tests of that name. With
 * MILLRACE_LOG=kafka the suites of whole pipelines run, on Kafka; see test-kafka.ts.
 * Ends with the line `N passed, N failed`.
 */
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { brokerForAll, isOnKafka, suitesOnKafka } from './test-kafka.ts'
import type { Tally } from './test-reporter.ts'

const root = path.resolve(import.meta.dirname, '..')
const patterns = [
  'src/**/*.test.ts',
  'test/**/*.test.ts',
  'examples/**/*.test.ts',
  'bench/*.test.ts',
  'web/**/*.test.ts',
]
const fastLimitMs = 10 * 60_000
const slowLimitMs = 45 * 60_000

const words = process.argv.slice(2).filter((word) => word !== '--all')
process.exitCode = await mainOnLog(process.argv.includes('--all'), words)

async function mainOnLog(all: boolean, filters: readonly string[]): Promise<number> {
  if (!isOnKafka()) return main(all, filters)
  const cluster = await brokerForAll()
  process.env.KAFKA_BOOTSTRAP_SERVERS = cluster.bootstrapServers
  try {
    return await main(all, filters)
  } finally {
    await cluster.stop()
  }
}

async function main(all: boolean, filters: readonly string[]): Promise<number> {
  // Tests of types are run by the compiler.
  const files = globSync(patterns, { cwd: root, exclude: ['**/*.types.test.ts'] }).sort()
  const suites = isOnKafka() ? suitesOnKafka(root, files) : files
  const eligible = suites.filter((file) => all || !isSlow(file))
  const matching = eligible.filter((file) => filters.some((word) => file.includes(word)))
  const chosen = matching.length > 0 ? matching : eligible
  const names = matching.length > 0 ? [] : filters.map((word) => `--test-name-pattern=${word}`)
  const fast = chosen.filter((file) => !isSlow(file))
  const slow = chosen.filter(isSlow)
  const tallies: Tally[] = []
  if (fast.length > 0) {
    tallies.push(await runNode(['--test-isolation=none', ...names, ...fast], fastLimitMs))
  }
  if (slow.length > 0) {
    const concurrency = Math.max(1, Math.min(2, Math.floor(availableParallelism() / 2)))
    const options = [`--test-concurrency=${concurrency}`, ...names]
    tallies.push(await runNode([...options, ...slow], slowLimitMs))
  }
  return report(tallies, names.length > 0)
}

function isSlow(file: string): boolean {
  return file.endsWith('.slow.test.ts')
}

/** One `node --test` with the given arguments; what it counted, also when it died on the way. */
async function runNode(args: readonly string[], limitMs: number): Promise<Tally> {
  const directory = mkdtempSync(path.join(tmpdir(), 'millrace-tests-'))
  const tallyFile = path.join(directory, 'tally.json')
  const reporter = `--test-reporter=${path.join(import.meta.dirname, 'test-reporter.ts')}`
  try {
    const ended = await spawnNode(['--test', reporter, ...args], tallyFile, limitMs)
    const tally = readTally(tallyFile)
    if (!tally.complete || (ended !== 'exit code 0' && tally.failures.length === 0)) {
      const name = `the test process did not end by itself, or not well: ${ended}`
      tally.failures.push({ name, file: '', words: '' })
    }
    return tally
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function spawnNode(args: string[], tallyFile: string, limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, MILLRACE_TEST_TALLY: tallyFile },
    })
    let overdue = false
    const timer = setTimeout(() => {
      overdue = true
      child.kill('SIGKILL')
    }, limitMs)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      if (overdue) resolve(`still running after ${limitMs / 60_000} minutes, stopped`)
      else resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`)
    })
  })
}

function readTally(file: string): Tally {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Tally
  } catch {
    return { passed: 0, failures: [], skipped: [], empty: [], complete: false }
  }
}

function report(tallies: readonly Tally[], named: boolean): number {
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0)
  const failures = tallies.flatMap((tally) => tally.failures)
  const skipped = tallies.flatMap((tally) => tally.skipped)
  const empty = named ? [] : tallies.flatMap((tally) => tally.empty)
  if (skipped.length > 0) {
    console.log(`\nskipped: ${skipped.length}\n${skipped.map((name) => `  ${name}`).join('\n')}`)
    if (process.env.CI === 'true') {
      for (const name of skipped)
        failures.push({ name: `skipped in CI: ${name}`, file: '', words: '' })
    }
  }
  for (const file of empty) failures.push({ name: 'a test file without a test', file, words: '' })
  if (passed + failures.length === 0) {
    failures.push({ name: 'no test ran: no file and no test has that name', file: '', words: '' })
  }
  if (failures.length > 0) console.log('\nfailed:')
  for (const failure of failures) {
    console.log(`\n  ${failure.name}${failure.file === '' ? '' : `  (${failure.file})`}`)
    if (failure.words !== '') console.log(failure.words.replace(/^/gm, '    '))
  }
  console.log(`\n${passed} passed, ${failures.length} failed`)
  return failures.length > 0 ? 1 : 0
}
