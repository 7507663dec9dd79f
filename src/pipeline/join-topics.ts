/**
 * What a join asks of its topics as they are: a plan knows what is declared, and a topic that was
 * there before may have other numbers of partitions.
 */
import { fail } from '../core/errors.ts'
import type { TopicInfo } from '../log/log.ts'
import { deadLetterTopic, replayTopic } from './dead-letters.ts'
import { isRepartition } from './internal-names.ts'
import type { PipelinePlan, Plan, TopicPlan } from './plan.ts'
import { keepsState } from './state-store.ts'

type Known = ReadonlyMap<string, Pick<TopicInfo, 'partitions'>>

interface Side {
  readonly name: string
  readonly partitions: number
}

const sidesOf = (inputs: PipelinePlan['inputs'], known: Known): Side[] =>
  inputs.flatMap(({ name }) => {
    const partitions = known.get(name)?.partitions
    return partitions === undefined ? [] : [{ name, partitions }]
  })

/** By stretch between changes of key, what comes into it where something is joined there. */
function meetings({ inputs, steps }: PipelinePlan): PipelinePlan['inputs'][] {
  const changes = steps.flatMap(({ kind }, index) => (kind === 'keyBy' ? [index + 1] : []))
  const starts = [0, ...changes]
  return starts.flatMap((from, place) => {
    const to = starts[place + 1] ?? steps.length
    const joins = steps
      .slice(from, to)
      .some(({ kind, topic }) => kind !== 'to' && topic !== undefined)
    // What comes from an origin is in its partition only behind a topic of the pipeline's own.
    const origins = steps.flatMap(({ kind, topic }) => (kind === 'origin' ? [topic] : []))
    const here = inputs.filter(({ name, entry }) => {
      return entry >= from && entry < to && !origins.includes(name)
    })
    return joins ? [here] : []
  })
}

/** Both sides of a join meet in one partition. Throws `PIPELINE_INVALID` where they cannot. */
export function checkJoinedTopics(plan: Plan, known: Known): void {
  for (const pipeline of plan.pipelines) {
    for (const inputs of meetings(pipeline)) checkSides(pipeline.name, sidesOf(inputs, known))
  }
}

function checkSides(pipeline: string, [first, ...others]: readonly Side[]): void {
  const different = others.find(({ partitions }) => partitions !== first!.partitions)
  if (first === undefined || different === undefined) return
  const seen = `topics ${first.name} (${first.partitions} partitions) and ${different.name} (${different.partitions})`
  throw fail(
    'PIPELINE_INVALID',
    `pipeline ${pipeline}: ${seen} exist and cannot be joined; make one of them again with as many as the other`,
  )
}

/**
 * A dead letter of a pipeline with state has to come back to its own partition, where the other side
 * or the window waits: the pipeline's own topics get as many as those that it reads really have.
 */
export function besideJoined(plan: Plan, planned: TopicPlan, known: Known): TopicPlan {
  const pipeline = plan.pipelines.find(
    ({ name, steps }) => steps.some(keepsState) && isOwnOf(name, planned.name),
  )
  if (pipeline === undefined) return planned
  const counts = sidesOf(pipeline.inputs, known).map(({ partitions }) => partitions)
  const partitions = Math.max(planned.settings.partitions, ...counts)
  // How many there are may differ from how many there would be now.
  if (isRepartition(planned.name)) {
    const { partitions: _, ...declared } = planned.declared
    const beside = meetings(pipeline).find((all) => all.some(({ name }) => name === planned.name))
    // What is joined behind it says how many there have to be.
    const [other] = sidesOf(beside?.filter(({ name }) => name !== planned.name) ?? [], known)
    if (other !== undefined) {
      return {
        ...planned,
        settings: { ...planned.settings, partitions: other.partitions },
        declared,
      }
    }
    return { ...planned, settings: { ...planned.settings, partitions }, declared }
  }
  return {
    ...planned,
    settings: { ...planned.settings, partitions },
    declared: { ...planned.declared, partitions },
  }
}

const isOwnOf = (pipeline: string, topic: string) =>
  topic === deadLetterTopic(pipeline) ||
  topic === replayTopic(pipeline) ||
  (topic.startsWith(`${pipeline}.`) && isRepartition(topic))
