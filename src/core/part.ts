/**
 * A part is one declaration: name, options as a schema with a description each, an example, `open`.
 * Validation, CLI help and reference docs come from it.
 */
import type { z } from 'zod'
import { fail, suggestion } from './errors.ts'

export type Kind = 'source' | 'sink' | 'format' | 'lookup'

export interface PartDeclaration<Options extends z.ZodObject, Context, Opened> {
  /** The word a user types. */
  readonly name: string
  /** One sentence for the reference: what it is and when to use it. */
  readonly summary: string
  /** A strict object: every option with `.describe(...)`, unknown ones refused. */
  readonly options: Options
  /** Options that are valid as they stand, for the reference. */
  readonly example: z.input<Options>
  /** Gives a working thing or throws. */
  open(options: z.output<Options>, context: Context): Promise<Opened>
}

export interface Part<Options extends z.ZodObject, Context, Opened>
  extends PartDeclaration<Options, Context, Opened> {
  readonly kind: Kind
}

/** A part with its options checked: what a pipeline holds until it runs. */
export interface PartUse<Context, Opened> {
  readonly kind: Kind
  readonly part: string
  /** The options as they were given, for the plan; functions in it are left out there. */
  readonly options: Readonly<Record<string, unknown>>
  open(context: Context): Promise<Opened>
}

/** Checks options against the part's schema. Throws `OPTIONS_INVALID`, which names each bad option. */
export function usePart<Options extends z.ZodObject, Context, Opened>(
  part: Part<Options, Context, Opened>,
  options: z.input<Options>,
): PartUse<Context, Opened> {
  const checked = part.options.safeParse(options)
  if (!checked.success) {
    const issues = checked.error.issues.map((issue) => describeIssue(issue, part.options, options))
    throw fail('OPTIONS_INVALID', `${part.kind} ${part.name}: ${issues.join('; ')}`)
  }
  return {
    kind: part.kind,
    part: part.name,
    options: checked.data,
    open: (context) => part.open(checked.data, context),
  }
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodObject, options: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(schema.shape)
    return issue.keys
      .map(
        (key) =>
          `unknown option '${key}', ${suggestion(key, known) || `known: ${known.join(', ')}`}`,
      )
      .join('; ')
  }
  const where = issue.path.join('.')
  let value = options
  for (const key of issue.path)
    value = (value as { [key: PropertyKey]: unknown } | undefined)?.[key]
  if (where !== '' && value === undefined) return `option '${where}' is missing`
  return where === '' ? issue.message : `option '${where}': ${issue.message}`
}
