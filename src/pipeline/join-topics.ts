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

const withJoin = (plan: Plan) =>
  plan.pipelines.filter(({ steps }) => steps.some(({ kind }) => kind === 'join'))

const sidesOf = ({ inputs }: PipelinePlan, known: Known) =>
  inputs.flatMap(({ name }) => {
    const partitions = known.get(name)?.partitions
    return partitions === undefined ? [] : [{ name, partitions }]
  })

/** Both sides of a join meet in one partition. Throws `PIPELINE_INVALID` where they cannot. */
export function checkJoinedTopics(plan: Plan, known: Known): void {
  for (const pipeline of withJoin(plan)) {
    const [first, ...others] = sidesOf(pipeline, known)
    const different = others.find(({ partitions }) => partitions !== first!.partitions)
    if (different === undefined) continue
    const seen = `topics ${first!.name} (${first!.partitions} partitions) and ${different.name} (${different.partitions})`
    throw fail(
      'PIPELINE_INVALID',
      `pipeline ${pipeline.name}: ${seen} exist and cannot be joined; make one of them again with as many as the other`,
    )
  }
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
  const counts = sidesOf(pipeline, known).map(({ partitions }) => partitions)
  const partitions = Math.max(planned.settings.partitions, ...counts)
  // How many there are may differ from how many there would be now.
  if (isRepartition(planned.name)) {
    const { partitions: _, ...declared } = planned.declared
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
