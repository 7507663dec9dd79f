/** Which topics a pipeline reads and writes: those that it names, and those that match its patterns. */
import { fail } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import type { AnyTopic, Definition, OriginStep, Step } from './definition.ts'
import type { PipelinePlan } from './plan.ts'
import { isMatch, oneOf, type Topics } from './topics-matching.ts'

export interface TopicInput {
  readonly topic: AnyTopic
  /** Its first step. */
  readonly entry: number
}

/** The topic through which messages go that get another key, as long as nobody else wrote it. */
export const repartitionTopic = (pipeline: string, step: string) =>
  `${pipeline}.${step}.repartition`

/** What is written there is what the steps before gave: JSON with the key that was made for it. */
const passing = (name: string): AnyTopic => ({
  ...{ kind: 'topic', name, schema: undefined, key: undefined, time: undefined },
  ...{ format: undefined, settings: {} },
})

/** The topics of a pipeline's own that its messages go through, and where they go on. */
export function repartitions(definition: Definition): TopicInput[] {
  return definition.steps.flatMap((step, index) => {
    if (step.kind !== 'keyBy' && step.kind !== 'origin') return []
    const name = repartitionTopic(definition.name, step.name)
    return [{ topic: passing(name), entry: index + 1 }]
  })
}

/** The steps at which messages of other topics come in, of one topic or of all. */
export const originsOf = ({ steps }: Definition, topic?: string): OriginStep[] =>
  steps.filter((step): step is OriginStep => {
    return step.kind === 'origin' && (topic === undefined || step.topic.name === topic)
  })

/** The topics that a pipeline names, the other sides of its joins included. */
export function namedInputs(definition: Definition): TopicInput[] {
  const inputs = definition.inputs.flatMap((input) =>
    input.kind === 'topic' ? [{ topic: input.topic, entry: 0 }] : [],
  )
  const others = definition.steps.flatMap((step, entry) => {
    if (step.kind === 'join' || step.kind === 'pair') return [{ topic: step.other, entry }]
    // It is read once, whoever reckons with it: the first hands it to all.
    if (step.kind === 'origin' && originsOf(definition, step.topic.name)[0] === step) {
      return [{ topic: step.topic, entry }]
    }
    return step.kind === 'keyed' && step.table !== undefined ? [{ topic: step.table, entry }] : []
  })
  return [...inputs, ...others]
}

/** The topics that a pipeline reads as tables: before others, whose event time they do not hold up. */
export const tablesOf = ({ name, steps }: Definition): string[] =>
  steps.flatMap((step) => {
    if (step.kind === 'origin') return [step.topic.name, repartitionTopic(name, step.name)]
    return step.kind === 'keyed' && step.table ? [step.table.name] : []
  })

/** Those of them that are read to their end before anything is looked up in them. */
export function tablesReadFirst(definition: Definition): string[] {
  const inOrder = definition.steps.flatMap((step) =>
    step.kind === 'keyed' && step.table && !step.isTableFirst ? [step.table.name] : [],
  )
  return tablesOf(definition).filter((name) => !inOrder.includes(name))
}

/**
 * All topics that a pipeline reads: those that it names, those found to match its patterns, and its own.
 * Whoever writes a topic comes before whoever reads it.
 */
export function topicInputs(definition: Definition): TopicInput[] {
  const matched = definition.inputs.flatMap((input) =>
    input.kind === 'topics' ? input.matched.map((topic) => ({ topic, entry: 0 })) : [],
  )
  return [...namedInputs(definition), ...matched, ...repartitions(definition)]
}

/** The patterns of a pipeline's inputs. */
export const patternsOf = (definition: Definition): Topics<unknown>[] =>
  definition.inputs.flatMap((input) => (input.kind === 'topics' ? [input.topics] : []))

/** The pattern that takes a topic in, whether it is there or not; undefined: it is none of them. */
export function patternFor(definition: Definition, name: string): Topics<unknown> | undefined {
  const own = topicOutputs(definition).map((topic) => topic.name)
  return patternsOf(definition).find(({ pattern }) => isMatch(pattern, name, own))
}

/** The pipeline with those of `names` as inputs that its patterns match and that it does not name. */
export function withTopics(definition: Definition, names: readonly string[]): Definition {
  if (patternsOf(definition).length === 0) return definition
  const named = namedInputs(definition).map(({ topic }) => topic.name)
  const others = names.filter((name) => !named.includes(name)).sort()
  const inputs = definition.inputs.map((input) => {
    if (input.kind !== 'topics') return input
    // What two patterns match belongs to the first.
    const found = others.filter((name) => patternFor(definition, name) === input.topics)
    return { ...input, matched: found.map((name) => oneOf(input.topics, name)) }
  })
  return { ...definition, inputs }
}

/** The pipelines with the topics that there are now. */
export async function withTopicsOf(
  log: Log,
  definitions: readonly Definition[],
): Promise<readonly Definition[]> {
  if (definitions.every((one) => patternsOf(one).length === 0)) return definitions
  const names = (await log.topics()).map(({ name }) => name)
  return definitions.map((one) => withTopics(one, names))
}

/** The topics that a plan reads, as far as they are among `names`, by its patterns too. */
export function plannedInputs(
  { inputs, outputs }: PipelinePlan,
  names: Iterable<string>,
): string[] {
  const own = outputs.filter(({ kind }) => kind === 'topic').map(({ name }) => name)
  const known = [...names]
  const found = inputs.flatMap(({ kind, name }) => {
    if (kind === 'source') return []
    if (kind === 'topic') return [name]
    const [, source = '', flags] = /^\/(.*)\/([a-z]*)$/s.exec(name) ?? []
    const pattern = new RegExp(source, flags)
    return known.filter((one) => isMatch(pattern, one, own))
  })
  return [...new Set(found)]
}

/** The topics that a pipeline writes to, those of its own apart. */
export function topicOutputs(definition: Definition): AnyTopic[] {
  return definition.steps.flatMap((step) => {
    if ('late' in step) return step.late ?? []
    return step.kind === 'to' && step.target.kind === 'topic' ? [step.target.topic] : []
  })
}

/**
 * A topic comes in at one step: two would share its one position, and only the first be given it.
 * Throws `PIPELINE_INVALID`.
 */
export function checkReadOnce(definition: Definition): void {
  const read = namedInputs(definition).map(({ topic }) => topic.name)
  for (const step of definition.steps) {
    const name = topicInto(step)
    if (name === undefined) continue
    const isMatched = step.kind === 'origin' && patternFor(definition, name) !== undefined
    if (read.filter((one) => one === name).length === 1 && !isMatched) continue
    const features =
      step.kind === 'origin' ? "for features of its own messages leave 'from' out, else " : ''
    throw fail(
      'PIPELINE_INVALID',
      `pipeline ${definition.name}, step '${step.name}': it reads topic ${name} already; ${features}copy it to another topic`,
    )
  }
}

/** The topic whose messages come in at a step. */
function topicInto(step: Step): string | undefined {
  if (step.kind === 'join' || step.kind === 'pair') return step.other.name
  if (step.kind === 'origin') return step.topic.name
  return step.kind === 'keyed' ? step.table?.name : undefined
}
