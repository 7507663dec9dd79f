/**
 * Asks a DuckDB file a question in SQL, whoever has it open: its owner when there is one, else the
 * file itself, read-only.
 */
import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf, type ErrorCode, fail } from '../core/errors.ts'
import { readWarehouseFile, type WarehouseFile } from '../sinks/duckdb-file.ts'
import { answerHeader, type OwnerNote, readOwner } from './owner-file.ts'
import { defaultBounds, type QueryBounds, type QueryResult, runSql } from './run-sql.ts'

export type { QueryColumn, QueryResult } from './run-sql.ts'

const tries = 10
const betweenTriesMs = 100

/**
 * The answer to one statement that reads. `bounds` hold where the file is opened here; an owner has
 * its own. Throws `WAREHOUSE_MISSING`, `SQL_INVALID` with DuckDB's words, `SINK_BUSY` when a process
 * has the file open and does not answer, `SINK_UNUSABLE` when it is damaged.
 */
export async function query(
  file: string,
  sql: string,
  bounds: Partial<QueryBounds> = {},
): Promise<QueryResult> {
  if (!existsSync(file)) {
    const message = `sql: there is no warehouse at ${path.resolve(file)} yet; run a pipeline that ends in duckdb(...) first`
    throw fail('WAREHOUSE_MISSING', message)
  }
  const place = realpathSync(file)
  for (let attempt = 1; ; attempt++) {
    const owner = await readOwner(place)
    const answer = owner === undefined ? undefined : await askOwner(owner, sql)
    if (answer !== undefined) return answer
    try {
      return await askFile(place, sql, { ...defaultBounds, ...bounds })
    } catch (error) {
      // The owner may be on its way in or out: its note comes after its lock, and goes before it.
      if (codeOf(error) !== 'SINK_BUSY' || attempt >= tries) throw error
      await wait(betweenTriesMs)
    }
  }
}

async function askFile(place: string, sql: string, bounds: QueryBounds): Promise<QueryResult> {
  let file: WarehouseFile | undefined
  try {
    file = await readWarehouseFile(place)
    return await runSql(file, sql, bounds)
  } finally {
    await file?.close()
  }
}

/** Undefined when nobody, or somebody else, is behind the note. */
async function askOwner(owner: OwnerNote, sql: string): Promise<QueryResult | undefined> {
  let response: Response
  try {
    response = await fetch(`http://127.0.0.1:${owner.port}/sql`, {
      method: 'POST',
      redirect: 'error',
      headers: { authorization: `Bearer ${owner.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sql }),
      signal: AbortSignal.timeout(defaultBounds.timeoutMs + 10_000),
    })
  } catch (error) {
    if ((error as Error).name !== 'TimeoutError') return undefined
    const who = `the process ${owner.pid}, which has the file open,`
    throw fail('SINK_BUSY', `sql: ${who} did not answer; see whether it is stopped or overloaded`)
  }
  if (response.headers.get(answerHeader) === null || [401, 503].includes(response.status)) {
    await response.body?.cancel()
    return undefined
  }
  const body = (await response.json()) as QueryResult & { error?: string; message?: string }
  if (response.ok) return body
  const code: ErrorCode = codeOf({ code: body.error }) ?? 'SINK_UNUSABLE'
  throw fail(code, body.message ?? `sql: the owner of the file answered ${response.status}`)
}
