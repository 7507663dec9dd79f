/** Options that formats share, described once. */
import { z } from 'zod'

export const subjectOption = z
  .string()
  .min(1)
  .optional()
  .describe('The subject in the registry. Default: `<topic>-value`.')

export const registerOption = z
  .boolean()
  .default(false)
  .describe(
    'Whether the schema is registered when a pipeline starts that writes the topic. Default: no; then it has to be there.',
  )

export const longsOption = z
  .enum(['number', 'string'])
  .default('number')
  .describe(
    '64-bit numbers as numbers (default; one beyond 2^53 is refused, not rounded), or as text with all digits.',
  )

export const referencesOption = z
  .array(z.strictObject({ name: z.string(), subject: z.string(), version: z.int().positive() }))
  .default([])
