/** A client of schema registries with Confluent's API: Confluent's own, Apicurio, Karapace, Redpanda. */
import { codeOf, fail } from '../core/errors.ts'
import { type Answer, ask, type Question, type RegistryConnection } from './registry-http.ts'

export type { RegistryConnection } from './registry-http.ts'

export type SchemaType = 'AVRO' | 'PROTOBUF' | 'JSON'

/** Another schema that a schema names: an import of Protobuf, a named type of Avro, a $ref of JSON Schema. */
export interface SchemaReference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

export interface SchemaText {
  readonly type: SchemaType
  readonly text: string
  readonly references: readonly SchemaReference[]
}

/** The text of a reference, under the name by which it is referred to. */
export interface ImportedSchema {
  readonly name: string
  readonly text: string
}

/** A schema with all that it refers to, what others need first. */
export interface FoundSchema extends SchemaText {
  readonly id: number
  readonly imports: readonly ImportedSchema[]
}

export interface SchemaRegistryOptions {
  /** Aborted: what is under way ends. */
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  /** Of one answer. */
  readonly maxBytes?: number
}

/** A schema may refer to others, which refer to others: no schema of this world goes deeper. */
const maxImports = 200

const subjectMissing = 40401

export class SchemaRegistry {
  readonly #connection: RegistryConnection
  readonly #options: SchemaRegistryOptions
  /** Of the address that answered last. */
  #current = 0

  constructor(connection: RegistryConnection, options: SchemaRegistryOptions = {}) {
    this.#connection = connection
    this.#options = options
  }

  /** For errors: which registry this is. */
  get place(): string {
    return `schema registry ${this.#connection.urls.join(', ')}`
  }

  /** Undefined: there is no schema of that id. */
  async byId(id: number): Promise<FoundSchema | undefined> {
    const answer = await this.#ask({ method: 'GET', path: `/schemas/ids/${id}` })
    if (answer.status === 404) return undefined
    return this.#found(id, this.#expected(answer, `schema ${id}`))
  }

  /** The newest version under a subject. Undefined: there is no such subject. */
  async latest(subject: string): Promise<FoundSchema | undefined> {
    return this.#version(subject, 'latest')
  }

  /**
   * The id that a schema has under a subject; `no subject` and `no version` where it has none. Throws
   * `SCHEMA_INVALID`.
   */
  async idOf(subject: string, schema: SchemaText): Promise<number | 'no subject' | 'no version'> {
    const path = `/subjects/${encodeURIComponent(subject)}?normalize=true`
    const answer = await this.#ask({ method: 'POST', path, body: bodyOf(schema) })
    if (answer.status === 404) {
      return answer.errorCode === subjectMissing ? 'no subject' : 'no version'
    }
    return this.#number(answer, `subject ${subject}`, 'id')
  }

