/**
 * Where a pipeline begins in a topic that it never read: at the earliest message unless the code or
 * `--start` says otherwise. The place is committed before anything is read, so it is decided once: a
 * restart goes on, and what came meanwhile is not skipped.
 */
import { fail, suggestion } from '../core/errors.ts'
import type { Checkpoint, GroupInfo, Log } from '../log/log.ts'
import { resetCheckpoint } from './checkpoint.ts'
import type { Definition } from './definition.ts'
import { patternFor, patternsOf, tablesOf, topicInputs, withTopicsOf } from './inputs.ts'
import { isInternalName } from './internal-names.ts'
import { offsetAt, type Position, positionText } from './position.ts'

/** What `--start` says of all topics, of one, or of one partition. */
export interface StartChoice {
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  readonly position: Position
}

export interface StartOptions {
  /** What `--start` said; empty: nothing. */
  readonly asked: readonly StartChoice[]
  readonly nowMs: number
  say(words: string): void
}

/** Throws `OPTIONS_INVALID` for a topic that no pipeline reads. */
export function checkStart(
  definitions: readonly Definition[],
  asked: readonly StartChoice[],
): void {
  const known = [...new Set(definitions.flatMap(topicsOf))]
  const isRead = (name: string) =>
    known.includes(name) || definitions.some((one) => patternFor(one, name) !== undefined)
  const wrong = asked.find(({ topic }) => topic !== undefined && !isRead(topic))?.topic
  if (wrong === undefined) return
  const names = [...known, ...definitions.flatMap(patternsOf).map(({ name }) => name)]
  const hint = suggestion(wrong, known) || `these read ${names.join(', ') || 'none'}`
  throw fail('OPTIONS_INVALID', `--start: no pipeline here reads a topic '${wrong}'; ${hint}`)
}

/** To be called while nobody else starts here, with the topics made. Throws `OPTIONS_INVALID`. */
export async function placeStarts(
  log: Log,
  definitions: readonly Definition[],
  options: StartOptions,
): Promise<void> {
  for (const definition of await withTopicsOf(log, definitions)) {
    const choices = choicesOf(definition, options.asked)
    if (choices.length > 0) await placeStart(log, definition, choices, options)
  }
}

/** What goes through a topic of the pipeline's own has begun before. */
const topicsOf = (definition: Definition): string[] =>
  [...new Set(topicInputs(definition).map(({ topic }) => topic.name))].filter(
    (name) => !isInternalName(name),
  )

/** The closer one comes first: of a partition, of a topic, of all, of the code. */
function choicesOf({ start }: Definition, asked: readonly StartChoice[]): readonly StartChoice[] {
  const nearness = (one: StartChoice) =>
    Number(one.topic !== undefined) + Number(one.partition !== undefined)
  const sorted = asked.toSorted((one, other) => nearness(other) - nearness(one))
  return start === undefined ? sorted : [...sorted, { position: start }]
}

async function placeStart(
  log: Log,
  definition: Definition,
  choices: readonly StartChoice[],
  { asked, nowMs, say }: StartOptions,
): Promise<void> {
  const { name } = definition
  const group = await log.group(name)
  const isAsked = asked.length > 0
  if (group !== undefined && group.members.length > 0) {
    if (isAsked) say(`--start has no effect on ${name}: another process runs it already`)
    return
  }
  const begun: Begun[] = []
  const tables = tablesOf(definition)
  for (const topic of topicsOf(definition)) {
    // What messages are looked up in is read whole, unless somebody means that very topic.
    const about = choices.filter((choice) => {
      return choice.topic === topic || (choice.topic === undefined && !tables.includes(topic))
    })
    const { starts, isBlocked } = await startsIn(log, group, topic, about, nowMs)
    begun.push(...starts)
    // What the code says holds for the first start only, and everybody knows.
    if (isBlocked && isAsked) {
      const why = `${name} goes on in ${topic} from its checkpoints`
      say(`--start has no effect there: ${why} (millrace groups reset ${name} moves them)`)
    }
  }
  if (begun.length === 0) return
  await log.resetGroup(name, begun.map(checkpointOf))
  for (const words of beginnings(begun)) say(`${name} begins ${words}`)
}

/** One partition that is to be read from elsewhere than its earliest message. */
interface Begun {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Offsets before it that are left out. */
  readonly skipped: number
  readonly position: Position
}

async function startsIn(
  log: Log,
  group: GroupInfo | undefined,
  topic: string,
  about: readonly StartChoice[],
  nowMs: number,
): Promise<{ readonly starts: Begun[]; readonly isBlocked: boolean }> {
  const partitions = (await log.topic(topic))?.partitions ?? 0
  checkPartitions(topic, partitions, about)
  const read = new Set(
    group?.checkpoints.filter((one) => one.topic === topic).map(({ partition }) => partition),
  )
  const starts: Begun[] = []
  let isBlocked = false
  for (let partition = 0; partition < partitions; partition++) {
    const choice = about.find((one) => one.partition === undefined || one.partition === partition)
    if (choice === undefined) continue
    // A partition that came later is read whole, or what was written to it first would be missed.
    if (read.has(partition) || (read.size > 0 && choice.partition === undefined)) {
      isBlocked = true
      continue
    }
    const { position } = choice
    if (position.kind === 'start') continue
    const { start } = await log.offsets(topic, partition)
    const offset = await offsetAt(log, topic, partition, position, nowMs)
    starts.push({ topic, partition, offset, skipped: Math.max(0, offset - start), position })
  }
  return { starts, isBlocked }
}

function checkPartitions(topic: string, partitions: number, about: readonly StartChoice[]): void {
  const wrong = about.find(({ partition = -1 }) => partition >= partitions)?.partition
  if (wrong === undefined) return
  const words = `topic ${topic} has the partitions 0 to ${partitions - 1}, and no ${wrong}`
  throw fail('OPTIONS_INVALID', `--start: ${words}`)
}

const checkpointOf = ({ topic, partition, offset }: Begun): Checkpoint => ({
  ...{ topic, partition, offset },
  metadata: JSON.stringify(resetCheckpoint(offset, undefined)),
})

/** A line a topic and place. */
function beginnings(begun: readonly Begun[]): string[] {
  const alike = Map.groupBy(begun, ({ topic, position }) => `${topic} at ${positionText(position)}`)
  return [...alike].map(([words, of]) => {
    const skipped = of.reduce((sum, one) => sum + one.skipped, 0)
    return `${words}: ${skipped.toLocaleString('en')} offsets before are left out`
  })
}
