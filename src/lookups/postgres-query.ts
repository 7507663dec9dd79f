/** The query that finds rows by keys, made once it is known which columns there are, and of which types. */
import { fail, suggestion } from '../core/errors.ts'
import type { Answered } from './postgres-pool.ts'

interface Asked {
  readonly connection: string
  readonly table?: string | undefined
  readonly query?: string | undefined
  readonly key: string | readonly string[]
  readonly columns?: readonly string[] | undefined
}

/** Beside the columns of a row: the place of its key among those asked for, from 1 on. */
export const placeColumn = '~place'

/**
 * One text for any number of keys; its parameters are a list for each column of the key. Each key is
 * looked up by itself, so that an index is used, and of the rows of one key two are enough to know that
 * there are several. Throws `LOOKUP_UNUSABLE`.
 */
export async function preparedQuery(
  asked: Asked,
  query: (text: string, values: readonly unknown[]) => Promise<Answered>,
): Promise<string> {
  const { table, key, columns } = asked
  const keys = typeof key === 'string' ? [key] : key
  const source = table === undefined ? `(${withoutEnd(asked.query!)}\n)` : quotedTable(table)
  const { fields } = await query(`SELECT * FROM ${source} AS source LIMIT 0`, [])
  const types = keys.map((name) => {
    const field = fields.find((one) => one.name === name)
    if (field === undefined) throw noColumn(asked, name, fields)
    return field.dataTypeID
  })
  for (const name of columns ?? []) {
    if (!fields.some((one) => one.name === name)) throw noColumn(asked, name, fields)
  }
  const text = `SELECT format_type(type, -1) AS name FROM unnest($1::oid[]) WITH ORDINALITY AS t(type, n) ORDER BY n`
  const names = (await query(text, [types])).rows.map(({ name }) => String(name))
  const lists = names.map((name, index) => `$${index + 1}::${name}[]`).join(', ')
  const aliases = keys.map((_, index) => `k${index}`)
  const wanted = columns?.map((name) => `source.${quoted(name)}`).join(', ') ?? 'source.*'
  const isKey = keys.map((name, index) => `source.${quoted(name)} = keys.k${index}`).join(' AND ')
  return `SELECT keys.place AS ${quoted(placeColumn)}, found.*
    FROM unnest(${lists}) WITH ORDINALITY AS keys(${[...aliases, 'place'].join(', ')})
    CROSS JOIN LATERAL (SELECT ${wanted} FROM ${source} AS source WHERE ${isKey} LIMIT 2) AS found`
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`
const quotedTable = (table: string) => table.split('.').map(quoted).join('.')
/** A comment at the end of a query must not hide what follows it. */
const withoutEnd = (query: string) => query.trim().replace(/;\s*$/, '')

function noColumn(
  { connection, table = 'the query' }: Asked,
  name: string,
  fields: Answered['fields'],
): Error {
  const known = fields.map((field) => field.name)
  const hint = suggestion(name, known) || `it has ${known.join(', ')}`
  const words = `postgres ${connection}: ${table} has no column '${name}'; ${hint}`
  return fail('LOOKUP_UNUSABLE', words)
}
