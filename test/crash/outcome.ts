/**
 * What a run of the application comes to: everything that it wrote, kept and counted, in a shape in
 * which two runs can be compared by id and value.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { messagesOf } from '../../src/core/message.ts'
import type { Log } from '../../src/log/log.ts'
import { loadApp } from '../../src/pipeline/app.ts'
import { type Audit, audit } from '../../src/pipeline/audit.ts'
import { readDeadLetter } from '../../src/pipeline/dead-letters.ts'

export interface Outcome {
  /** By topic and partition, the messages in their order. */
  readonly topics: ReadonlyMap<string, readonly Entry[]>
  readonly deadLetters: ReadonlyMap<string, readonly Entry[]>
  /** Lines of the file, in their order. */
  readonly lines: readonly Entry[]
  /** What still waits in the join. */
  readonly waiting: ReadonlyMap<string, string>
  /** By pipeline and step, what the ledger counts. */
  readonly ledger: Readonly<Record<string, unknown>>
}

export interface Entry {
  readonly id: string
  /** All else of it that has to be the same. */
  readonly text: string
}

const topicNames = [
  ...['orders', 'truths', 'notes', 'scored', 'matched', 'grouped', 'late-orders', 'pauses'],
]

export async function outcomeOf(log: Log, directory: string): Promise<Outcome> {
  const topics = new Map<string, Entry[]>()
  for (const name of topicNames) await addTopic(log, name, topics)
  const deadLetters = new Map<string, Entry[]>()
  for (const { pipeline } of await audits(log)) {
    deadLetters.set(pipeline, await deadLettersOf(log, pipeline))
  }
  return {
    topics,
    deadLetters,
    lines: linesOf(join(directory, 'matched.ndjson')),
    waiting: await waitingOf(log, topics),
    ledger: ledgerOf(await audits(log)),
  }
}

export async function audits(log: Log): Promise<Audit[]> {
  const app = await loadApp(join(import.meta.dirname, 'app.ts'))
  const found: Audit[] = []
  for (const definition of app.pipelines) found.push(await audit(log, definition))
  return found
}

async function addTopic(log: Log, name: string, topics: Map<string, Entry[]>): Promise<void> {
  const partitions = (await log.topic(name))?.partitions ?? 0
  for (let partition = 0; partition < partitions; partition++) {
    const entries: Entry[] = []
    for await (const batch of batchesOf(log, name, partition)) {
      for (const { id, version, key, time, value } of messagesOf(batch)) {
        entries.push({ id, text: `${version} ${key} ${time} ${value}` })
      }
    }
    topics.set(`${name}/${partition}`, entries)
  }
}

async function* batchesOf(log: Log, topic: string, partition: number) {
  for (let offset = 0; ; ) {
    const batch = await log.read(topic, partition, offset)
    if (batch === undefined) return
    yield batch
    offset = batch.nextOffset
  }
}

/**
 * All but when they failed, and where the message was: two inputs of a join, and the messages that
 * several lanes write to one topic, lie in another order each time.
 */
async function deadLettersOf(log: Log, pipeline: string): Promise<Entry[]> {
  const topic = `${pipeline}.dead-letters`
  const entries: Entry[] = []
  const partitions = (await log.topic(topic))?.partitions ?? 0
  for (let partition = 0; partition < partitions; partition++) {
    for await (const batch of batchesOf(log, topic, partition)) {
      for (let index = 0; index < batch.count; index++) {
        const { id, step, error, message, tries, value } = readDeadLetter(batch, index)
        const text = `${error}: ${message} ${tries} ${value}`
        entries.push({ id: `${step}:${id}`, text })
      }
    }
  }
  return entries
}

function linesOf(path: string): Entry[] {
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  assert.ok(text === '' || text.endsWith('\n'), `${path} ends in the middle of a line`)
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const { id, ...others } = JSON.parse(line) as { id: string }
      return { id, text: JSON.stringify(others) }
    })
}

