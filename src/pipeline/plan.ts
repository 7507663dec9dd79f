/** The plan of an application: plain data that says what will run, before anything runs. */
import { createHash } from 'node:crypto'
import { durationText } from '../core/duration.ts'
import { fail } from '../core/errors.ts'
import { defaultTopicSettings, type TopicSettings } from '../log/log.ts'
import type { Window } from '../transforms/window.ts'
import { deadLetterTopic, replayTopic } from './dead-letters.ts'
import type { AnyTopic, Definition, Step, Target } from './definition.ts'
import {
  checkReadOnce,
  namedInputs,
  originsOf,
  patternFor,
  patternsOf,
  repartitions,
  repartitionTopic,
  topicOutputs,
} from './inputs.ts'
import { isTimedKind } from './state-store.ts'

export { topicInputs, topicOutputs } from './inputs.ts'

export interface PlannedInput {
  /** `topics` are all whose names match the pattern that is its name. */
  readonly kind: 'topic' | 'topics' | 'source'
  readonly name: string
  readonly guarantee: string
  /** The step that its messages go to first. */
  readonly entry: number
}

export interface PlannedStep {
  readonly name: string
  readonly kind: Step['kind']
  readonly model?: string
  readonly topic?: string
  readonly what?: string
  readonly window?: Window
  /** What it reckons, by field. */
  readonly aggregate?: string
}

export interface PlannedOutput {
  readonly kind: 'topic' | 'sink'
  readonly name: string
  readonly step: string
  readonly guarantee: string
  /** Which of the step's messages are written there: those that passed, unless it says otherwise. */
  readonly of?: 'late' | 'absorbed'
  /** Of a join: those of the topic that it reads by itself are counted, and written nowhere. */
  readonly isOfOneSide?: boolean
}

export interface PipelinePlan {
  readonly name: string
  readonly hash: string
  readonly inputs: readonly PlannedInput[]
  readonly steps: readonly PlannedStep[]
  readonly outputs: readonly PlannedOutput[]
  readonly deadLetters: string
}

export interface TopicPlan {
  readonly name: string
  readonly settings: TopicSettings
  /** The settings that the declaration asks for; the others may be as they are. */
  readonly declared: Partial<TopicSettings>
  readonly writtenBy: readonly string[]
  readonly readBy: readonly string[]
  readonly internal: boolean
}

export interface Plan {
  /** In topological order: whoever writes a topic stands before whoever reads it. */
  readonly pipelines: readonly PipelinePlan[]
  readonly topics: readonly TopicPlan[]
}

/** Plans all pipelines of an application. Throws `PIPELINE_INVALID`, `TOPIC_DIFFERS`. */
export function planOf(definitions: readonly Definition[]): Plan {
  const names = definitions.map((definition) => definition.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw fail('PIPELINE_INVALID', `two pipelines are called '${twice}'; give one another name`)
  }
  for (const definition of definitions) checkOutputs(definition)
  checkDestinations(definitions)
  const topics = topicsOf(definitions)
  for (const definition of definitions) {
    checkJoins(definition, topics)
    checkKeys(definition)
    checkReadOnce(definition)
  }
  return {
    pipelines: inOrder(definitions).map(pipelinePlan),
    topics: [...topics.values()].sort((a, b) => Number(a.internal) - Number(b.internal)),
  }
}

/** What goes nowhere would be consumed and forgotten. */
function checkOutputs({ name, steps }: Definition): void {
  if (steps.some((step) => step.kind === 'to')) return
  throw fail('PIPELINE_INVALID', `pipeline ${name}: it writes nothing; end it with .to(...)`)
}

/** Two hands on one file would wait for each other for ever. */
function checkDestinations(definitions: readonly Definition[]): void {
  const writers = new Map<string, string>()
  for (const { name, steps } of definitions) {
    for (const step of steps) {
      if (step.kind !== 'to' || step.target.kind !== 'sink') continue
      const { part, destination } = step.target.sink
      if (destination === undefined) continue
      const here = `pipeline ${name}, step ${step.name}`
      const other = writers.get(`${part} ${destination}`)
      if (other !== undefined) {
        throw fail(
          'PIPELINE_INVALID',
          `${here} and ${other} both write ${destination}; give each its own`,
        )
      }
      writers.set(`${part} ${destination}`, here)
    }
  }
}

/** The name under which a group keeps the position of a source. */
export const sourceTopic = (
  pipeline: { readonly name: string },
  input: { readonly name: string },
) => `${pipeline.name}.${input.name}`

