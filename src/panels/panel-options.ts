/** The options of each kind of panel as schemas, and what is said of those that do not fit. */
import { z } from 'zod'
import { fail, suggestion } from '../core/errors.ts'

const field = z.string().min(1)
const condition = z.record(field, z.unknown())
const titled = { title: z.string().min(1), note: z.string().optional() }
const ofMessages = { ...titled, where: condition.optional() }
const top = (usual: number) => z.number().int().min(1).max(100).default(usual)

export const measure = z.union(
  [
    z.literal('count'),
    z.strictObject({ mean: field }),
    z.strictObject({ sum: field }),
    z.strictObject({ min: field }),
    z.strictObject({ max: field }),
    z.strictObject({ share: condition }),
  ],
  "write 'count', { mean: field }, { sum: field }, { min: field }, { max: field } or { share: { field: value } }",
)

const everyPattern = /^([1-9]\d{0,4})(s|m|h|d)$/
const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of '10s', '5m', '1h', '7d'. */
export function everyMs(every: string): number {
  const [, count, unit] = everyPattern.exec(every)!
  return Number(count) * unitMs[unit as keyof typeof unitMs]
}

export const optionsOf = {
  pie: z.strictObject({ ...ofMessages, by: field, top: top(8) }),
  bars: z.strictObject({ ...ofMessages, by: field, value: measure.default('count'), top: top(10) }),
  gauge: z
    .strictObject({
      ...{ ...ofMessages, value: measure },
      min: z.number().default(0),
      max: z.number().default(1),
    })
    .refine(({ min, max }) => min < max, 'min must be below max'),
  timeLine: z
    .strictObject({
      ...ofMessages,
      values: z
        .record(z.string().min(1), measure)
        .refine((values) => Object.keys(values).length > 0, 'give at least one'),
      by: field.optional(),
      every: z.string().regex(everyPattern, "write '10s', '5m', '1h' or '7d'").optional(),
    })
    .refine(
      ({ values, by }) => by === undefined || Object.keys(values).length === 1,
      'with by there is one value',
    ),
  table: z.strictObject({
    ...ofMessages,
    columns: z.array(field).min(1).max(20),
    newest: top(20),
  }),
  text: z.strictObject({ ...titled, text: z.string().min(1) }),
  panels: z.strictObject({ title: z.string().min(1) }),
}

export type OptionsOf<Kind extends keyof typeof optionsOf> = z.output<(typeof optionsOf)[Kind]>

/** The options with what is left out filled in. Throws `OPTIONS_INVALID`, which names the panel. */
export function checkOptions(
  kind: keyof typeof optionsOf,
  options: object,
  topic: { readonly name: string } | undefined,
): unknown {
  const { title } = options as { title?: unknown }
  const where = typeof title === 'string' ? `${kind} '${title}'` : kind
  const needsTopic = kind !== 'text' && kind !== 'panels'
  if (needsTopic && typeof topic?.name !== 'string') {
    throw fail('OPTIONS_INVALID', `${where}: the first argument is the topic that it is about`)
  }
  const checked = optionsOf[kind].safeParse(options)
  if (checked.success) return checked.data
  const words = checked.error.issues.map((issue) => wordsOf(issue, kind))
  throw fail('OPTIONS_INVALID', `${where}: ${words.join('; ')}`)
}

function wordsOf(issue: z.core.$ZodIssue, kind: keyof typeof optionsOf): string {
  if (issue.code === 'unrecognized_keys' && issue.path.length === 0) {
    const known = Object.keys(optionsOf[kind].shape)
    const hints = issue.keys.map((key) => {
      const hint = suggestion(key, known) || `known: ${known.join(', ')}`
      return `unknown option '${key}', ${hint}`
    })
    return hints.join('; ')
  }
  const at = issue.path.join('.')
  return at === '' ? issue.message : `option '${at}': ${issue.message}`
}
