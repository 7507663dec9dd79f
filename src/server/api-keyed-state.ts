/** Routes on keyed state: what a step of a pipeline has of a key, or of one key after the other. */
import { z } from 'zod'
import type { Log } from '../log/log.ts'
import type { Definition } from '../pipeline/definition.ts'
import { StateReader } from '../pipeline/state-reader.ts'
import { foundState } from './answers.ts'
import { Problem } from './problem.ts'
import { type Route, route } from './route.ts'

const mostKeys = 1000
const longestKey = 64 * 1024

const params = z.object({ pipeline: z.string().min(1), step: z.string().min(1) })

/** `definitions`: of the application that runs beside the server; only it knows what its steps keep. */
export function keyedStateRoutes(
  log: Log,
  definitions: readonly Definition[] | undefined,
): Route[] {
  const reader = () => {
    if (definitions !== undefined) return new StateReader(log, definitions)
    const words =
      'this server knows no application, and only the application knows what its steps keep: ask the server of its millrace run, or millrace state get app.ts'
    throw new Problem(404, 'APP_WANTED', words)
  }
  return [
    route({
      method: 'get',
      path: '/pipelines/{pipeline}/state/{step}/{key}',
      summary: 'all that a step has of a key: open windows, with the results they would give now',
      params: params.extend({ key: z.string().max(longestKey) }),
      answer: { description: 'what it has; no entries where that is nothing', schema: foundState },
      handle: ({ params: { pipeline, step, key } }) => reader().get(pipeline, step, key),
    }),
    route({
      method: 'get',
      path: '/pipelines/{pipeline}/state/{step}',
      summary: 'the same key by key, in the order of their UTF-8 bytes',
      params,
      query: z.strictObject({
        from: z.string().max(longestKey).optional(),
        limit: z.coerce.number().int().min(1).max(mostKeys).default(100),
      }),
      answer: { description: 'what it has of the first keys', schema: foundState },
      handle: ({ params: { pipeline, step }, query }) => reader().scan(pipeline, step, query),
    }),
  ]
}