  /** Makes it a version of the subject; gives its id. Throws `SCHEMA_INCOMPATIBLE`, `SCHEMA_INVALID`. */
  async register(subject: string, schema: SchemaText): Promise<number> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions?normalize=true`
    const answer = await this.#ask({ method: 'POST', path, body: bodyOf(schema) })
    if (answer.status === 409) {
      throw fail('SCHEMA_INCOMPATIBLE', `subject ${subject}: ${this.place} said: ${answer.message}`)
    }
    return this.#number(answer, `subject ${subject}`, 'id')
  }

  /**
   * Undefined: it goes with the newest version under the subject, by the subject's own rule. Else why
   * not; empty where the registry does not say why.
   */
  async whyIncompatible(subject: string, schema: SchemaText): Promise<string | undefined> {
    const versions = `/compatibility/subjects/${encodeURIComponent(subject)}/versions`
    const path = `${versions}/latest?verbose=true`
    const answer = await this.#ask({ method: 'POST', path, body: bodyOf(schema) })
    // No version yet: there is nothing that it could be incompatible with.
    if (answer.status === 404) return undefined
    const body = this.#expected(answer, `subject ${subject}`)
    if (body.is_compatible !== false) return undefined
    const messages = Array.isArray(body.messages) ? body.messages.join('; ') : ''
    return messages.slice(0, 1000)
  }

  /** What a schema refers to, whatever that refers to before it. Throws `SCHEMA_MISSING`. */
  async imports(
    references: readonly SchemaReference[],
    known: Map<string, ImportedSchema> = new Map(),
  ): Promise<readonly ImportedSchema[]> {
    for (const { name, subject, version } of references) {
      if (known.has(name)) continue
      if (known.size >= maxImports) {
        throw fail('SCHEMA_INVALID', `subject ${subject}: more than ${maxImports} references`)
      }
      // Noted before what it refers to is fetched: two may refer to each other.
      known.set(name, { name, text: '' })
      const found = await this.#text(subject, version)
      if (found === undefined) {
        const what = `a schema refers to it, and ${this.place} does not have it`
        throw fail('SCHEMA_MISSING', `subject ${subject}, version ${version}: ${what}`)
      }
      await this.imports(found.references, known)
      known.delete(name)
      known.set(name, { name, text: found.text })
    }
    return [...known.values()]
  }

  async #version(subject: string, version: number | string): Promise<FoundSchema | undefined> {
    const found = await this.#text(subject, version)
    return found === undefined ? undefined : this.#found(found.id, found.body)
  }

  async #text(subject: string, version: number | string) {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`
    const answer = await this.#ask({ method: 'GET', path })
    if (answer.status === 404) return undefined
    const where = `subject ${subject}, version ${version}`
    const body = this.#expected(answer, where)
    return { body, ...this.#schema(body, where), id: this.#number(answer, where, 'id') }
  }

  async #found(id: number, body: Readonly<Record<string, unknown>>): Promise<FoundSchema> {
    const schema = this.#schema(body, `schema ${id}`)
    return { id, ...schema, imports: await this.imports(schema.references) }
  }

  #schema(body: Readonly<Record<string, unknown>>, where: string): SchemaText {
    const { schema, schemaType = 'AVRO', references = [] } = body
    const isList = Array.isArray(references)
    if (typeof schema !== 'string' || typeof schemaType !== 'string' || !isList) {
      throw this.#strange(where)
    }
    return { type: schemaType as SchemaType, text: schema, references }
  }

  #number(answer: Answer, where: string, name: string): number {
    const value = this.#expected(answer, where)[name]
    if (typeof value === 'number') return value
    throw this.#strange(where)
  }

  #expected(answer: Answer, where: string): Readonly<Record<string, unknown>> {
    const { status, body, message } = answer
    if (status === 422) throw fail('SCHEMA_INVALID', `${where}: ${this.place} said: ${message}`)
    if (status === 200 && typeof body === 'object' && body !== null) {
      return body as Readonly<Record<string, unknown>>
    }
    throw this.#strange(where, `${status} ${message}`.trim())
  }

  #strange(where: string, said = 'something else than a registry does'): Error {
    const hint = 'is this the address of its API?'
    return fail('SCHEMA_REGISTRY_UNUSABLE', `${where}: ${this.place} answered ${said}; ${hint}`)
  }

  /** Each address once, the one that answered last first. */
  async #ask(question: Question): Promise<Answer> {
    const { urls } = this.#connection
    const { timeoutMs = 10_000, maxBytes = 4 * 1024 * 1024, signal } = this.#options
    let failure: unknown
    for (let tries = 0; tries < urls.length; tries++) {
      try {
        const options = { timeoutMs, maxBytes, signal }
        return await ask(urls[this.#current]!, this.#connection, question, options)
      } catch (error) {
        if (codeOf(error) !== 'SCHEMA_REGISTRY_AWAY') throw error
        failure = error
        this.#current = (this.#current + 1) % urls.length
      }
    }
    throw failure
  }
}

function bodyOf({ type, text, references }: SchemaText): object {
  return {
    schema: text,
    // Older registries know no type but this one.
    ...(type === 'AVRO' ? {} : { schemaType: type }),
    ...(references.length === 0 ? {} : { references }),
  }
}
