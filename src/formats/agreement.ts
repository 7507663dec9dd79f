/**
 * What a topic's format and the registry agree on before anything starts: which schema values are
 * written with, and that a declared one goes with those that are there.
 */
import { fail } from '../core/errors.ts'
import type { FormatContext } from './format.ts'
import type { FoundSchema, SchemaText } from './registry.ts'

export interface Agreement {
  /** For errors: `avro`. */
  readonly format: string
  readonly subject: string | undefined
  /** What the application declares; undefined: what the registry has. */
  readonly declared: SchemaText | undefined
  readonly type: SchemaText['type']
  readonly register: boolean
  /** Why values written with a schema could not be read as the declared one; undefined: they can. */
  readonly whyUnreadable?: (written: FoundSchema) => string | undefined
}

/** By the rule that serialisers call TopicNameStrategy. */
export const subjectOf = (topic: string) => `${topic}-value`

/**
 * The schema to write with; undefined where nothing is written. Throws `SCHEMA_MISSING`,
 * `SCHEMA_INCOMPATIBLE`, `SCHEMA_INVALID`, and what the registry throws.
 */
export async function agree(
  context: FormatContext,
  agreement: Agreement,
): Promise<FoundSchema | undefined> {
  const { registry, writes, topic } = context
  const { declared, format, register } = agreement
  const subject = agreement.subject ?? subjectOf(topic)
  const where = `topic ${topic}, subject ${subject}`
  if (declared === undefined) {
    return writes ? newest(context, agreement, subject, where) : undefined
  }
  const id = await registry.idOf(subject, declared)
  if (id === 'no version' || (!writes && id !== 'no subject')) {
    await checkFit(context, agreement, subject, where, id === 'no version')
  }
  if (!writes) return undefined
  if (typeof id !== 'number' && !register) {
    const has = id === 'no subject' ? 'has no such subject' : 'has other versions of it only'
    const fix = `register it, or let Millrace do it: ${format}({ ..., register: true })`
    throw fail('SCHEMA_MISSING', `${where}: ${registry.place} ${has}; ${fix}`)
  }
  const known = typeof id === 'number' ? id : await registry.register(subject, declared)
  return { ...declared, id: known, imports: await registry.imports(declared.references) }
}

async function newest(
  { registry, topic }: FormatContext,
  { format, type }: Agreement,
  subject: string,
  where: string,
): Promise<FoundSchema> {
  const latest = await registry.latest(subject)
  if (latest === undefined) {
    const fix = `declare one, ${format}({ schema: ..., register: true }), or register one`
    const what = `${registry.place} has no schema to write ${topic} with`
    throw fail('SCHEMA_MISSING', `${where}: ${what}; ${fix}`)
  }
  checkType(latest, type, where)
  return latest
}

/**
 * Who writes asks the registry, by the subject's own rule. Who only reads has nothing to register: for
 * it counts whether it can read what is written now, which a format may know by itself.
 */
async function checkFit(
  { registry, writes }: FormatContext,
  { declared, type, whyUnreadable }: Agreement,
  subject: string,
  where: string,
  isNew: boolean,
): Promise<void> {
  const latest = await registry.latest(subject)
  if (latest !== undefined) checkType(latest, type, where)
  const own = !writes && whyUnreadable !== undefined
  if (!own && !isNew) return
  const reason = () => (latest === undefined ? undefined : whyUnreadable?.(latest))
  const why = own ? reason() : await registry.whyIncompatible(subject, declared!)
  if (why === undefined) return
  const against = `the declared schema does not go with the newest version (id ${latest?.id})`
  const said = why || reason() || 'the registry does not say why'
  throw fail('SCHEMA_INCOMPATIBLE', `${where}: ${against}: ${said}`)
}

function checkType(found: FoundSchema, type: SchemaText['type'], where: string): void {
  if (found.type === type) return
  const what = `its newest version (id ${found.id}) is of type ${found.type}`
  throw fail('SCHEMA_INCOMPATIBLE', `${where}: ${what}, the topic is declared as ${type}`)
}
