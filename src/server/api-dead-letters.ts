/** Routes on dead letters: shown by what went wrong, replayed, dropped. */
import { z } from 'zod'
import type { Log } from '../log/log.ts'
import {
  deadLetters,
  dropDeadLetters,
  type KeptDeadLetter,
  replayDeadLetters,
} from '../pipeline/dead-letter-store.ts'
import { deadLetterResult } from './answers.ts'
import { deadLetterView } from './message-view.ts'
import { type Route, route } from './route.ts'
import type { DeadLetterGroup, DeadLetterResult, DeadLettersPage } from './state.ts'

const mostCounted = 100_000
const mostMs = 3000
const shownOfGroup = 50
const mostIds = 1000
const longestId = 1000

const params = z.object({ pipeline: z.string().min(1).max(300) })

const order = z.strictObject({
  ids: z.array(z.string().max(longestId)).min(1).max(mostIds),
  step: z.string().max(300).optional(),
})

export function deadLetterRoutes(log: Log): Route[] {
  const works = [
    { name: 'replay', work: replayDeadLetters, words: 'sends them through the pipeline again' },
    { name: 'drop', work: dropDeadLetters, words: 'forgets them' },
  ]
  return [
    route({
      method: 'get',
      path: '/api/dead-letters/{pipeline}',
      summary: 'the dead letters of a pipeline by step and error, the commonest first',
      params,
      answer: { description: 'a DeadLettersPage' },
      handle: (request) => deadLettersPage(log, request.params.pipeline),
    }),
    ...works.map(({ name, work, words }) =>
      route({
        method: 'post',
        path: `/api/dead-letters/{pipeline}/${name}`,
        summary: words,
        params,
        body: order,
        answer: { description: 'a DeadLetterResult', schema: deadLetterResult },
        handle: async ({ params: { pipeline }, body }): Promise<DeadLetterResult> => {
          const selection = { ids: new Set(body.ids), step: body.step }
          const { done, cut } = await work(log, pipeline, selection)
          return { done, cut }
        },
      }),
    ),
  ]
}

interface Group {
  count: number
  newestAtMs: number
  readonly letters: KeptDeadLetter[]
}

async function deadLettersPage(log: Log, pipeline: string): Promise<DeadLettersPage> {
  const groups = new Map<string, Group>()
  const untilMs = performance.now() + mostMs
  let counted = 0
  let isComplete = true
  for await (const letter of deadLetters(log, pipeline)) {
    add(groups, letter)
    counted++
    if (counted < mostCounted && performance.now() < untilMs) continue
    isComplete = false
    break
  }
  const all = [...groups.values()].sort((a, b) => b.count - a.count)
  return { pipeline, groups: all.map(shownGroup), isComplete }
}

function add(groups: Map<string, Group>, letter: KeptDeadLetter): void {
  const name = JSON.stringify([letter.step, letter.error])
  const group = groups.get(name) ?? { count: 0, newestAtMs: 0, letters: [] }
  groups.set(name, group)
  group.count++
  group.newestAtMs = Math.max(group.newestAtMs, letter.failedAtMs)
  group.letters.push(letter)
  if (group.letters.length >= 2 * shownOfGroup) keepNewest(group.letters)
}

function keepNewest(letters: KeptDeadLetter[]): void {
  letters.sort((a, b) => b.failedAtMs - a.failedAtMs)
  letters.length = Math.min(letters.length, shownOfGroup)
}

function shownGroup({ count, newestAtMs, letters }: Group): DeadLetterGroup {
  keepNewest(letters)
  const { step, error } = letters[0]!
  return { step, error, count, newestAtMs, letters: letters.map(deadLetterView) }
}
