/**
 * What of a pipeline is run over its history: the same steps, up to where the features of a message
 * are known. Nothing is written but the rows; inputs have one partition each, in the order of time.
 */
import { fail, suggestion } from '../core/errors.ts'
import type { TopicInfo } from '../log/log.ts'
import type { AnyTopic, Definition, Step } from './definition.ts'
import { namedInputs } from './inputs.ts'
import { sourceTopic } from './plan.ts'

/** Where rows come to. */
export const rowsTopic = 'millrace.history.rows'

export interface HistoryPlan {
  readonly definition: Definition
  /** The topics that are read, by their names. */
  readonly reads: readonly string[]
  /** Those of them whose messages rows are made of. */
  readonly main: readonly string[]
  /** The step that rows come to; undefined: they went through all. */
  readonly before: string | undefined
  /** The fields that features have. */
  readonly features: readonly string[]
}

/** What carries messages on with ids takes a little more room than they had. */
const identityBytes = 64 * 1024

/**
 * `before` is the step that the rows come to; without it the first `predict`, else the first `to` behind
 * all that adds something. Throws `STEP_UNKNOWN`, `TOPIC_UNKNOWN`, `PIPELINE_INVALID`.
 */
export function historyPlan(
  definition: Definition,
  topics: ReadonlyMap<string, TopicInfo>,
  before?: string,
): HistoryPlan {
  const end = endOf(definition, before)
  const kept = definition.steps.slice(0, end)
  for (const step of kept) checkStep(definition, step)
  const inputs = definition.inputs.flatMap((input) => {
    if (input.kind === 'source') throw readsSource(definition, input)
    return input.kind === 'topic' ? [input.topic] : input.matched
  })
  const single = (topic: AnyTopic) => singleOf(topic, topics)
  const steps = kept.flatMap((step) => (step.kind === 'to' ? [] : [withTopics(step, single)]))
  const cut: Definition = {
    ...definition,
    start: undefined,
    inputs: inputs.map((topic) => ({ kind: 'topic', topic: single(topic) })),
    steps: [...steps, rowsStep(steps)],
  }
  return {
    definition: cut,
    reads: [...new Set(namedInputs(cut).map(({ topic }) => topic.name))],
    main: inputs.map(({ name }) => name),
    before: definition.steps[end]?.name,
    features: kept.flatMap((step) => (step.kind === 'keyed' ? (step.adds ?? []) : [])),
  }
}

function endOf({ name, steps }: Definition, before: string | undefined): number {
  if (before !== undefined) {
    const found = steps.findIndex((step) => step.name === before)
    if (found >= 0) return found
    const names = steps.map((step) => step.name)
    const hint = suggestion(before, names) || `it has ${names.join(', ')}`
    throw fail('STEP_UNKNOWN', `history of pipeline ${name}: there is no step '${before}'; ${hint}`)
  }
  const predict = steps.findIndex(({ kind }) => kind === 'predict')
  if (predict >= 0) return predict
  const last = steps.findLastIndex((step) => step.kind === 'keyed' && step.adds !== undefined)
  const target = steps.findIndex(({ kind }, index) => kind === 'to' && index > last)
  return target < 0 ? steps.length : target
}

/** What would be another thing today than it was then. */
function checkStep({ name }: Definition, step: Step): void {
  const where = `history of pipeline ${name}, step '${step.name}'`
  if (step.kind === 'predict' || step.kind === 'lookup') {
    const who = step.kind === 'predict' ? 'a model' : 'another system'
    const words = `what ${who} says today is not what it said then; end before it with --before ${step.name}`
    throw fail('PIPELINE_INVALID', `${where}: ${words}`)
  }
  if (step.kind === 'keyed' && step.isOfNow) {
    const words = `it adds what is newest, which was not known then; look it up as of a message's time (table(topic, { asOf }))`
    throw fail('PIPELINE_INVALID', `${where}: ${words}`)
  }
}

function readsSource(definition: Definition, input: { readonly name: string }) {
  const seen = `it reads source ${sourceTopic(definition, input)}, which keeps no history`
  const hint = 'write the source to a topic, and read that'
  return fail('PIPELINE_INVALID', `history of pipeline ${definition.name}: ${seen}; ${hint}`)
}

function singleOf(topic: AnyTopic, topics: ReadonlyMap<string, TopicInfo>): AnyTopic {
  const info = topics.get(topic.name)
  if (info === undefined) {
    throw fail('TOPIC_UNKNOWN', `topic ${topic.name}: there is none, so there is no history of it`)
  }
  if (info.cleanup === 'compact') {
    const words = 'it is compacted, so what held before is gone; read a topic that keeps it'
    throw fail('PIPELINE_INVALID', `history of topic ${topic.name}: ${words}`)
  }
  const maxMessageBytes = info.maxMessageBytes + identityBytes
  return { ...topic, settings: { partitions: 1, maxMessageBytes } }
}

/** The step with its topics as they are in a history; what is late is only counted. */
function withTopics(step: Step, single: (topic: AnyTopic) => AnyTopic): Step {
  switch (step.kind) {
    case 'join':
      return { ...step, other: single(step.other) }
    case 'pair':
      return { ...step, other: single(step.other), late: undefined }
    case 'origin':
      return { ...step, topic: single(step.topic) }
    case 'aggregate':
      return { ...step, late: undefined }
    case 'keyed':
      return { ...step, late: undefined, ...(step.table && { table: single(step.table) }) }
    default:
      return step
  }
}

function rowsStep(steps: readonly Step[]): Step {
  let name = 'rows'
  while (steps.some((step) => step.name === name)) name = `${name}-`
  const topic: AnyTopic = {
    ...{ kind: 'topic', name: rowsTopic, schema: undefined, key: undefined, time: undefined },
    ...{ format: undefined, settings: { partitions: 1, maxMessageBytes: 64 * 1024 * 1024 } },
  }
  return { kind: 'to', name, target: { kind: 'topic', topic } }
}
