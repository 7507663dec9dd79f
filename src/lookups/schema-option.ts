/** The option of every look-up that says what its values look like. */
import { z } from 'zod'
import type { Schema } from '../core/schema.ts'

const isSchema = (value: unknown): boolean =>
  typeof (value as Partial<Schema> | null)?.['~standard']?.validate === 'function'

export const schemaOption = z
  .custom<Schema>(isSchema, 'give a schema: zod, valibot, arktype, any Standard Schema')
  .optional()
  .describe(
    'What each value has to fit, any Standard Schema; its output goes on. A message whose value does not fit is a dead letter. Default: values are believed.',
  )
