/**
 * What monitors and clients are promised in answers, as schemas: the OpenAPI document is made of
 * them. Fields may be added to an answer; these stay.
 */
import { z } from 'zod'
import type { FoundState } from '../pipeline/state-reader.ts'
import type { Accepted } from './door.ts'
import type { RefusalDetails } from './door-refusal.ts'
import type { ApiError, DeadLetterResult } from './state.ts'

const count = z.int().min(0)

export const apiError: z.ZodType<ApiError> = z.object({
  code: z.string().describe('for programs: it stays when the words change'),
  message: z.string().describe('for people: what was seen, and what to do'),
})

export const live = z.object({
  status: z.literal('live'),
  directory: z
    .string()
    .describe('tells two servers on one state directory from two on different ones'),
})

export const ready = z.object({
  status: z.enum(['ready', 'not ready']),
  reasons: z.array(z.string()).optional().describe('sentences, told to who may know them'),
})

export const deadLetterResult: z.ZodType<DeadLetterResult> = z.object({
  done: count.describe('how many were replayed or dropped'),
  cut: z
    .array(z.string())
    .describe('ids of letters of which only the beginning was kept: a replay leaves them'),
})

const stateEntry = z.object({
  partition: count,
  key: z.string(),
  start: z.string().optional().describe('of a window, in ISO 8601'),
  end: z.string().optional().describe('of a window, in ISO 8601'),
  revision: count.optional().describe('of a window: how many messages it has taken'),
  side: z.enum(['left', 'right']).optional().describe('of a join: which side waits'),
  value: z.unknown().describe('of a window what its result would be now; else what is stored'),
})

export const foundState: z.ZodType<FoundState> = z.object({
  pipeline: z.string(),
  step: z.string(),
  kind: z.string().describe('of the step: aggregate, join') as z.ZodType<FoundState['kind']>,
  entries: z.array(stateEntry).describe('key after key; windows by their beginning'),
}) as z.ZodType<FoundState>

const place = z.object({ partition: count, offset: count })

/** With `Prefer: return=minimal` only the number. */
export const accepted: z.ZodType<Pick<Accepted, 'accepted'> & Partial<Accepted>> = z.object({
  accepted: count.describe('how many messages are durable: all of the request'),
  offsets: z.array(place).optional().describe('in the order they were sent'),
  ids: z.array(z.string()).optional().describe('in the order they were sent'),
})

export const doorError: z.ZodType<ApiError & RefusalDetails> = z.object({
  code: z.string(),
  message: z.string(),
  index: count.optional().describe('of the message in the request, from 0'),
  line: z.int().min(1).optional().describe('of the body, from 1: NDJSON'),
  path: z.string().optional().describe('of the field in the value: author.name'),
})

/** Answers that are not JSON. */
export const text = z.string()

/** Objects are open: a client takes fields that it does not know. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'input'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io })
  return rest
}