async function waitingOf(
  log: Log,
  topics: ReadonlyMap<string, readonly Entry[]>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const partition of [0, 1]) {
    const entries = ['truths', 'scored'].flatMap((name) => topics.get(`${name}/${partition}`) ?? [])
    const items = entries.map(({ text }) => text.split(' ')[1]!)
    const keys = [...new Set(items)].flatMap((item) => [`left:${item}`, `right:${item}`])
    for (const [key, value] of await log.state('match.truth', partition, keys)) {
      found.set(`${partition} ${key}`, value.toString())
    }
  }
  return found
}

function ledgerOf(all: readonly Audit[]): Record<string, unknown> {
  return Object.fromEntries(
    all.map(({ pipeline, steps }) => [pipeline, Object.fromEntries([...steps].sort())]),
  )
}

/** Throws, in words, where an outcome is not that of the undisturbed run. */
export function assertSame(actual: Outcome, expected: Outcome): void {
  for (const [place, entries] of expected.topics) {
    compare(place, actual.topics.get(place) ?? [], entries)
  }
  for (const [pipeline, entries] of expected.deadLetters) {
    compare(`dead letters of ${pipeline}`, actual.deadLetters.get(pipeline) ?? [], entries)
  }
  compare('lines of the file', actual.lines, expected.lines)
  assert.deepEqual(new Map([...actual.waiting].sort()), new Map([...expected.waiting].sort()))
  assert.deepEqual(actual.ledger, expected.ledger)
  assertOrder(actual, expected)
}

/** The same ids, each once, with the same text. */
function compare(where: string, actual: readonly Entry[], expected: readonly Entry[]): void {
  const wanted = new Map(expected.map(({ id, text }) => [id, text]))
  const seen = new Map<string, string>()
  const wrong: string[] = []
  for (const { id, text } of actual) {
    if (seen.has(id)) wrong.push(`twice: ${id}`)
    seen.set(id, text)
    const want = wanted.get(id)
    if (want === undefined) wrong.push(`not to be there: ${id} ${text}`)
    else if (want !== text) wrong.push(`differs: ${id} is ${text}, should be ${want}`)
  }
  for (const id of wanted.keys()) if (!seen.has(id)) wrong.push(`lost: ${id}`)
  const some = wrong.slice(0, 8).join('\n  ')
  assert.equal(wrong.length, 0, `${where}: ${wrong.length} wrong of ${expected.length}\n  ${some}`)
}

/**
 * Order within a partition. What one lane writes alone is the same list; where several write to one
 * partition each one's messages are in order; the file has each partition in the partition's order.
 */
function assertOrder(actual: Outcome, expected: Outcome): void {
  const ids = (entries: readonly Entry[] | undefined) => (entries ?? []).map(({ id }) => id)
  const places = [...expected.topics.keys()]
  for (const place of places.filter((one) => /^(orders|truths|notes)\//.test(one))) {
    assert.deepEqual(ids(actual.topics.get(place)), ids(expected.topics.get(place)), place)
  }
  const writerOf = new Map<string, string>()
  for (const place of places.filter((one) => one.startsWith('orders/'))) {
    for (const { id } of expected.topics.get(place)!) writerOf.set(id, place)
  }
  for (const place of places.filter((one) => one.startsWith('scored/'))) {
    for (const writer of new Set(writerOf.values())) {
      const from = (outcome: Outcome) =>
        ids(outcome.topics.get(place)).filter((id) => writerOf.get(id.split('/')[0]!) === writer)
      assert.deepEqual(from(actual), from(expected), `${place}, written from ${writer}`)
    }
  }
  for (const partition of [0, 1]) {
    const lines = actual.lines.filter(({ text }) => text.includes(`"partition":${partition}}`))
    assert.deepEqual(ids(lines), ids(actual.topics.get(`matched/${partition}`)), 'order of lines')
  }
}
