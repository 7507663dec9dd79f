/**
 * Takes replayed dead letters in again: the message goes through the steps as it did at first, but
 * nothing is written a second time and only what failed goes on from the step that failed. Where the
 * steps have changed so that this cannot be told any more, it stays a dead letter as it was.
 */
import { Batch } from '../core/batch.ts'
import { BatchBuilder } from '../core/batch-builder.ts'
import { withIdentity } from '../core/identity.ts'
import { Message } from '../core/message.ts'
import { type Codecs, prepared } from './codecs.ts'
import { deadHeaders } from './dead-letters.ts'
import { decodeValue, describeError, type Failure, Invalid, isOurs } from './decode.ts'
import type { Definition, RekeyStep } from './definition.ts'
import { patternFor, topicInputs } from './inputs.ts'
import { Counters, readStep } from './ledger.ts'
import { decodePair } from './pair-json.ts'
import { decodePairOf } from './pair-steps.ts'
import { goesPast } from './repartition.ts'
import { deleted, Rows, type ToldEntry } from './rows.ts'
import { runSteps } from './run-steps.ts'
import { drop, type StepContext, stepRow } from './step-context.ts'

/** A dead letter that goes in again. */
interface Letter {
  /** It alone, in the place of the message that failed: steps see it as they did at first. */
  readonly batch: Batch
  /** Of what failed: of the message, or of what a flatMap or join had made of it. */
  readonly id: string
  readonly step: string
  /** Behind a step with state: what that gave. */
  readonly entry: ToldEntry | undefined
}

/** Where a letter goes in, and from which step on it counts. */
interface Way {
  readonly entry: number
  readonly resume: number
  decode(): unknown
  /** The value is not changed by being decoded. */
  readonly isPlain: boolean
}

/** Rows of the replay topic, one after the other: each has an entry of its own. */
export async function runReplays(
  definition: Definition,
  rows: Rows,
  context: StepContext,
): Promise<void> {
  for (let index = 0; index < rows.batch.count; index++) {
    const letter = letterOf(rows.batch, index)
    const before = context.failures.length
    const failure = await runReplay(definition, letter, context)
    if (failure !== undefined) {
      const { id, step: letterStep, entry } = letter
      context.failures.push({ origin: 0, step: 0, id, letterStep, entry, ...failure })
      context.counters.add(0, 'deadLettered', 1)
    }
    for (let place = before; place < context.failures.length; place++) {
      const failure = context.failures[place]!
      // What a timer gave meanwhile is no letter.
      if (failure.batch === undefined) context.failures[place] = { ...failure, origin: index }
    }
  }
}

type Words = Pick<Failure, 'error' | 'message'>

/** Gives back why the letter did not come to the step that failed: it stays a dead letter. */
async function runReplay(
  definition: Definition,
  letter: Letter,
  context: StepContext,
): Promise<Words | undefined> {
  const rows = new Rows(letter.batch)
  const { codecs } = context
  // Behind a join the value is a pair, which is JSON whatever its topics are.
  if (letter.entry === undefined) {
    await prepared(codecs.of(letter.batch.topic), letter.batch, context.retry)
  }
  let way: Way
  try {
    way = wayOf(definition, letter, codecs)
    rows.values[0] = way.decode()
  } catch (error) {
    if (isOurs(error)) throw error
    return describeError(error)
  }
  rows.count = 1
  rows.appended = way.isPlain ? [] : undefined
  if (letter.entry !== undefined) rows.entries = [letter.entry]
  const failure = await repeat(definition, way, letter, rows, context)
  if (failure !== undefined) return failure
  const { counters } = context
  counters.add(0, rows.count > 0 ? 'passed' : 'filtered', 1)
  counters.add(0, 'emitted', rows.count)
  counters.add(stepRow(way.resume), 'entered', rows.count)
  await runSteps(definition.steps, rows, context, way.resume)
  return undefined
}

/** Throws `Invalid` where the pipeline has changed too much. */
function wayOf(definition: Definition, { batch, step, entry: pair }: Letter, codecs: Codecs): Way {
  const { steps } = definition
  const where = pair === undefined ? inputOf(definition, batch, codecs) : behind(definition, pair)
  const { entry } = where
  const failed = step === readStep ? entry : steps.findIndex(({ name }) => name === step)
  if (failed < 0) throw isGone(`step '${step}'`)
  if (pair?.step === step) {
    const words = `step '${step}' threw in its timer, which is not called again`
    throw new Invalid(`${words}: drop the letter`)
  }
  if (failed < entry) {
    const sooner = pair === undefined ? `input '${batch.topic}' enters` : `step '${pair.step}'`
    throw new Invalid(`step '${step}' now lies before ${sooner}: ${putBack}`)
  }
  const keeping = steps.slice(entry, failed).find(({ kind }) => keepsMessages.includes(kind))
  if (keeping !== undefined) {
    const { kind, name } = keeping
    throw new Invalid(`${kind} '${name}' was put before step '${step}': ${putBack}`)
  }
  return { ...where, resume: failed }
}

