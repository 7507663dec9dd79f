/**
 * "What happened to this one?": looks through all topics, from their ends backwards, for a message,
 * what it was made of and what was made of it. All topics share one budget, each a fair part of it.
 */
import type { Batch } from '../core/batch.ts'
import type { Log, TopicInfo } from '../log/log.ts'
import { deadLetterTopic, readDeadLetter } from '../pipeline/dead-letters.ts'
import { isInternalName } from '../pipeline/internal-names.ts'
import { Lineage } from './message-lineage.ts'
import { Budget, type Found, searchBackwards, type Wanted } from './message-search.ts'
import { deadLetterView, messageView } from './message-view.ts'
import type { Monitor } from './monitor.ts'
import type { DeadLetterView, Trace } from './state.ts'

const bounds = { forMs: 4000, bytes: 128 * 1024 * 1024 }
const mostStopsOfTopic = 20
/** A letter that failed again and again is there more than once, with what dealt with it between. */
const mostLettersRead = 100

/** Where is looked, and what was found there so far. */
interface Place {
  readonly topic: TopicInfo
  readonly wanted: Wanted
  readonly most: number
  readonly found: Found[]
  before: readonly number[] | undefined
  isDone: boolean
}

/** `budget` is for tests. */
export async function trace(
  log: Log,
  monitor: Monitor,
  id: string,
  budget = new Budget(bounds),
): Promise<Trace> {
  const topics = new Map((await log.topics()).map((topic) => [topic.name, topic]))
  const lineage = new Lineage(id)
  const stops = inOrder(topics, monitor).map((one) => ({
    ...one,
    place: placeOf(one.topic, { lineage }, mostStopsOfTopic),
  }))
  const letters = monitor.state.pipelines.flatMap(({ name }) => {
    const topic = topics.get(deadLetterTopic(name))
    const wanted = { isWanted: isLetterOf(lineage) }
    return topic === undefined
      ? []
      : [{ pipeline: name, place: placeOf(topic, wanted, mostLettersRead) }]
  })
  const places = [...stops, ...letters].map(({ place }) => place)
  await searchAll(log, places, budget)
  const { messages, bytes } = budget
  const isComplete = lineage.isWhole && places.every(({ isDone }) => isDone)
  return {
    id,
    stops: stops.flatMap(({ topic, writtenBy, place }) =>
      place.found.toReversed().map(({ batch, index }) => ({
        ...{ topic: topic.name, writtenBy },
        message: messageView(batch, index),
      })),
    ),
    deadLetters: letters.flatMap(({ pipeline, place }) => waitingIn(place.found, pipeline)),
    searched: { messages, bytes, isComplete },
  }
}

const placeOf = (topic: TopicInfo, wanted: Wanted, most: number): Place => ({
  ...{ topic, wanted, most },
  ...{ found: [], before: undefined, isDone: false },
})

/** What one topic leaves of its part goes to the others; then those that were not done go on. */
async function searchAll(log: Log, places: readonly Place[], budget: Budget): Promise<void> {
  let open = places
  do {
    for (const [index, place] of open.entries()) {
      const { topic, wanted, most, found, before } = place
      const part = budget.share(open.length - index)
      const limit = most - found.length
      const result = await searchBackwards(log, topic, wanted, limit, part, before)
      found.push(...result.found)
      place.before = result.before
      place.isDone = result.searched.isComplete
    }
    open = open.filter(({ isDone }) => !isDone)
  } while (open.length > 0 && !budget.isSpent)
}

/** Tombstones too: they say that a letter was dealt with. */
function isLetterOf(lineage: Lineage): (batch: Batch, index: number) => boolean {
  return (batch, index) => {
    const key = keyOf(batch, index)
    return lineage.has(key.slice(key.indexOf(':') + 1))
  }
}

/** Of the newest first: what is newest under its key counts, and a tombstone is no letter. */
function waitingIn(found: readonly Found[], pipeline: string): DeadLetterView[] {
  const known = new Set<string>()
  const letters: DeadLetterView[] = []
  for (const { batch, index } of found) {
    const key = `${batch.partition}/${keyOf(batch, index)}`
    const isDealtWith = known.has(key) || batch.valueStarts[index]! < 0
    known.add(key)
    if (isDealtWith || letters.length >= mostStopsOfTopic) continue
    letters.push(deadLetterView({ ...readDeadLetter(batch, index), pipeline }))
  }
  return letters
}

/** As `deadLetterKey` made it: names of steps have no colon. */
function keyOf(batch: Batch, index: number): string {
  const start = batch.keyStarts[index]!
  return start < 0 ? '' : batch.bytes.toString('utf8', start, batch.keyEnds[index]!)
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
