/**
 * Secrets by reference: a configuration names them, and only the connection that needs one reads it.
 * Whatever prints a secret prints its name.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { fail, messageOf } from '../core/errors.ts'

/** Where Docker mounts secrets. */
const mounts = '/run/secrets'
const commandMs = 30_000

export interface SecretOptions {
  /** Read from this file, as Kubernetes mounts it. */
  readonly file?: string
  /** The first line that a program prints: its name and its arguments. No shell takes part. */
  readonly command?: readonly string[]
  /** From AWS Secrets Manager (needs the package @aws-sdk/client-secrets-manager). */
  readonly aws?: { readonly id: string; readonly field?: string; readonly region?: string }
}

/** What reading depends on, given by tests. */
export interface SecretContext {
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly mounts?: string
  readonly loadAws?: () => Promise<unknown>
}

interface AwsLibrary {
  readonly SecretsManagerClient: new (options: {
    region?: string
  }) => {
    send(command: unknown): Promise<{ SecretString?: string }>
    destroy(): void
  }
  readonly GetSecretValueCommand: new (input: { SecretId: string }) => unknown
}

const awsPackage = '@aws-sdk/client-secrets-manager'

export class Secret {
  readonly name: string
  readonly #options: SecretOptions

  constructor(name: string, options: SecretOptions) {
    this.name = name
    this.#options = options
  }

  /**
   * Reads it anew each time, so that one that was changed is taken up by the next connection.
   * Throws `SECRET_MISSING`, `DEPENDENCY_MISSING`.
   */
  async read(context: SecretContext = { variables: process.env }): Promise<string> {
    const { file, command, aws } = this.#options
    if (file !== undefined) return this.#fromFile(file)
    if (command !== undefined) return this.#fromCommand(command)
    if (aws !== undefined) return this.#fromAws(aws, context)
    const variable = context.variables[this.name]
    if (variable !== undefined && variable !== '') return variable
    const named = context.variables[`${this.name}_FILE`]
    if (named !== undefined && named !== '') return this.#fromFile(named)
    return this.#fromMount(context.mounts ?? mounts)
  }

  toString(): string {
    return `secret('${this.name}')`
  }

  toJSON(): string {
    return this.toString()
  }

  [inspect.custom](): string {
    return this.toString()
  }

  async #fromFile(file: string): Promise<string> {
    try {
      return this.#checked((await readFile(file, 'utf8')).trimEnd(), `the file ${file}`)
    } catch (error) {
      throw (error as { code?: string }).code === 'SECRET_MISSING'
        ? error
        : this.#missing(`the file ${file} cannot be read (${messageOf(error)})`)
    }
  }

  async #fromMount(directory: string): Promise<string> {
    for (const name of [this.name, this.name.toLowerCase()]) {
      try {
        return (await readFile(join(directory, name), 'utf8')).trimEnd()
      } catch {
        // Most secrets are not mounted: what was looked for is said at the end.
      }
    }
    const places = [`the variables ${this.name} and ${this.name}_FILE are not set`]
    places.push(`there is no file ${join(directory, this.name)}`)
    throw this.#missing(places.join(', '))
  }

  async #fromCommand(command: readonly string[]): Promise<string> {
    const [program = '', ...args] = command
    const printed = await new Promise<string>((resolve, reject) => {
      execFile(program, args, { timeout: commandMs }, (error, stdout) => {
        // What it printed may be half a secret; its own words are on its standard error only.
        if (error === null) resolve(stdout)
        else reject(this.#missing(`the command ${program} ended with ${error.code ?? 'a signal'}`))
      })
    })
    return this.#checked(printed.split(/\r?\n/)[0]!, `the command ${program}`)
  }

  async #fromAws(aws: NonNullable<SecretOptions['aws']>, context: SecretContext): Promise<string> {
    const where = `AWS Secrets Manager's ${aws.id}`
    const { SecretsManagerClient, GetSecretValueCommand } = await this.#awsLibrary(context)
    const client = new SecretsManagerClient(aws.region === undefined ? {} : { region: aws.region })
    let text: string
    try {
      const answer = await client.send(new GetSecretValueCommand({ SecretId: aws.id }))
      text = answer.SecretString ?? ''
    } catch (error) {
      throw this.#missing(`${where} cannot be read (${messageOf(error)})`)
    } finally {
      client.destroy()
    }
    return this.#checked(aws.field === undefined ? text : fieldOf(text, aws.field), where)
  }

  async #awsLibrary({ loadAws }: SecretContext): Promise<AwsLibrary> {
    try {
      return (await (loadAws ?? (() => import(awsPackage)))()) as AwsLibrary
    } catch (error) {
      const hint = `it is in AWS Secrets Manager, which needs a package: npm install ${awsPackage}`
      throw fail('DEPENDENCY_MISSING', `${this}: ${hint}`, { cause: error })
    }
  }

  #checked(value: string, where: string): string {
    if (value === '') throw this.#missing(`${where} gave nothing`)
    return value
  }

  #missing(what: string) {
    return fail('SECRET_MISSING', `${this}: ${what}`)
  }
}

/**
 * A secret by its name: the variable NAME, else the file that the variable NAME_FILE names, else
 * /run/secrets/NAME. Options name another place.
 */
export function secret(name: string, options: SecretOptions = {}): Secret {
  if (!/^[A-Za-z_][\w.-]*$/.test(name)) {
    // The name is not printed: it may be the secret itself, given by mistake.
    throw fail('CONFIG_INVALID', "secret(): give its name, letters, digits and '_', not its text")
  }
  return new Secret(name, options)
}

function fieldOf(text: string, field: string): string {
  try {
    const value = (JSON.parse(text) as Record<string, unknown>)[field]
    return typeof value === 'string' ? value : ''
  } catch {
    return ''
  }
}
