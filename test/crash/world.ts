/** A directory in which the application lives and dies, and what may be done to it between two lives. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedLog, openEmbeddedLog } from '../../src/log/embedded.ts'
import { Life } from './life.ts'
import { audits, type Outcome, outcomeOf } from './outcome.ts'

/** What all worlds of a suite share: the same input, so that they can be compared. */
export interface Input {
  readonly folder: string
  readonly orders: number
  readonly environment: Readonly<Record<string, string>>
}

export function makeInput(orders: number): Input {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-crash-'))
  const notes = join(folder, 'notes.ndjson')
  const lines = Array.from({ length: orders >> 1 }, (_, seq) => {
    if (seq % 41 === 3) return '{"note": no json'
    return JSON.stringify({ note: seq % 67 === 9 ? seq : `n${seq}`, seq })
  })
  writeFileSync(notes, `${lines.join('\n')}\n`)
  const environment = {
    CRASH_ORDERS: String(orders),
    CRASH_NOTES: notes,
    // Half of a start is compiling: what one life compiled serves the next.
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
  }
  return { folder, orders, environment }
}

export const removeInput = (input: Input) => rmSync(input.folder, { recursive: true, force: true })

export class World {
  readonly directory: string
  readonly input: Input
  readonly environment: Readonly<Record<string, string>>

  constructor(input: Input, name: string, directory = join(input.folder, name)) {
    this.input = input
    this.directory = directory
    mkdirSync(directory, { recursive: true })
    this.environment = { ...input.environment, MILLRACE_DIR: directory }
  }

  async withLog<Result>(work: (log: EmbeddedLog) => Promise<Result>): Promise<Result> {
    const log = await openEmbeddedLog({ directory: this.directory, maintain: false })
    try {
      return await work(log)
    } finally {
      await log.close()
    }
  }

  outcome(): Promise<Outcome> {
    return this.withLog((log) => outcomeOf(log, this.directory))
  }

  /** Whatever was cut off, the ledger balances at any time: it commits with all else. */
  async assertBalanced(when: string): Promise<void> {
    const all = await this.withLog(audits)
    const imbalances = all.flatMap(({ pipeline, imbalances }) =>
      imbalances.map((words) => `${pipeline}: ${words}`),
    )
    assert.deepEqual(imbalances, [], when)
  }

  /** Of the orders, how many still have to come in. */
  async left(): Promise<number> {
    const group = await this.withLog((log) => log.group('ingest-orders'))
    return this.input.orders - (group?.checkpoints[0]?.offset ?? 0)
  }

  /** Lets it run until all is caught up; throws in words when that does not come about. */
  async finish(workers: number, app = 'app.ts'): Promise<void> {
    const life = new Life(this, { workers, app })
    const done = await life.until(({ kind }) => kind === 'caught up' || kind === 'failed', 60_000)
    if (!done) life.child.kill('SIGKILL')
    const { code } = await life.ended
    assert.equal(code, 0, `the last life did not end well:\n${life.words()}`)
    const last = life.told.at(-1)!
    assert.ok(last.kind === 'caught up', life.words())
    assert.deepEqual([last.imbalances, last.figures.ledger], [[], 'balanced'])
  }
}
