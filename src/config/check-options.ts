/** Options of a configuration against their schema; what is wrong is said without what was given. */
import { z } from 'zod'
import { fail, suggestion } from '../core/errors.ts'
import { Secret } from './secret.ts'

/** Throws `CONFIG_INVALID`, which begins with `where` and names each bad option. */
export function checkOptions<Schema extends z.ZodType>(
  where: string,
  schema: Schema,
  options: unknown,
): z.output<Schema> {
  const checked = schema.safeParse(options)
  if (checked.success) return checked.data
  const said = checked.error.issues.map((issue) => describe(issue, options, knownOf(schema, issue)))
  throw fail('CONFIG_INVALID', `${where}: ${said.join('; ')}`)
}

function describe(issue: z.core.$ZodIssue, options: unknown, known: readonly string[]): string {
  if (issue.code === 'unrecognized_keys') {
    const of = issue.path.length === 0 ? '' : ` in '${issue.path.join('.')}'`
    return issue.keys
      .map((key) => {
        const hint = suggestion(key, known) || `known: ${known.join(', ')}`
        return `unknown option '${key}'${of}, ${hint}`
      })
      .join('; ')
  }
  let value = options
  for (const key of issue.path) {
    value = (value as { [key: PropertyKey]: unknown } | null | undefined)?.[key]
  }
  const name = issue.path.join('.')
  if (name !== '' && value === undefined) return `option '${name}' is missing`
  const inner = issue.code === 'invalid_union' ? deepest(issue) : issue.message
  return name === '' ? inner : `option '${name}': ${inner}`
}

/** Of a union, the complaint that got furthest: that is the form that was meant. */
function deepest(issue: z.core.$ZodIssueInvalidUnion): string {
  const found = issue.errors
    .flat()
    .filter((one) => one.path.length > 0)
    .sort((a, b) => b.path.length - a.path.length)[0]
  return found === undefined ? issue.message : `'${found.path.join('.')}': ${found.message}`
}

function knownOf(schema: z.ZodType, issue: z.core.$ZodIssue): string[] {
  let at: unknown = schema
  for (const key of issue.path) {
    at = unwrapped(at)
    at = at instanceof z.ZodObject ? at.shape[key as string] : undefined
  }
  const inner = unwrapped(at)
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : []
}

function unwrapped(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? unwrapped(schema.unwrap())
    : schema
}

/** What is to be kept secret: never text, which would stand in a file that others read. */
export const secretOption = z.custom<Secret>((value) => value instanceof Secret, {
  error: "name the secret, as secret('NAME'), instead of writing it here",
})

/** What may be secret, and need not be. */
export const textOrSecret = z.union([z.string().min(1), secretOption], {
  error: "give a text, or secret('NAME')",
})

export const readText = async (value: string | Secret): Promise<string> =>
  typeof value === 'string' ? value : value.read()
