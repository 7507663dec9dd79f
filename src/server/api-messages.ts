/** Routes on messages: the newest of a topic, and the way of one through all pipelines. */
import { z } from 'zod'
import { fail, suggestion } from '../core/errors.ts'
import type { Log, TopicInfo } from '../log/log.ts'
import { Budget, searchBackwards } from './message-search.ts'
import { messageView } from './message-view.ts'
import type { Monitor } from './monitor.ts'
import { Problem } from './problem.ts'
import { type Route, route } from './route.ts'
import type { MessagesPage } from './state.ts'
import { trace } from './trace.ts'

const mostMessages = 200
const pageBounds = { forMs: 2000, bytes: 64 * 1024 * 1024 }
const longestWord = 1000

const word = z.string().min(1).max(longestWord)

export function messageRoutes(log: Log, monitor: Monitor): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/topics/{name}/messages',
      summary:
        'the newest messages of a topic over all partitions, by key and id where they are given',
      params: z.object({ name: word }),
      query: z.strictObject({
        limit: z.coerce.number().int().min(1).max(mostMessages).default(50),
        before: z
          .string()
          .regex(/^\d{1,16}(\.\d{1,16})*$/, 'give back what `older` said')
          .max(100_000)
          .optional(),
        key: word.optional(),
        id: word.optional(),
      }),
      answer: { description: 'a MessagesPage' },
      handle: ({ params, query }) => messagesPage(log, params.name, query),
    }),
    route({
      method: 'get',
      path: '/api/trace',
      summary:
        'one message on its way through all topics, with what it was made of and what was made of it',
      query: z.strictObject({ id: word }),
      answer: { description: 'a Trace' },
      handle: ({ query }) => trace(log, monitor, query.id),
    }),
  ]
}

interface PageQuery {
  readonly limit: number
  readonly before?: string | undefined
  readonly key?: string | undefined
  readonly id?: string | undefined
}

async function messagesPage(log: Log, name: string, query: PageQuery): Promise<MessagesPage> {
  const topic = await topicNamed(log, name)
  const { limit, before, key, id } = query
  const offsets = before?.split('.').map(Number)
  if (offsets !== undefined && offsets.length !== topic.partitions) {
    throw new Problem(400, 'REQUEST_INVALID', 'query before: it is not of this topic')
  }
  const budget = new Budget(pageBounds)
  const result = await searchBackwards(log, topic, { key, id }, limit, budget, offsets)
  return {
    topic: name,
    messages: result.found.map(({ batch, index }) => messageView(batch, index)),
    older: result.before?.join('.') ?? null,
    searched: result.searched,
  }
}

async function topicNamed(log: Log, name: string): Promise<TopicInfo> {
  const topic = await log.topic(name)
  if (topic !== undefined) return topic
  const known = (await log.topics()).map((one) => one.name)
  throw fail('TOPIC_UNKNOWN', `topic ${name}: there is none; ${suggestion(name, known)}`)
}