/** True when a sink takes all partitions through one hand, in one process. */
export const isExclusive = (definition: Definition) =>
  definition.steps.some(
    (step) => step.kind === 'to' && step.target.kind === 'sink' && step.target.sink.single,
  )

function topicsOf(definitions: readonly Definition[]): Map<string, TopicPlan> {
  const plans = new Map<string, TopicPlan>()
  const add = (name: string, declared: Partial<TopicSettings>, use: Partial<TopicPlan>) => {
    const known = plans.get(name)
    if (known !== undefined) checkSame(name, known.declared, declared)
    const merged = { ...known?.declared, ...declared }
    plans.set(name, {
      name,
      declared: merged,
      settings: { ...defaultTopicSettings, ...merged },
      writtenBy: [...(known?.writtenBy ?? []), ...(use.writtenBy ?? [])],
      readBy: [...(known?.readBy ?? []), ...(use.readBy ?? [])],
      internal: known?.internal ?? use.internal ?? false,
    })
  }
  for (const definition of definitions) {
    const { name } = definition
    for (const { topic } of namedInputs(definition))
      add(topic.name, topic.settings, { readBy: [name] })
    for (const topic of topicOutputs(definition))
      add(topic.name, topic.settings, { writtenBy: [name] })
  }
  for (const definition of definitions) {
    const { name } = definition
    const patterned = [...plans.keys()].filter((one) => patternFor(definition, one) !== undefined)
    for (const topic of patterned) add(topic, {}, { readBy: [name] })
    const counts = namedInputs(definition).map(({ topic }) => plans.get(topic.name)!.settings)
    if (patternsOf(definition).length > 0) counts.push(defaultTopicSettings)
    const partitions = Math.max(1, ...counts.map((settings) => settings.partitions))
    const maxMessageBytes = Math.max(
      defaultTopicSettings.maxMessageBytes,
      ...counts.map((settings) => settings.maxMessageBytes + 64 * 1024),
    )
    const settings = { partitions, maxMessageBytes }
    const dead = { ...settings, cleanup: 'compact' } as const
    for (const { topic } of repartitions(definition)) {
      add(topic.name, settings, { readBy: [name], writtenBy: [name], internal: true })
    }
    add(deadLetterTopic(name), dead, { writtenBy: [name], internal: true })
    add(replayTopic(name), settings, { readBy: [name], internal: true })
  }
  return plans
}

function checkSame(name: string, one: Partial<TopicSettings>, other: Partial<TopicSettings>): void {
  for (const key of Object.keys(other) as (keyof TopicSettings)[]) {
    if (one[key] === undefined || other[key] === undefined || one[key] === other[key]) continue
    throw fail(
      'TOPIC_DIFFERS',
      `topic ${name} is declared twice, with ${key} ${one[key]} and ${other[key]}; declare it once and share it`,
    )
  }
}

/** Both sides of a join meet in one partition, so they need the same number of them. */
function checkJoins(definition: Definition, topics: Map<string, TopicPlan>): void {
  const joins = definition.steps.filter((step) => step.kind === 'join')
  if (joins.length === 0) return
  if (definition.inputs.some((input) => input.kind === 'source')) {
    throw fail(
      'PIPELINE_INVALID',
      `pipeline ${definition.name}: a join needs topics on both sides; write the source to a topic first`,
    )
  }
  if (patternsOf(definition).length > 0) {
    throw fail(
      'PIPELINE_INVALID',
      `pipeline ${definition.name}: a join needs topics by their names, with the same number of partitions; write what matches a pattern to a topic first`,
    )
  }
  // What comes from an origin goes by its key through a topic of the pipeline's own.
  const origins = originsOf(definition).map(({ topic }) => topic.name)
  const sides = namedInputs(definition)
    .filter(({ topic }) => !origins.includes(topic.name))
    .map(({ topic }) => topics.get(topic.name)!)
  const different = sides.find((side) => side.settings.partitions !== sides[0]!.settings.partitions)
  if (different === undefined) return
  throw fail(
    'PIPELINE_INVALID',
    `pipeline ${definition.name}: topics ${sides[0]!.name} (${sides[0]!.settings.partitions} partitions) and ${different.name} (${different.settings.partitions}) cannot be joined; give both the same number`,
  )
}

/** A source has no keys of which one partition has all. */
function checkKeys({ name, inputs, steps }: Definition): void {
  if (inputs.every((input) => input.kind !== 'source')) return
  const step = steps.find(({ kind }) => kind === 'keyBy' || isTimedKind(kind))
  if (step === undefined || step.kind === 'keyBy') return
  throw fail(
    'PIPELINE_INVALID',
    `pipeline ${name}, step '${step.name}': it reads a source, whose messages have no key to keep them together; give keyBy a function`,
  )
}

