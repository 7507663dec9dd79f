/** JSON with a schema of JSON Schema, in Confluent's wire format. */
import { isUtf8 } from 'node:buffer'
import type { Ajv, ValidateFunction } from 'ajv'
import { z } from 'zod'
import { codeOf, fail, messageOf } from '../core/errors.ts'
import { agree } from './agreement.ts'
import { defineFormat, type Format, useFormat } from './format.ts'
import { referencesOption, registerOption, subjectOption } from './options.ts'
import type { FoundSchema, ImportedSchema, SchemaText } from './registry.ts'
import { headerBytes, type PayloadReader, type PayloadWriter, WireCodec } from './wire-codec.ts'

const options = z.strictObject({
  schema: z
    .union([z.string().min(1), z.looseObject({}), z.boolean()])
    .optional()
    .describe(
      'The schema, as an object or its JSON, of 2020-12, 2019-09 or draft-07 (where it does not say). Values are checked against it when they are written and read. Default: written with the newest in the registry, checked against the one they were written with.',
    ),
  subject: subjectOption,
  register: registerOption,
  references: referencesOption.describe('Subjects with the schemas that the schema names by $ref.'),
})

export const jsonSchemaPart = defineFormat({
  name: 'jsonSchema',
  summary: 'Values in JSON, with schemas of JSON Schema in a registry.',
  options,
  example: {
    schema: {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: { id: { type: 'string' }, cents: { type: 'integer' } },
      required: ['id'],
    },
    register: true,
  },
  async open(given, context) {
    const { schema, subject, register, references } = given
    const { registry, topic, now } = context
    const drafts = await loadDrafts()
    const imports = await registry.imports(references)
    const declared: SchemaText | undefined =
      schema === undefined ? undefined : { type: 'JSON', text: textOf(schema), references }
    const own = declared && declaredCheck(drafts, declared, imports, topic)
    const found = await agree(context, {
      ...{ format: 'jsonSchema', type: 'JSON', subject, register, declared },
    })
    const reader = (written: FoundSchema) =>
      readerOf(own ?? checkOf(drafts, written.text, written.imports))
    const writer = found && {
      id: found.id,
      write: writerOf(own ?? declaredCheck(drafts, found, found.imports, topic)),
    }
    return new WireCodec({ registry, type: 'JSON', reader, writer, now })
  },
})

/** Values in JSON, checked by JSON Schema. Throws `OPTIONS_INVALID`. */
export const jsonSchema = (given: z.input<typeof options> = {}): Format =>
  useFormat(jsonSchemaPart, given)

const textOf = (schema: unknown) => (typeof schema === 'string' ? schema : JSON.stringify(schema))

/** The library, by the words in `$schema`. */
type Drafts = Readonly<Record<'07' | '2019' | '2020', typeof Ajv>>

export async function loadDrafts(): Promise<Drafts> {
  const [draft07, draft2019, draft2020] = await Promise.all([
    import('ajv'),
    import('ajv/dist/2019.js'),
    import('ajv/dist/2020.js'),
  ])
  return {
    '07': draft07.default.Ajv,
    '2019': draft2019.default.Ajv2019 as unknown as typeof Ajv,
    '2020': draft2020.default.Ajv2020 as unknown as typeof Ajv,
  }
}

function draftOf(schema: unknown): keyof Drafts {
  const named = (schema as { $schema?: unknown } | null)?.$schema
  if (typeof named !== 'string' || /draft-0[67]/.test(named)) return '07'
  if (named.includes('2019-09')) return '2019'
  if (named.includes('2020-12')) return '2020'
  throw new Error(`$schema ${named} is not known; take 2020-12, 2019-09 or draft-07`)
}

/** Throws what is wrong with the schema, in words. */
export function checkOf(
  drafts: Drafts,
  text: string,
  imports: readonly ImportedSchema[],
): ValidateFunction {
  const schema = JSON.parse(text) as object | boolean
  // Others' schemas have keywords of their own, and names of formats that nobody checks.
  const ajv = new drafts[draftOf(schema)]({ strict: false, validateFormats: false, logger: false })
  for (const { name, text: other } of imports) {
    ajv.addSchema(JSON.parse(other) as object, name)
  }
  return ajv.compile(schema)
}

function declaredCheck(
  drafts: Drafts,
  { text }: SchemaText,
  imports: readonly ImportedSchema[],
  topic: string,
): ValidateFunction {
  try {
    return checkOf(drafts, text, imports)
  } catch (error) {
    const code = codeOf(error) ?? 'SCHEMA_INVALID'
    const where = `topic ${topic}, its JSON Schema`
    throw fail(code, `${where}: ${messageOf(error)}`, { cause: error })
  }
}

export function readerOf(check: ValidateFunction): PayloadReader {
  return (bytes, start, end) => {
    const text = bytes.toString('utf8', start, end)
    // Bad bytes become U+FFFD, which also may stand there rightly: only then the exact check is owed.
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end))) {
      throw new Error('it is not valid UTF-8')
    }
    const value: unknown = JSON.parse(text)
    if (!check(value)) throw misfit(check)
    return value
  }
}

export function writerOf(check: ValidateFunction): PayloadWriter {
  return (value, into) => {
    const json = JSON.stringify(value) as string | undefined
    if (json === undefined) throw new Error(`a ${typeof value} cannot be written as JSON`)
    // As it will be read: a Date is a text by then, and what is undefined is not there.
    if (!check(isPlain(value) ? value : JSON.parse(json))) throw misfit(check)
    into.reserve(headerBytes + json.length * 3)
    return headerBytes + into.bytes.write(json, headerBytes)
  }
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value !== undefined
  if (Array.isArray(value)) return value.every(isPlain)
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return false
  for (const key in value) {
    if (!isPlain((value as Record<string, unknown>)[key])) return false
  }
  return true
}

function misfit(check: ValidateFunction): Error {
  const said = (check.errors ?? []).slice(0, 3).map(({ instancePath, message, params }) => {
    const field = instancePath.slice(1).replaceAll('/', '.') || 'the value'
    const more = Object.values(params).filter((one) => typeof one === 'string')
    return `${field} ${message}${more.length === 0 ? '' : ` (${more.join(', ')})`}`
  })
  return new Error(said.join('; '))
}
