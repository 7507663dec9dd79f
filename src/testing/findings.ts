/** What a test is told when its expectation fails: what is in the topic, and what became of the rest. */
import { AssertionError, deepStrictEqual } from 'node:assert'
import type { Audit } from '../pipeline/audit.ts'
import type { Definition } from '../pipeline/definition.ts'
import { emptyCounts, readStep } from '../pipeline/ledger.ts'
import type { TestMessage } from './contents.ts'
import { shown } from './push.ts'

/** What a step counted. */
export type Counts = Readonly<Record<string, number>>

/** The ledger of a pipeline: what became of each message in each step. */
export interface Ledger {
  /** Messages that it took in. */
  readonly messages: number
  /** By step, `read` first. */
  readonly steps: Readonly<Record<string, Counts>>
  /** Sentences on what does not balance. */
  readonly imbalances: readonly string[]
}

/** With the steps to which nothing came. */
export function ledgerOf(
  { messages, steps, imbalances }: Audit,
  { steps: planned }: Definition,
): Ledger {
  const names = [readStep, ...planned.map(({ name }) => name)]
  const counts = names.map((name) => [name, steps.get(name) ?? emptyCounts()] as const)
  return { messages, imbalances, steps: Object.fromEntries(counts) }
}

export interface Found {
  readonly topic: string
  readonly holds: readonly TestMessage[]
  readonly ledgers: ReadonlyMap<string, Ledger>
  readonly letters: readonly string[]
}

/** So many messages are shown, and so many dead letters. */
const mostShown = 20

/** Throws an `AssertionError` with the difference and with what was found. */
export async function expectEqual(
  actual: unknown,
  expected: unknown,
  find: () => Promise<Found>,
): Promise<void> {
  try {
    deepStrictEqual(actual, expected)
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error
    // The difference comes behind it by itself.
    const message = wordsOf(await find())
    throw new AssertionError({ message, actual, expected, operator: 'deepStrictEqual' })
  }
}

function wordsOf({ topic, holds, ledgers, letters }: Found): string {
  const count = `${holds.length} ${holds.length === 1 ? 'message' : 'messages'}`
  const begin = `what came to topic ${topic} is not what was expected; it holds ${count}`
  const lines = [holds.length === 0 ? begin : `${begin}:`]
  lines.push(...holds.slice(-mostShown).map(messageLine))
  if (holds.length > mostShown) lines.splice(1, 0, `  (the last ${mostShown} of them)`)
  if (letters.length > 0) lines.push('dead letters:', ...letters.slice(0, mostShown))
  for (const [pipeline, { messages, steps }] of ledgers) {
    lines.push(`pipeline ${pipeline} took in ${messages}${notes(steps)}`)
  }
  return lines.join('\n')
}

function messageLine({ id, key, time, value }: TestMessage): string {
  const when = new Date(time).toISOString()
  return `  ${when}  ${key === null ? 'no key' : `key ${key}`}  id ${id}  ${shown(value)}`
}

/** What became of messages that did not go on. */
function notes(steps: Ledger['steps']): string {
  const notes: string[] = []
  for (const [step, counts] of Object.entries(steps)) {
    const { filtered = 0, late = 0, deadLettered = 0, duplicate = 0, absorbed = 0 } = counts
    const told = { filtered, late, duplicate, 'dead letters': deadLettered }
    for (const [name, count] of Object.entries(told)) {
      if (count > 0) notes.push(`${step}: ${count} ${name}`)
    }
    if (absorbed > 0) {
      const { emitted = 0 } = counts
      notes.push(`${step}: ${absorbed} kept as state, ${emitted} given (t.advance closes windows)`)
    }
  }
  return notes.length === 0 ? '' : `; ${notes.join('; ')}`
}
