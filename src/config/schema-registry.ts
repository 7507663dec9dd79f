/** Where schemas are kept: a registry that speaks the API of Confluent's, as a configuration names it. */
import { z } from 'zod'
import { fail } from '../core/errors.ts'
import { checkOptions, readText, secretOption, textOrSecret } from './check-options.ts'
import { secret } from './secret.ts'
import { readTls, type TlsMaterial, type TlsOptions, tlsSchema } from './tls.ts'
import type { Variables } from './variables.ts'

/** Structurally what `formats/` takes. It holds no password. */
export interface SchemaRegistryConnection {
  /** Without a slash at the end; where one does not answer, the next is asked. */
  readonly urls: readonly string[]
  readonly tls?: TlsMaterial
  /** The header of each request, asked for anew, so that what was renewed is taken up. */
  readonly authorization?: () => Promise<string>
}

/** A registry as a configuration names it: a description, which opens nothing. */
export interface SchemaRegistryChoice {
  readonly kind: 'schema-registry'
  readonly urls: readonly string[]
  /** For people: how it is signed in to. */
  readonly security: string
  /** Reads certificates, asks for no password yet. Throws `CONFIG_INVALID`, `SECRET_MISSING`. */
  connection(context: { readonly directory: string }): Promise<SchemaRegistryConnection>
}

export interface SchemaRegistryOptions {
  /** `https://host:port`, with the path of the API where it has one; several in a list or with commas. */
  readonly url: string | readonly string[]
  /** On Confluent Cloud: the API key of the registry. */
  readonly username?: z.input<typeof textOrSecret>
  /** On Confluent Cloud: the secret of that key. */
  readonly password?: z.input<typeof secretOption>
  /** Instead of username and password: a bearer token. */
  readonly token?: z.input<typeof secretOption>
  /** Whom to trust, and the client's certificate, where it asks for one. */
  readonly tls?: TlsOptions
}

const urlsOption = z.union([z.string(), z.array(z.string())]).transform((given, context) => {
  const all = (typeof given === 'string' ? given.split(',') : given)
    .map((one) => one.trim().replace(/\/+$/, ''))
    .filter((one) => one !== '')
  const said = all.length === 0 ? 'name at least one' : all.map(whyNot).find((one) => one !== '')
  if (said) context.issues.push({ code: 'custom', message: said, input: given })
  return all
})

/** Without the address itself, which may hold a password. */
function whyNot(url: string): string {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return 'give http(s)://host:port/path'
  if (parsed.username !== '' || parsed.password !== '') {
    return "take username and password out of the address: name them as options, secret('NAME')"
  }
  return parsed.search !== '' || parsed.hash !== '' ? "take '?' and '#' out of the address" : ''
}

const optionsSchema = z
  .strictObject({
    url: urlsOption,
    username: textOrSecret.optional(),
    password: secretOption.optional(),
    token: secretOption.optional(),
    tls: tlsSchema.optional(),
  })
  .refine((given) => (given.username === undefined) === (given.password === undefined), {
    error: "'username' and 'password' go together",
  })
  .refine((given) => given.token === undefined || given.username === undefined, {
    error: "give 'token', or 'username' and 'password', not both",
  })

/** A schema registry: Confluent's, Confluent Cloud's, Apicurio's or Redpanda's. Throws `CONFIG_INVALID`. */
export function schemaRegistry(options: SchemaRegistryOptions): SchemaRegistryChoice {
  const where = 'schemaRegistry()'
  const { url: urls, username, password, token, tls } = checkOptions(where, optionsSchema, options)
  const basic = async () => {
    const pair = `${await readText(username!)}:${await password!.read()}`
    return `Basic ${Buffer.from(pair).toString('base64')}`
  }
  const bearer = async () => `Bearer ${await token!.read()}`
  const authorization = token !== undefined ? bearer : username !== undefined ? basic : undefined
  const signedIn = token !== undefined ? 'a token' : 'a password'
  return {
    kind: 'schema-registry',
    urls,
    security: authorization === undefined ? 'no password' : signedIn,
    async connection({ directory }) {
      return {
        urls,
        ...(tls === undefined ? {} : { tls: await readTls(where, tls, directory) }),
        ...(authorization === undefined ? {} : { authorization }),
      }
    },
  }
}

/** What SCHEMA_REGISTRY_* say; undefined without SCHEMA_REGISTRY_URL. Throws `CONFIG_INVALID`. */
export function schemaRegistryFromVariables(
  variables: Variables = process.env,
): SchemaRegistryChoice | undefined {
  const read = (name: string) => variables[`SCHEMA_REGISTRY_${name}`] || undefined
  const url = read('URL')
  if (url === undefined) return undefined
  const username = read('USERNAME')
  const ca = read('SSL_CA')
  const hasToken = read('TOKEN') !== undefined || read('TOKEN_FILE') !== undefined
  if (username === undefined && (read('PASSWORD') ?? read('PASSWORD_FILE')) !== undefined) {
    throw fail('CONFIG_INVALID', 'SCHEMA_REGISTRY_PASSWORD is set, SCHEMA_REGISTRY_USERNAME is not')
  }
  return schemaRegistry({
    url,
    ...(username === undefined ? {} : { username, password: secret('SCHEMA_REGISTRY_PASSWORD') }),
    ...(hasToken ? { token: secret('SCHEMA_REGISTRY_TOKEN') } : {}),
    ...(ca === undefined ? {} : { tls: { ca } }),
  })
}
