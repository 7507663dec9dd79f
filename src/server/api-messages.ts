/** Routes on messages: the newest of a topic, and the way of one through all pipelines. */
import { z } from 'zod'
import { fail, suggestion } from '../core/errors.ts'
import type { Log, TopicInfo } from '../log/log.ts'
import { deadLetters } from '../pipeline/dead-letter-store.ts'
import { deadLetterTopic } from '../pipeline/dead-letters.ts'
import { isInternalName } from '../pipeline/internal-names.ts'
import { Budget, searchBackwards } from './message-search.ts'
import { deadLetterView, messageView } from './message-view.ts'
import type { Monitor } from './monitor.ts'
import { Problem } from './problem.ts'
import { type Route, route } from './route.ts'
import type { DeadLetterView, MessagesPage, Trace } from './state.ts'

const mostMessages = 200
const pageBounds = { forMs: 2000, bytes: 64 * 1024 * 1024 }
const traceBounds = { forMs: 4000, bytes: 128 * 1024 * 1024 }
const mostStopsOfTopic = 20
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
      summary: 'one message on its way through all topics, what was derived from it included',
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

async function trace(log: Log, monitor: Monitor, id: string): Promise<Trace> {
  const budget = new Budget(traceBounds)
  const topics = new Map((await log.topics()).map((topic) => [topic.name, topic]))
  const stops: Trace['stops'][number][] = []
  let isComplete = true
  for (const { topic, writtenBy } of inOrder(topics, monitor)) {
    const wanted = { id, derived: true }
    const { found, searched } = await searchBackwards(log, topic, wanted, mostStopsOfTopic, budget)
    isComplete &&= searched.isComplete
    for (const { batch, index } of found.toReversed()) {
      stops.push({ topic: topic.name, writtenBy, message: messageView(batch, index) })
    }
  }
  const letters: DeadLetterView[] = []
  for (const { name } of monitor.state.pipelines) {
    if (!topics.has(deadLetterTopic(name))) continue
    if (budget.isSpent) isComplete = false
    else letters.push(...(await lettersOf(log, name, id)))
  }
  const { messages, bytes } = budget
  return { id, stops, deadLetters: letters, searched: { messages, bytes, isComplete } }
}

async function lettersOf(log: Log, pipeline: string, id: string): Promise<DeadLetterView[]> {
  const letters: DeadLetterView[] = []
  for await (const letter of deadLetters(log, pipeline, { id })) {
    letters.push(deadLetterView(letter))
    if (letters.length >= mostStopsOfTopic) break
  }
  return letters
}

/** Topics of people, those nobody writes first, then as pipelines write them. */
function inOrder(
  topics: ReadonlyMap<string, TopicInfo>,
  monitor: Monitor,
): { readonly topic: TopicInfo; readonly writtenBy: readonly string[] }[] {
  const writers = new Map<string, string[]>()
  for (const { name, plan } of monitor.state.pipelines) {
    for (const output of plan?.outputs ?? []) {
      if (output.kind === 'topic')
        writers.set(output.name, [...(writers.get(output.name) ?? []), name])
    }
  }
  const written = [...writers.keys()]
  const others = [...topics.keys()].filter((name) => !isInternalName(name) && !writers.has(name))
  return [...others, ...written].flatMap((name) => {
    const topic = topics.get(name)
    return topic === undefined ? [] : [{ topic, writtenBy: writers.get(name) ?? [] }]
  })
}

async function topicNamed(log: Log, name: string): Promise<TopicInfo> {
  const topic = await log.topic(name)
  if (topic !== undefined) return topic
  const known = (await log.topics()).map((one) => one.name)
  throw fail('TOPIC_UNKNOWN', `topic ${name}: there is none; ${suggestion(name, known)}`)
}
