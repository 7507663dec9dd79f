/** Avro in Confluent's wire format: what was written with one schema is read as another that goes with it. */
import type { Type } from 'avsc'
import { z } from 'zod'
import { codeOf, fail, messageOf } from '../core/errors.ts'
import { agree } from './agreement.ts'
import { guardOf } from './avro-guard.ts'
import { type AvroLibrary, AvroTypes } from './avro-types.ts'
import { defineFormat, type Format, useFormat } from './format.ts'
import { longsOption, referencesOption, registerOption, subjectOption } from './options.ts'
import type { FoundSchema, SchemaText } from './registry.ts'
import { type PayloadReader, type PayloadWriter, WireCodec } from './wire-codec.ts'

const options = z.strictObject({
  schema: z
    .union([z.string().min(1), z.looseObject({}), z.array(z.unknown())])
    .optional()
    .describe(
      'The schema, as an object or its JSON. Values are written with it, and read as it says, whichever schema they were written with. Default: written with the newest in the registry, read as written.',
    ),
  subject: subjectOption,
  register: registerOption,
  longs: longsOption,
  references: referencesOption.describe(
    'Subjects in which types are declared that the schema names.',
  ),
})

export const avroPart = defineFormat({
  name: 'avro',
  summary: 'Values in Avro, with schemas in a registry.',
  options,
  example: {
    schema: {
      type: 'record',
      name: 'Order',
      fields: [
        { name: 'id', type: 'string' },
        { name: 'cents', type: 'long' },
      ],
    },
    register: true,
  },
  async open(given, context) {
    const { schema, subject, register, longs, references } = given
    const library = (await import('avsc')).default
    const types = new AvroTypes(library, longs)
    const declared: SchemaText | undefined =
      schema === undefined ? undefined : { type: 'AVRO', text: textOf(schema), references }
    const { registry, topic, now } = context
    const imports = await registry.imports(references)
    const own = declared === undefined ? undefined : declaredType(types, declared, imports, topic)
    const written = await agree(context, {
      ...{ format: 'avro', type: 'AVRO', subject, register, declared },
      ...(own === undefined ? {} : { whyUnreadable: (one) => whyUnreadable(types, own, one) }),
    })
    const reader = (found: FoundSchema) => readerOf(types.parse(found.text, found.imports), own)
    const writer = written && {
      id: written.id,
      write: writerOf(own ?? types.parse(written.text, written.imports)),
    }
    return new WireCodec({ registry, type: 'AVRO', reader, writer, now })
  },
})

/** Values in Avro. Throws `OPTIONS_INVALID`. */
export const avro = (given: z.input<typeof options> = {}): Format => useFormat(avroPart, given)

const textOf = (schema: unknown) => (typeof schema === 'string' ? schema : JSON.stringify(schema))

function declaredType(
  types: AvroTypes,
  { text }: SchemaText,
  imports: FoundSchema['imports'],
  topic: string,
): Type {
  try {
    return types.parse(text, imports)
  } catch (error) {
    const code = codeOf(error) ?? 'SCHEMA_INVALID'
    throw fail(code, `topic ${topic}, its avro schema: ${messageOf(error)}`, { cause: error })
  }
}

function whyUnreadable(types: AvroTypes, own: Type, written: FoundSchema): string | undefined {
  try {
    own.createResolver(types.parse(written.text, written.imports))
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

type Resolver = ReturnType<Type['createResolver']>

/** Reads what was written with `written`, as `own` says. Throws where the two do not go together. */
export function readerOf(written: Type, own: Type | undefined): PayloadReader {
  const guard = guardOf(written)
  const type = own ?? written
  // Resolving takes the first branch of a union that fits: the same schema needs it not.
  const isSame = own === undefined || textOfType(own) === textOfType(written)
  const resolver = isSame ? undefined : (own.createResolver(written) as Resolver)
  return (bytes, start, end) => {
    guard?.(bytes, start, end)
    const { value, offset } = type.decode(bytes, start, resolver)
    if (offset < 0 || offset > end) throw new Error('it is cut short')
    if (offset < end) throw new Error(`it has ${end - offset} bytes more than its schema says`)
    return value as unknown
  }
}

const textOfType = (type: Type) => JSON.stringify(type.schema({ exportAttrs: true }))

/** Writes values. Throws where one does not fit, which names the field. */
export function writerOf(type: Type): PayloadWriter {
  return (value, into) => {
    if (!type.isValid(value, { noUndeclaredFields: true })) throw misfit(type, value)
    for (;;) {
      const end = type.encode(value, into.bytes, 5)
      if (end >= 0) return end
      into.reserve(into.bytes.length - end)
    }
  }
}

function misfit(type: Type, value: unknown): Error {
  let said = 'the value does not fit its schema'
  let isFirst = true
  const errorHook = (path: string[], found: unknown, expected: Type) => {
    if (!isFirst) return
    isFirst = false
    const field = path.join('.')
    said = `${field === '' ? 'the value' : field}: ${misfitText(found, expected)}`
  }
  type.isValid(value, { noUndeclaredFields: true, errorHook })
  return new Error(said)
}

function misfitText(found: unknown, expected: Type): string {
  const fields = (expected as { fields?: readonly { readonly name: string }[] }).fields
  if (fields !== undefined && typeof found === 'object' && found !== null) {
    const names = new Set(fields.map(({ name }) => name))
    const unknown = Object.keys(found).filter((name) => !names.has(name))
    if (unknown.length > 0) return `the schema has no field ${unknown.slice(0, 5).join(', ')}`
  }
  const shown = JSON.stringify(found)?.slice(0, 100) ?? String(found)
  return `${shown} is no ${JSON.stringify(expected).slice(0, 200)}`
}

export type { AvroLibrary }
