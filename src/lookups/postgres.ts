/** Looks rows up in Postgres, by the columns that are their key: one query for all keys that are asked for. */
import { z } from 'zod'
import { fail, messageOf, type Refusal } from '../core/errors.ts'
import type { Schema, Types } from '../core/schema.ts'
import { fieldsOf } from './key.ts'
import {
  type Asking,
  defineLookup,
  type Lookup,
  type LookupKey,
  type LookupUse,
  useLookup,
} from './lookup.ts'
import { isRefusal, PostgresPool } from './postgres-pool.ts'
import { placeColumn, preparedQuery } from './postgres-query.ts'
import { schemaOption } from './schema-option.ts'

const column = z.string().min(1)

const options = z
  .strictObject({
    connection: z
      .string()
      .min(1)
      .describe(
        'The name of a connection of the environment (`postgres()` of millrace/config), which says where the database is and how to sign in.',
      ),
    table: z
      .string()
      .regex(/^[^.]+(\.[^.]+)?$/, "give its name, or 'schema.name'")
      .optional()
      .describe("A table or a view, written as it is there: 'customers', 'sales.Customers'."),
    query: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Instead of a table: a SELECT without parameters, which is asked for the rows of the keys only.',
      ),
    key: z
      .union([column, z.array(column).min(1)])
      .describe('The column that the key stands in, or several, for keys that are lists.'),
    columns: z
      .array(column)
      .min(1)
      .optional()
      .describe('What is wanted of a row. Default: all its columns.'),
    maxKeys: z
      .int()
      .min(1)
      .max(10_000)
      .default(500)
      .describe('So many keys at most go into one query.'),
    maxConnections: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe(
        'So many connections at a time, and so as many queries, in each worker of each process.',
      ),
    timeoutMs: z
      .int()
      .min(1)
      .default(10_000)
      .describe('A query, or a connection, that takes longer is given up and tried again later.'),
    schema: schemaOption,
  })
  .refine((given) => (given.table === undefined) !== (given.query === undefined), {
    error: "give 'table' or 'query', one of both",
  })

type Settings = z.output<typeof options>
export type PostgresOptions = z.input<typeof options>

export const postgresPart = defineLookup({
  name: 'postgres',
  summary: 'Looks up rows of a Postgres table, view or query by their key, many keys in one query.',
  options,
  example: { connection: 'crm', table: 'customers', key: 'id', columns: ['name', 'tier'] },
  maxKeys: ({ maxKeys }) => maxKeys,
  place: placeOf,
  connects: ({ connection: name }) => ({ kind: 'postgres', name }),
  async open(settings, context) {
    const connection = await context.connection('postgres', settings.connection)
    const pool = await PostgresPool.open(placeOf(settings), connection, settings)
    try {
      // Now it is known that it lets us in, and that table and columns are there.
      const text = await preparedQuery(settings, (...asked) => pool.query(...asked, context.signal))
      return new PostgresLookup(settings, pool, text)
    } catch (error) {
      await pool.close()
      throw unusable(placeOf(settings), error)
    }
  },
})

const keysOf = ({ key }: Settings): readonly string[] => (typeof key === 'string' ? [key] : key)

function placeOf(settings: Settings): string {
  const { connection, table = 'a query' } = settings
  return `postgres ${connection}: ${table} by ${keysOf(settings).join(', ')}`
}

/**
 * Looks up rows in Postgres. A value is the row as an object: bigint and numeric are texts, as they would lose digits,
 * dates and times are texts in ISO 8601. A key with several rows is refused. Throws `OPTIONS_INVALID`; when run,
 * `LOOKUP_AWAY` (it is asked again) and `LOOKUP_UNUSABLE`.
 */
export function postgres<S extends Schema>(
  settings: PostgresOptions & { readonly schema: S },
): LookupUse<LookupKey, Types<S>['output']>
export function postgres<Value = unknown>(settings: PostgresOptions): LookupUse<LookupKey, Value>
export function postgres(settings: PostgresOptions): LookupUse<LookupKey, unknown> {
  return useLookup(postgresPart, settings)
}

/** A key with its place in the call. */
interface Placed {
  readonly key: LookupKey
  readonly place: number
}

class PostgresLookup implements Lookup {
  readonly #fields: number
  readonly #where: string
  readonly #pool: PostgresPool
  readonly #text: string

  constructor(settings: Settings, pool: PostgresPool, text: string) {
    this.#fields = keysOf(settings).length
    this.#where = placeOf(settings)
    this.#pool = pool
    this.#text = text
  }

  async find(keys: readonly LookupKey[], asking: Asking): Promise<void> {
    const refused: Refusal[] = []
    const placed: Placed[] = []
    for (const [place, key] of keys.entries()) {
      const { length } = fieldsOf(key)
      if (length === this.#fields) placed.push({ key, place })
      else
        refused.push({ index: place, reason: `the key has ${length} fields, not ${this.#fields}` })
    }
    if (placed.length > 0) await this.#ask(placed, asking, refused)
    if (refused.length === 0) return
    const words = `${this.#where}: ${refused.length} keys are refused: ${refused[0]!.reason}`
    throw fail('LOOKUP_REFUSED', words, { refused })
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  /** What the database takes for wrong is narrowed down to the key. */
  async #ask(keys: readonly Placed[], asking: Asking, refused: Refusal[]): Promise<void> {
    let rows: readonly Readonly<Record<string, unknown>>[]
    try {
      rows = await this.#rows(keys, asking.signal)
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (keys.length === 1) {
        refused.push({ index: keys[0]!.place, reason: messageOf(error) })
        return
      }
      const middle = keys.length >> 1
      await this.#ask(keys.slice(0, middle), asking, refused)
      await this.#ask(keys.slice(middle), asking, refused)
      return
    }
    const found: (Readonly<Record<string, unknown>> | 'several' | undefined)[] = []
    for (const { [placeColumn]: number, ...row } of rows) {
      const index = Number(number) - 1
      found[index] = found[index] === undefined ? row : 'several'
    }
    for (const [index, { place }] of keys.entries()) {
      const row = found[index]
      if (row === 'several') refused.push({ index: place, reason: 'several rows have this key' })
      else asking.answer(place, row)
    }
  }

  async #rows(keys: readonly Placed[], signal: AbortSignal) {
    const columns = Array.from({ length: this.#fields }, (_, field) =>
      keys.map(({ key }) => String(fieldsOf(key)[field])),
    )
    return (await this.#pool.query(this.#text, columns, signal)).rows
  }
}

/** What is refused before anything was asked for is the fault of the table or the query. */
function unusable(where: string, error: unknown): unknown {
  if (!isRefusal(error)) return error
  return fail('LOOKUP_UNUSABLE', `${where}: ${messageOf(error)}`, { cause: error })
}