function pipelinePlan(definition: Definition): PipelinePlan {
  const sources = definition.inputs.flatMap((input) => (input.kind === 'source' ? [input] : []))
  const inputs: PlannedInput[] = [
    ...sources.map((input) => ({
      kind: 'source' as const,
      name: input.name,
      guarantee: sourceGuarantees[input.source.replay],
      entry: 0,
    })),
    ...[...namedInputs(definition), ...repartitions(definition)].map(({ topic, entry }) => ({
      kind: 'topic' as const,
      name: topic.name,
      guarantee: 'exactly once',
      entry,
    })),
    ...patternsOf(definition).map(({ name }) => ({
      kind: 'topics' as const,
      name,
      guarantee: 'exactly once',
      entry: 0,
    })),
  ]
  const steps = definition.steps.map(stepPlan)
  const outputs = definition.steps.flatMap((step) => outputPlans(definition, step))
  const hash = createHash('sha256').update(JSON.stringify({ inputs, steps, outputs })).digest('hex')
  const { name } = definition
  return {
    name,
    hash: hash.slice(0, 12),
    inputs,
    steps,
    outputs,
    deadLetters: deadLetterTopic(name),
  }
}

const sourceGuarantees = {
  exact: 'exactly once',
  overlap: 'exactly once, by a bounded set of recent ids',
  none: 'what the sender sends again',
}

function stepPlan(step: Step): PlannedStep {
  const { name, kind } = step
  if (kind === 'predict') return { name, kind, model: step.model.name }
  if (kind === 'join') return { name, kind, topic: step.other.name }
  if (kind === 'origin') return { name, kind, topic: step.topic.name }
  if (kind === 'lookup') return { name, kind, what: `${step.how} look-up in ${step.lookup.place}` }
  if (kind === 'keyed') {
    return { name, kind, what: step.what, ...(step.table && { topic: step.table.name }) }
  }
  if (kind === 'pair') {
    const { other, withinMs, how } = step
    const what = `${how} join with topic ${other.name} within ${durationText(withinMs)}`
    return { name, kind, what, topic: other.name }
  }
  if (kind !== 'aggregate') return { name, kind }
  const { name: of, version } = step.aggregator
  // Of a user's own: another version is another plan, so that older processes leave.
  const aggregate = version === 1 ? of : `${of} v${version}`
  return { name, kind, window: step.window, aggregate }
}

function outputPlans(definition: Definition, step: Step): PlannedOutput[] {
  const { kind, name } = step
  const pipeline = definition.name
  const toTopic = (topic: string): PlannedOutput => {
    return { kind: 'topic', name: topic, step: name, guarantee: 'exactly once' }
  }
  if (kind === 'to') return [outputPlan(name, step.target)]
  if (kind === 'keyBy') return [toTopic(repartitionTopic(pipeline, name))]
  if (kind === 'origin') {
    const writer = originsOf(definition, step.topic.name)[0]!.name
    return [{ ...toTopic(repartitionTopic(pipeline, name)), step: writer, of: 'absorbed' }]
  }
  if ((kind === 'aggregate' || kind === 'keyed') && step.late)
    return [{ ...toTopic(step.late.name), of: 'late' }]
  // Late ones of the other side have no place that takes them.
  if (kind === 'pair' && step.late) {
    return [{ ...toTopic(step.late.name), of: 'late', isOfOneSide: true }]
  }
  return []
}

function outputPlan(step: string, target: Target): PlannedOutput {
  if (target.kind === 'topic') {
    return { kind: 'topic', name: target.topic.name, step, guarantee: 'exactly once' }
  }
  const { part, delivery } = target.sink
  const guarantee =
    delivery === 'keyed'
      ? 'each message once by its id (written again after a crash, to the same place)'
      : 'exactly once (cut back to the committed position after a crash)'
  return { kind: 'sink', name: part, step, guarantee }
}

/** Writers before readers; pipelines in a loop keep the order they were exported in. */
function inOrder(definitions: readonly Definition[]): Definition[] {
  const ordered: Definition[] = []
  const visiting = new Set<Definition>()
  const visit = (definition: Definition) => {
    if (ordered.includes(definition) || visiting.has(definition)) return
    visiting.add(definition)
    const read = new Set(namedInputs(definition).map(({ topic }) => topic.name))
    const reads = ({ name }: AnyTopic) =>
      read.has(name) || patternFor(definition, name) !== undefined
    for (const other of definitions) {
      if (topicOutputs(other).some(reads)) visit(other)
    }
    ordered.push(definition)
  }
  for (const definition of definitions) visit(definition)
  return ordered
}
