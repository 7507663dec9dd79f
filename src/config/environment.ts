/**
 * Where the log is, by environment: millrace.config.ts in the application's folder or above it says
 * so, `--env` picks. Without such a file there are `local` (the embedded log) and `kafka` (variables).
 */
import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { codeOf, fail, messageOf, suggestion } from '../core/errors.ts'
import { checkOptions } from './check-options.ts'
import type { KafkaChoice, TopicMakingOptions, VariablesChoice } from './kafka-connection.ts'
import type { SchemaRegistryChoice } from './schema-registry.ts'
import type { ServiceChoice } from './services.ts'
import type { Variables } from './variables.ts'

/** The log in files of one machine. */
export interface EmbeddedChoice {
  readonly kind: 'embedded'
}

export type LogChoice = EmbeddedChoice | KafkaChoice | VariablesChoice

export interface EnvironmentOptions {
  readonly log: LogChoice
  /** Begins the names of topics and groups, so that several applications share a cluster. */
  readonly prefix?: string
  /** Where schemas of topics with a format are kept. Default: what SCHEMA_REGISTRY_URL names. */
  readonly schemaRegistry?: SchemaRegistryChoice
  /** Services that look-ups name: `postgres()`, `http()`. */
  readonly connections?: Readonly<Record<string, ServiceChoice>>
}

export interface Config {
  readonly environments: Readonly<Record<string, EnvironmentOptions>>
}

export interface Environment {
  readonly name: string
  readonly log: EmbeddedChoice | KafkaChoice
  /** Empty: none. */
  readonly prefix: string
  readonly schemaRegistry: SchemaRegistryChoice | undefined
  readonly connections: Readonly<Record<string, ServiceChoice>>
  /** Where relative paths begin: the folder of the configuration, else the working directory. */
  readonly directory: string
  /** Where it is described, for people. */
  readonly from: string
}

export interface EnvironmentQuestion {
  /** What `--env` said; without, `local`. */
  readonly name?: string | undefined
  /** The application's file, or a folder: the configuration is looked for there and above. */
  readonly app: string
  readonly variables?: Variables
}

export const defaultEnvironment = 'local'
const fileNames = ['ts', 'mts', 'js', 'mjs'].map((ending) => `millrace.config.${ending}`)
const byVariables = 'kafka'

export const embedded = (): EmbeddedChoice => ({ kind: 'embedded' })

const isLog = (value: unknown): boolean => {
  const kind = (value as { kind?: unknown } | null | undefined)?.kind
  return kind === 'embedded' || kind === 'kafka' || kind === 'kafka-variables'
}

const isRegistry = (value: unknown): boolean =>
  (value as { kind?: unknown } | null | undefined)?.kind === 'schema-registry'

const isService = (value: unknown): boolean => {
  const kind = (value as { kind?: unknown } | null | undefined)?.kind
  return kind === 'http' || kind === 'postgres'
}

const configSchema = z.strictObject({
  environments: z.record(
    z.string().regex(/^[A-Za-z][\w-]*$/, "use letters, digits, '_' and '-'"),
    z.strictObject({
      log: z.custom<LogChoice>(isLog, {
        error:
          'give embedded(), kafka(), kafkaByVariables(), confluentCloud(), msk() or selfManaged()',
      }),
      prefix: z
        .string()
        .regex(/^[\w.-]{1,64}$/, "use letters, digits, '.', '_' and '-', at most 64")
        .optional(),
      schemaRegistry: z
        .custom<SchemaRegistryChoice>(isRegistry, { error: 'give schemaRegistry()' })
        .optional(),
      connections: z
        .record(
          z.string().min(1),
          z.custom<ServiceChoice>(isService, { error: 'give postgres() or http()' }),
        )
        .optional(),
    }),
  ),
})

/** What millrace.config.ts exports by default. Throws `CONFIG_INVALID`, which says where. */
export function defineConfig(config: Config): Config {
  return checkOptions('defineConfig()', configSchema, config)
}

/** Throws `CONFIG_INVALID` for a name that is nowhere described, and for what is wrong in the file. */
export async function chooseEnvironment(question: EnvironmentQuestion): Promise<Environment> {
  const { app, variables = process.env } = question
  const name = question.name ?? defaultEnvironment
  const file = findConfig(app)
  const config = file === undefined ? undefined : await loadConfig(file)
  const found = config !== undefined && own(config.environments, name)
  if (file !== undefined && found) {
    const { log, prefix = '', connections = {} } = found
    const schemaRegistry = found.schemaRegistry ?? (await registryFrom(variables))
    const place = { directory: dirname(file), from: shown(file) }
    const described = { name, schemaRegistry, connections, ...place }
    if (log.kind !== 'kafka-variables') return { ...described, log, prefix }
    const named = found.prefix ?? variables.MILLRACE_PREFIX ?? ''
    return { ...described, log: await fromVariables(variables, log.topics), prefix: named }
  }
  const here = {
    name,
    prefix: variables.MILLRACE_PREFIX ?? '',
    schemaRegistry: await registryFrom(variables),
    ...{ connections: {}, directory: process.cwd() },
  }
  if (name === defaultEnvironment) return { ...here, log: embedded(), from: 'the default' }
  if (name === byVariables) {
    const log = await fromVariables(variables)
    return { ...here, log, from: log.by }
  }
  const known = [...Object.keys(config?.environments ?? {}), defaultEnvironment, byVariables]
  const hint = suggestion(name, known) || `known: ${[...new Set(known)].join(', ')}`
  const where = file === undefined ? 'there is no millrace.config.ts' : shown(file)
  throw fail('CONFIG_INVALID', `environment ${name}: it is not described (${where}); ${hint}`)
}

/** Loaded when it is used: every start of anything asks for its environment. */
async function fromVariables(
  variables: Variables,
  topics?: TopicMakingOptions,
): Promise<KafkaChoice> {
  const { kafkaFromVariables } = await import('./variables.ts')
  return kafkaFromVariables(variables, topics)
}

/** Loaded when it is used: most environments have none. */
async function registryFrom(variables: Variables): Promise<SchemaRegistryChoice | undefined> {
  if (!variables.SCHEMA_REGISTRY_URL) return undefined
  return (await import('./schema-registry.ts')).schemaRegistryFromVariables(variables)
}

/** The nearest configuration at or above the application's folder. */
export function findConfig(app: string): string | undefined {
  for (let directory = resolve(app); ; directory = dirname(directory)) {
    const found = fileNames.map((name) => join(directory, name)).find((file) => existsSync(file))
    if (found !== undefined) return found
    if (dirname(directory) === directory) return undefined
  }
}

async function loadConfig(file: string): Promise<Config> {
  let exported: { default?: unknown }
  try {
    exported = (await import(pathToFileURL(file).href)) as { default?: unknown }
  } catch (error) {
    // What a description found wrong says where; the file is what is missing.
    const code = codeOf(error) ?? 'CONFIG_INVALID'
    throw fail(code, `${shown(file)}: ${messageOf(error)}`, { cause: error })
  }
  if (exported.default === undefined) {
    throw fail('CONFIG_INVALID', `${shown(file)}: add export default defineConfig({ ... })`)
  }
  return checkOptions(shown(file), configSchema, exported.default)
}

const own = <Value>(values: Readonly<Record<string, Value>>, name: string) =>
  Object.hasOwn(values, name) ? values[name] : undefined

const shown = (file: string) => relative(process.cwd(), file) || file
