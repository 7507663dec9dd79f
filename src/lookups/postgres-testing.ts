/** A real Postgres for tests, which may be killed and comes back as it was. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { PostgresConnection } from './lookup.ts'

const script = fileURLToPath(new URL('../../../shared/services/postgres.sh', import.meta.url))

/** Why there is none to be had here; undefined: there is. */
export const whyNoPostgres = (): string | undefined =>
  existsSync(script) ? undefined : `${script} is not there`

export class TestPostgres {
  readonly #name: string
  readonly connection: PostgresConnection
  readonly password: string
  readonly url: string

  static start(name: string): TestPostgres {
    const told = execFileSync(script, ['start', '--name', name], { encoding: 'utf8' })
    const variables = new Map(
      [...told.matchAll(/^export (\w+)=(.*)$/gm)].map(([, key, value]) => [key!, value!]),
    )
    return new TestPostgres(name, variables)
  }

  private constructor(name: string, variables: ReadonlyMap<string, string>) {
    this.#name = name
    this.password = variables.get('PGPASSWORD')!
    this.url = variables.get('POSTGRES_URL')!
    this.connection = {
      host: variables.get('PGHOST')!,
      port: Number(variables.get('PGPORT')),
      ...{ database: variables.get('PGDATABASE')!, user: variables.get('PGUSER')! },
      password: async () => this.password,
    }
  }

  /** Statements on a connection of their own. */
  async run(...statements: readonly string[]): Promise<void> {
    const client = new pg.Client(this.url)
    await client.connect()
    try {
      for (const statement of statements) await client.query(statement)
    } finally {
      await client.end()
    }
  }

  /** Whoever reads the tables waits until the work is done. */
  async locked(tables: readonly string[], work: () => Promise<void>): Promise<void> {
    const client = new pg.Client(this.url)
    await client.connect()
    try {
      await client.query('BEGIN')
      for (const table of tables) await client.query(`LOCK TABLE ${table}`)
      await work()
    } finally {
      await client.end()
    }
  }

  /** As `kill -9` and what a supervisor does later. */
  kill(): void {
    this.#node('kill')
  }

  restart(): void {
    this.#node('restart')
  }

  stop(): void {
    spawnSync(script, ['stop', '--name', this.#name])
  }

  #node(what: string): void {
    const { status, stderr } = spawnSync(script, ['node', what, '--name', this.#name], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`postgres.sh node ${what}: ${stderr}`)
  }
}
