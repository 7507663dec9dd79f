/**
 * The server as a hono application: the page, what it reads, health, metrics and, mounted at
 * `/topics`, the door into the log. start.ts puts it on a port.
 */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Log } from '../log/log.ts'
import type { Definition } from '../pipeline/definition.ts'
import { Access, type AccessOptions, withStrictHeaders } from './access.ts'
import { live, ready, text } from './answers.ts'
import { deadLetterRoutes } from './api-dead-letters.ts'
import { keyedStateRoutes } from './api-keyed-state.ts'
import { messageRoutes } from './api-messages.ts'
import { ModelRoutes } from './api-models.ts'
import { doorPath } from './door-openapi.ts'
import { Events } from './events.ts'
import { Metrics } from './metrics.ts'
import type { Monitor } from './monitor.ts'
import { pageFile, pageFolder } from './page-files.ts'
import { problemResponse, refuse } from './problem.ts'
import { openApi, type Route, route } from './route.ts'
import type { History, PanelsPage } from './state.ts'

export interface ServerAppOptions extends AccessOptions {
  readonly log: Log
  readonly monitor: Monitor
  /** The state directory: artefacts of models are looked for in it. */
  readonly directory: string
  /** Of Millrace. */
  readonly version: string
  /** Tells two servers on one directory from two on different ones; no secret. */
  readonly identity: string
  /** Of the application that runs beside the server; undefined: there is none. */
  readonly pipelines?: readonly Definition[] | undefined
  /** Mounted at `/topics`. */
  readonly door?: Hono | undefined
  /** Of the built page. Default: where `npm run build:web` puts it. */
  readonly pageFolder?: string
  /** Whether `/metrics` tells of this process too. Default true. */
  readonly processMetrics?: boolean
}

export interface ServerApp {
  readonly app: Hono
  /** Ends streams and gives back what was opened. */
  close(): Promise<void>
}

const mostBodyBytes = 512 * 1024
/** Everything below these wants the token; the page's files are no secret, and neither is health. */
const guarded = ['/api/*', '/metrics', '/openapi.json', '/topics/*', '/pipelines/*']

export function serverApp(options: ServerAppOptions): ServerApp {
  const { log, monitor, directory } = options
  const access = new Access(options)
  const events = new Events(monitor)
  const models = new ModelRoutes(log, directory)
  const metrics = new Metrics(monitor, options.processMetrics ?? true)
  const app = new Hono()
  app.onError((error) => problemResponse(error))
  app.use(withStrictHeaders, access.guardOrigin, access.exchangeLink)
  const maxSize = mostBodyBytes
  const onError = () => tooLarge()
  app.use('/api/*', bodyLimit({ maxSize, onError }))
  const open = [access.beginRoute(), ...healthRoutes(options, access)]
  for (const one of open) one.mount(app)
  for (const path of guarded) app.use(path, access.guardToken)
  const routes = [
    access.endRoute(),
    ...stateRoutes(monitor),
    events.route(),
    ...messageRoutes(log, monitor),
    ...models.routes(),
    ...deadLetterRoutes(log),
    ...keyedStateRoutes(log, options.pipelines),
    metricsRoute(metrics),
  ]
  for (const one of routes) one.mount(app)
  app.get('/openapi.json', (context) =>
    context.json(openApi([...open, ...routes], options.version, options.door && doorPath)),
  )
  if (options.door !== undefined) app.route('/topics', options.door)
  const folder = options.pageFolder ?? pageFolder
  app.on(['GET', 'HEAD'], '*', (context) => pageFile(context, folder))
  app.notFound((context) => refuse(context, 404, 'NOT_FOUND', 'there is nothing here'))
  return {
    app,
    async close() {
      events.close()
      await models.close()
    },
  }
}

function stateRoutes(monitor: Monitor): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/state',
      summary: 'pipelines, topics and processes as they are now',
      answer: { description: 'a State' },
      handle: () => monitor.state,
    }),
    route({
      method: 'get',
      path: '/api/history',
      summary: 'the last fifteen minutes, a point a second, the oldest first',
      answer: { description: 'a History' },
      handle: (): History => ({ points: monitor.points() }),
    }),
    route({
      method: 'get',
      path: '/api/panels',
      summary: 'what applications declared to be shown, filled',
      answer: { description: 'a PanelsPage' },
      handle: (): PanelsPage => ({ boards: monitor.boards }),
    }),
  ]
}

function healthRoutes({ monitor, identity }: ServerAppOptions, access: Access): Route[] {
  return [
    route({
      method: 'get',
      path: '/health/live',
      summary: 'whether the process answers',
      answer: { description: 'it does', schema: live },
      handle: () => ({ status: 'live', directory: identity }),
    }),
    route({
      method: 'get',
      path: '/health/ready',
      summary: 'whether all is well: 200, else 503 with reasons (to who may know them)',
      answer: { description: 'all is well', schema: ready, also: { 503: 'something is wrong' } },
      handle: ({ context }) => {
        const { isReady, reasons } = monitor.state.health
        const status = isReady ? 'ready' : 'not ready'
        const told = access.isKnown(context) ? { status, reasons } : { status }
        const headers = { 'Cache-Control': 'no-store' }
        return Response.json(told, { status: isReady ? 200 : 503, headers })
      },
    }),
  ]
}

function metricsRoute(metrics: Metrics): Route {
  return route({
    method: 'get',
    path: '/metrics',
    summary: 'the same for Prometheus',
    answer: { type: 'text/plain', description: "Prometheus' text format", schema: text },
    handle: () => metrics.response(),
  })
}

function tooLarge(): Response {
  const body = { code: 'TOO_LARGE', message: `a body has at most ${mostBodyBytes} bytes here` }
  return Response.json(body, { status: 413 })
}
