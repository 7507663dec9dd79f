/** The door's part of the OpenAPI document: it reads its requests itself, so they are told here. */
import { z } from 'zod'
import { accepted, doorError, jsonSchema } from './answers.ts'

const json = (schema: z.ZodType) => ({ 'application/json': { schema: jsonSchema(schema) } })

const batch = z.strictObject({
  messages: z
    .array(
      z.strictObject({
        value: z.unknown().describe('any JSON; null is a delete and needs a key'),
        key: z.string().nullable().optional(),
        time: z.union([z.number(), z.string()]).optional().describe('ms since 1970, or ISO 8601'),
        headers: z.record(z.string(), z.string().nullable()).optional(),
        id: z.string().optional(),
      }),
    )
    .min(1),
})

const waits = {
  'Retry-After': { description: 'seconds to wait', schema: { type: 'integer', minimum: 1 } },
}

const refused = (description: string, headers: object = {}) => ({
  ...{ description, content: json(doorError) },
  ...(Object.keys(headers).length === 0 ? {} : { headers }),
})

const responses = {
  200: {
    description: 'all of them are durable',
    headers: {
      'Idempotency-Replayed': {
        description: 'true where the same request was answered before',
        schema: { type: 'string' },
      },
      'Preference-Applied': {
        description: 'return=minimal where that was preferred',
        schema: { type: 'string' },
      },
    },
    content: json(accepted),
  },
  400: refused('the body or a message is wrong; it says which'),
  401: refused('a token is wanted'),
  403: refused('the topic is written by Millrace alone, or another site asks'),
  404: refused('there is no such topic'),
  405: refused('only POST is answered here'),
  408: refused('the body came too slowly'),
  409: refused('a request with this Idempotency-Key is under way', waits),
  413: refused('the body, a message or their number is too large'),
  415: refused('another Content-Type or Content-Encoding is wanted'),
  422: refused('this Idempotency-Key was used for another request'),
  429: refused('too many requests of this client', waits),
  503: refused('nothing can be written now', waits),
  default: refused('nothing was appended'),
}

const text = { type: 'string' }
const optional = { required: false, schema: text }

export const doorPath = {
  '/topics/{name}': {
    post: {
      summary: 'appends messages to a topic; answered once they are durable, all of them or none',
      parameters: [
        { name: 'name', in: 'path', required: true, schema: text },
        { name: 'key', in: 'query', description: 'of messages that name none', ...optional },
        { name: 'id', in: 'query', description: 'of the one value', ...optional },
        {
          name: 'Idempotency-Key',
          in: 'header',
          description: 'makes it safe to ask again: the first answer comes again',
          ...{ required: false, schema: { ...text, minLength: 1, maxLength: 255 } },
        },
        { name: 'Prefer', in: 'header', description: 'return=minimal', ...optional },
      ],
      requestBody: {
        required: true,
        description: 'gzip or not, at most 8 MiB unpacked',
        content: {
          'application/json': { schema: { description: 'one value' } },
          'application/vnd.millrace.batch+json': { schema: jsonSchema(batch) },
          'application/x-ndjson': { schema: { ...text, description: 'one value a line' } },
        },
      },
      responses,
    },
  },
}
