/**
 * A reporter for node:test that says little when all is well: a line for each suite and file, the
 * words of each failure, what a test wants to say. It writes what it counted to the file named by
 * MILLRACE_TEST_TALLY, for scripts/test.ts.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

export interface Failure {
  readonly name: string
  readonly file: string
  readonly words: string
}

export interface Tally {
  passed: number
  readonly failures: Failure[]
  readonly skipped: string[]
  /** Files that ran and held no test. */
  readonly empty: string[]
  /** False until the run came to its own end. */
  complete: boolean
}

type Ended = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>

export default async function* reporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const tally: Tally = { passed: 0, failures: [], skipped: [], empty: [], complete: false }
  const names: string[] = []
  for await (const event of source) {
    if (event.type === 'test:start') {
      names.length = event.data.nesting
      names[event.data.nesting] = event.data.name
    } else if (event.type === 'test:pass' || event.type === 'test:fail') {
      yield ended(event, [...names.slice(0, event.data.nesting), event.data.name], tally)
    } else if (event.type === 'test:diagnostic' && event.data.level !== 'info') {
      yield `  ${event.data.message}\n`
    } else if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      yield event.data.message
    }
  }
  tally.complete = true
  save(tally)
}

function save(tally: Tally): void {
  const file = process.env.MILLRACE_TEST_TALLY
  if (file !== undefined) writeFileSync(file, JSON.stringify(tally))
}

/** Counts what ended and gives the line to print for it, which may be none. */
function ended(event: Ended, names: readonly string[], tally: Tally): string {
  const { data } = event
  const name = names.join(' > ')
  const file = data.file === undefined ? '' : path.relative(process.cwd(), data.file)
  const seconds = (data.details.duration_ms / 1000).toFixed(2)
  if (event.type === 'test:fail') {
    if (isKnock(event)) return ''
    tally.failures.push({ name, file, words: wordsOf(event) })
    save(tally)
    return `FAIL ${name}  (${file}, ${seconds} s)\n`
  }
  if (data.skip !== undefined || data.todo !== undefined) {
    const reason = data.skip ?? data.todo
    tally.skipped.push(typeof reason === 'string' ? `${name}: ${reason}` : name)
    return `skip ${name}\n`
  }
  if (isFile(data.name)) {
    tally.empty.push(data.name)
    return ''
  }
  if (data.details.type !== 'suite') tally.passed++
  return data.nesting === 0 ? `ok   ${name}  (${seconds} s)\n` : ''
}

/** A suite fails because a test in it failed: that was said already. */
function isKnock(event: Extract<Ended, { type: 'test:fail' }>): boolean {
  return (event.data.details.error as { failureType?: string }).failureType === 'subtestsFailed'
}

function isFile(name: string): boolean {
  return name.endsWith('.test.ts')
}

function wordsOf(event: Extract<Ended, { type: 'test:fail' }>): string {
  const { error } = event.data.details
  return inspect(error.cause ?? error, { depth: 4, colors: false, maxStringLength: 2000 })
    .split('\n')
    .filter((line) => !/^\s+at .*\(?node:internal\//.test(line))
    .join('\n')
}
