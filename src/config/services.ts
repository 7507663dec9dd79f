/** Services beside the log that an application names: a description each, which opens nothing. */
import { z } from 'zod'
import { fail } from '../core/errors.ts'
import { checkOptions, readText, secretOption, textOrSecret } from './check-options.ts'
import { Secret } from './secret.ts'
import { readTls, type TlsMaterial, type TlsOptions, tlsSchema } from './tls.ts'

/** Structurally what parts take. They hold no secret. */
export interface HttpService {
  readonly url: string
  readonly tls?: TlsMaterial
  /** Of each request, asked for anew. */
  headers(): Promise<Readonly<Record<string, string>>>
}

export interface PostgresService {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password?: () => Promise<string>
  readonly tls?: TlsMaterial
}

interface ServiceContext {
  readonly directory: string
}

interface Choice<Kind extends string, Service> {
  readonly kind: Kind
  /** For people: how it is signed in to. */
  readonly security: string
  /** `where` begins errors. Throws `CONFIG_INVALID`, `SECRET_MISSING`. */
  connection(where: string, context: ServiceContext): Promise<Service>
}

export type HttpChoice = Choice<'http', HttpService>
export type PostgresChoice = Choice<'postgres', PostgresService>
export type ServiceChoice = HttpChoice | PostgresChoice

const httpUrl = z
  .string()
  .transform((url) => url.replace(/\/+$/, ''))
  .refine((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ''), 'give http(s)://host/path')
  .refine((url) => {
    const { username, password, search } = URL.parse(url) ?? {}
    return !username && !password && !search
  }, "take username, password and what is behind '?' out of the address")

const httpSchema = z
  .strictObject({
    url: httpUrl,
    username: textOrSecret.optional(),
    password: secretOption.optional(),
    token: secretOption.optional(),
    headers: z.record(z.string(), textOrSecret).default({}),
    tls: tlsSchema.optional(),
  })
  .refine((given) => (given.username === undefined) === (given.password === undefined), {
    error: "'username' and 'password' go together",
  })
  .refine((given) => given.token === undefined || given.username === undefined, {
    error: "give 'token', or 'username' and 'password', not both",
  })

export interface HttpServiceOptions {
  /** `https://host/path`: what look-ups ask for is put behind it. */
  readonly url: string
  readonly username?: z.input<typeof textOrSecret>
  readonly password?: z.input<typeof secretOption>
  /** Instead of username and password: a bearer token. */
  readonly token?: z.input<typeof secretOption>
  /** Where a key is sent in a header of its own: `{ 'X-Api-Key': secret('RATES_KEY') }`. */
  readonly headers?: Readonly<Record<string, z.input<typeof textOrSecret>>>
  /** Whom to trust, and the client's certificate, where it asks for one. */
  readonly tls?: TlsOptions
}

/** A service that speaks HTTP, by the name that look-ups call it. Throws `CONFIG_INVALID`. */
export function http(options: HttpServiceOptions): HttpChoice {
  const checked = checkOptions('http()', httpSchema, options)
  const { url, username, password, token, headers: named, tls } = checked
  const headers = async () => {
    const all: Record<string, string> = {}
    for (const [name, value] of Object.entries(named)) all[name] = await readText(value)
    if (token !== undefined) all.Authorization = `Bearer ${await token.read()}`
    if (username !== undefined) {
      const pair = `${await readText(username)}:${await password!.read()}`
      all.Authorization = `Basic ${Buffer.from(pair).toString('base64')}`
    }
    return all
  }
  const hasSecret = Object.values(named).some((value) => value instanceof Secret)
  const signedIn = token !== undefined ? 'a token' : username !== undefined ? 'a password' : ''
  return {
    kind: 'http',
    security: signedIn || (hasSecret ? 'a header' : 'no password'),
    async connection(where, { directory }) {
      // What cannot be read is said before anything is asked.
      await headers()
      return { url, headers, ...(tls && { tls: await readTls(where, tls, directory) }) }
    },
  }
}

const defaultPort = 5432

const postgresSchema = z
  .strictObject({
    url: textOrSecret.optional(),
    host: z.string().min(1).optional(),
    port: z.int().min(1).max(65_535).default(defaultPort),
    database: z.string().min(1).optional(),
    user: textOrSecret.optional(),
    password: secretOption.optional(),
    tls: z.union([z.boolean(), tlsSchema]).default(true),
  })
  .refine((given) => (given.url === undefined) !== (given.host === undefined), {
    error: "give 'url', or 'host', 'database' and 'user'",
  })
  .refine((given) => given.host === undefined || (given.database && given.user), {
    error: "'host' needs 'database' and 'user' beside it",
  })
  .refine((given) => !(typeof given.url === 'string' && URL.parse(given.url)?.password), {
    error: "the address has a password: name it, as url: secret('POSTGRES_URL')",
  })

export interface PostgresServiceOptions {
  /** `postgresql://user:password@host:port/database`, mostly `secret('POSTGRES_URL')`; or what follows. */
  readonly url?: z.input<typeof textOrSecret>
  readonly host?: string
  /** Default: 5432. */
  readonly port?: number
  readonly database?: string
  readonly user?: z.input<typeof textOrSecret>
  readonly password?: z.input<typeof secretOption>
  /** Default: true, with the authorities that the world trusts. False: no encryption. */
  readonly tls?: boolean | TlsOptions
}

/** A Postgres database, by the name that look-ups call it. Throws `CONFIG_INVALID`. */
export function postgres(options: PostgresServiceOptions): PostgresChoice {
  const given = checkOptions('postgres()', postgresSchema, options)
  const { url, host, port, database, user, password, tls } = given
  return {
    kind: 'postgres',
    security: tls === false ? 'no encryption' : 'TLS',
    async connection(where, { directory }) {
      const encryption = tls !== false && { tls: await tlsOf(where, tls, directory) }
      if (url !== undefined) {
        const named = await urlParts(where, url)
        const { password: ofUrl, ...place } = named
        const again = async () => (await urlParts(where, url)).password ?? ''
        const read = password === undefined ? ofUrl !== undefined && again : () => password.read()
        return { ...place, ...(read && { password: read }), ...encryption }
      }
      return {
        ...{ host: host!, port, database: database!, user: await readText(user!) },
        ...(password && { password: () => password.read() }),
        ...encryption,
      }
    },
  }
}

/** Without options: the authorities that the world trusts. */
const tlsOf = (where: string, tls: true | TlsOptions, directory: string) =>
  readTls(where, tls === true ? {} : tls, directory)

interface UrlParts extends Omit<PostgresService, 'password' | 'tls'> {
  readonly password: string | undefined
}

/** The text may hold a password: it is in no error. */
async function urlParts(where: string, url: string | Secret): Promise<UrlParts> {
  const parsed = URL.parse(await readText(url))
  const database = decodeURIComponent(parsed?.pathname.slice(1) ?? '')
  const isPostgres = parsed !== null && /^postgres(ql)?:$/.test(parsed.protocol)
  if (!isPostgres || !parsed.hostname || !database || !parsed.username) {
    const words = `${where}: option 'url' is to be postgresql://user:password@host:port/database`
    throw fail('CONFIG_INVALID', words)
  }
  const password = parsed.password === '' ? undefined : decodeURIComponent(parsed.password)
  const port = parsed.port === '' ? defaultPort : Number(parsed.port)
  const host = parsed.hostname.replace(/^\[|\]$/g, '')
  return { host, port, database, user: decodeURIComponent(parsed.username), password }
}
