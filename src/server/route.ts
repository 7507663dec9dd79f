/**
 * A route of the API is one declaration: what it is asked with, as schemas, and what it answers. The
 * checks of requests and the OpenAPI document both come from it.
 */
import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { apiError, jsonSchema } from './answers.ts'
import { Problem, problemResponse } from './problem.ts'

type Fields = z.ZodObject

export interface RouteDeclaration<
  Params extends Fields,
  Query extends Fields,
  Body extends z.ZodType,
> {
  readonly method: 'get' | 'post' | 'delete'
  /** With names in braces: `/api/models/{name}`. */
  readonly path: string
  readonly summary: string
  readonly params?: Params
  readonly query?: Query
  /** Read as JSON. */
  readonly body?: Body
  /** What is answered when all is well. */
  readonly answer: {
    readonly status?: number
    readonly type?: string
    readonly description: string
    /** Where clients are promised how it looks. */
    readonly schema?: z.ZodType
    /** By status: what else is answered in the same way. */
    readonly also?: Readonly<Record<number, string>>
  }
  handle(request: Asked<Params, Query, Body>): unknown
}

export interface Asked<Params extends Fields, Query extends Fields, Body extends z.ZodType> {
  readonly params: z.output<Params>
  readonly query: z.output<Query>
  readonly body: z.output<Body>
  readonly context: Context
}

export interface Route {
  readonly method: string
  readonly path: string
  /** The operation of the OpenAPI document. */
  readonly operation: object
  mount(app: Hono): void
}

/** Gives a route back. What `handle` returns is answered as JSON, unless it is a Response. */
export function route<
  Params extends Fields = z.ZodObject,
  Query extends Fields = z.ZodObject,
  Body extends z.ZodType = z.ZodUndefined,
>(declaration: RouteDeclaration<Params, Query, Body>): Route {
  const { method, path } = declaration
  const answer = async (context: Context): Promise<Response> => {
    try {
      const request = await askedOf(declaration, context)
      const result = await declaration.handle(request)
      if (result instanceof Response) return result
      return Response.json(result, { headers: { 'Cache-Control': 'no-store' } })
    } catch (error) {
      return problemResponse(error)
    }
  }
  return {
    method,
    path,
    operation: operationOf(declaration),
    mount: (app) => void app.on(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1'), answer),
  }
}

async function askedOf<Params extends Fields, Query extends Fields, Body extends z.ZodType>(
  { params, query, body }: RouteDeclaration<Params, Query, Body>,
  context: Context,
): Promise<Asked<Params, Query, Body>> {
  const none = z.strictObject({})
  return {
    params: checked('path', params ?? none, context.req.param()) as z.output<Params>,
    query: checked('query', query ?? none, context.req.query()) as z.output<Query>,
    body: (body === undefined
      ? undefined
      : checked('body', body, await jsonOf(context))) as z.output<Body>,
    context,
  }
}

function checked(where: string, schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const at = issue.path.length === 0 ? '' : ` ${issue.path.join('.')}`
  throw new Problem(400, 'REQUEST_INVALID', `${where}${at}: ${issue.message}`)
}

async function jsonOf(context: Context): Promise<unknown> {
  const type = context.req.header('content-type') ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new Problem(415, 'REQUEST_INVALID', 'send JSON, with Content-Type: application/json')
  }
  const text = await context.req.text()
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem(400, 'REQUEST_INVALID', 'the body is no JSON')
  }
}

function operationOf({
  summary,
  params,
  query,
  body,
  answer,
}: RouteDeclaration<Fields, Fields, z.ZodType>): object {
  const { status = 200, type = 'application/json', description, schema, also = {} } = answer
  const form = schema === undefined ? {} : { schema: jsonSchema(schema) }
  const content = status === 204 ? {} : { content: { [type]: form } }
  const others = Object.entries(also).map(([other, words]) => [
    other,
    { description: words, ...content },
  ])
  return {
    summary,
    parameters: [...parametersOf(params, 'path'), ...parametersOf(query, 'query')],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: jsonSchema(body) } },
          },
        }),
    responses: {
      [status]: { description, ...content },
      ...Object.fromEntries(others),
      default: {
        description: 'what went wrong',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/ApiError' } } },
      },
    },
  }
}

function parametersOf(schema: Fields | undefined, place: 'path' | 'query'): object[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path' || !(field as z.ZodType).safeParse(undefined).success,
    schema: jsonSchema(field as z.ZodType, 'output'),
  }))
}

/** The OpenAPI 3.1 document of some routes; `extra` are paths that are declared elsewhere. */
export function openApi(routes: readonly Route[], version: string, extra: object = {}): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const { method, path, operation } of routes) {
    paths[path] = { ...paths[path], [method]: operation }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version,
      description: 'What the page reads, what monitors ask, and the door into the log.',
    },
    paths: { ...paths, ...extra },
    components: {
      schemas: { ApiError: jsonSchema(apiError) },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
    security: [{}, { token: [] }],
  }
}