/** Steps behind which a message is another one, or comes from elsewhere. */
const keepsMessages = ['join', 'keyBy', 'aggregate', 'keyed', 'pair']

const putBack = 'put it back, or drop the letter'

const isGone = (what: string) =>
  new Invalid(`${what} is there no more: rename it back, or drop the letter`)

function inputOf(definition: Definition, batch: Batch, codecs: Codecs): Omit<Way, 'resume'> {
  const input = topicInputs(definition).find(({ topic }) => topic.name === batch.topic)
  // A topic that matched may have been deleted since.
  const pattern = patternFor(definition, batch.topic)
  const isNone = input === undefined && pattern === undefined
  if (isNone && definition.inputs.every(({ kind }) => kind !== 'source')) {
    throw isGone(`input '${batch.topic}'`)
  }
  const { schema, format } = input?.topic ?? pattern ?? {}
  const codec = codecs.of(batch.topic)
  // Its codec was opened with the topic, where that is there.
  if (format !== undefined && codec === undefined) throw isGone(`input '${batch.topic}'`)
  const decode = () => decodeValue(batch, 0, schema, codec)
  const isPlain = schema === undefined && codec === undefined
  return { entry: input?.entry ?? 0, decode, isPlain }
}

function behind(definition: Definition, { step, json }: ToldEntry): Omit<Way, 'resume'> {
  const place = definition.steps.findIndex(({ name }) => name === step)
  const found = definition.steps[place]
  if (found?.kind === 'aggregate' || found?.kind === 'keyed') {
    return { entry: place + 1, decode: () => resultOf(json), isPlain: false }
  }
  if (found?.kind === 'pair') {
    return { entry: place + 1, decode: () => decodePairOf(found, JSON.parse(json)), isPlain: false }
  }
  if (found?.kind !== 'join') throw isGone(`step '${step}'`)
  const decode = () => decodePair(JSON.parse(json), found)
  return { entry: place + 1, decode, isPlain: false }
}

/** What a step with state gave; null: what it had given before was taken back. */
const resultOf = (json: string): unknown => (JSON.parse(json) as unknown) ?? deleted

/**
 * The steps before the one that failed, without a trace: they did their part. What is left is the
 * row that failed, or none where a step filters it now.
 */
async function repeat(
  { steps }: Definition,
  { entry, resume }: Way,
  { id, step }: Letter,
  rows: Rows,
  context: StepContext,
): Promise<Words | undefined> {
  const failures: Failure[] = []
  const counters = new Counters(steps.map(({ name }) => name))
  const muted = { ...context, counters, failures, write: () => undefined, repartition: leave }
  for (let index = entry; index < resume && rows.count > 0; index++) {
    const { kind, name } = steps[index]!
    const parent = rows.id(0)
    await runSteps(steps.slice(0, index + 1), rows, muted, index)
    if (failures[0] !== undefined) {
      const { error, message } = failures[0]
      return { error, message }
    }
    if (kind !== 'flatMap' || rows.count === 0) continue
    if (!id.startsWith(`${parent}/${name}/`)) return notMet(id, step)
    keepOnly(rows, id)
  }
  return rows.count > 0 && rows.id(0) !== id ? notMet(id, step) : undefined
}

const leave = (step: RekeyStep, _: number, rows: Rows) => {
  if (goesPast(step, rows)) return
  rows.count = 0
}

const notMet = (id: string, step: string): Words =>
  describeError(
    new Invalid(
      `step '${step}' meets no message ${id} now, as a flatMap before it changed: ${putBack}`,
    ),
  )

/** Of what a flatMap gave, only what failed or became what failed: the others went on at once. */
function keepOnly(rows: Rows, id: string): void {
  const others = new Set<number>()
  for (let row = 0; row < rows.count; row++) {
    const isIt = rows.id(row) === id || id.startsWith(`${rows.id(row)}/`)
    if (!isIt) others.add(row)
  }
  drop(rows, others)
}

function letterOf(replays: Batch, index: number): Letter {
  const { key, value, time, headers, id, version } = new Message(replays, index)
  const text = (name: string) => headers.find((one) => one.key === name)?.value?.toString()
  const number = (name: string, other: number) => Number(text(name) ?? other)
  const topic = text(deadHeaders.topic) ?? replays.topic
  const builder = new BatchBuilder(topic, number(deadHeaders.partition, replays.partition))
  // What goes on is no dead letter any more.
  const told: ReadonlySet<string> = new Set(Object.values(deadHeaders))
  const others = headers.filter((one) => !told.has(one.key))
  builder.append(key, value, time, withIdentity(others, { id, version }))
  const offset = number(deadHeaders.offset, replays.offsets[index]!)
  const offsets = Float64Array.of(offset)
  const batch = new Batch({ ...builder.build(), origin: replays.origin, offsets })
  const join = text(deadHeaders.entry)
  const identity = { id, version, time }
  return {
    batch,
    id: text(deadHeaders.id) ?? id,
    step: text(deadHeaders.step) ?? readStep,
    entry: join === undefined ? undefined : { step: join, identity, json: String(value) },
  }
}
