/**
 * What a join asks of its topics as they are: a plan knows what is declared, and a topic that was
 * there before may have other numbers of partitions.
 */
import { fail } from '../core/errors.ts'
import type { TopicInfo } from '../log/log.ts'
import { deadLetterTopic, replayTopic } from './dead-letters.ts'
import type { PipelinePlan, Plan, TopicPlan } from './plan.ts'

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
 * A dead letter of a pipeline with a join has to come back to its own partition, where the other
 * side waits: the pipeline's own topics get as many as the joined ones really have.
 */
export function besideJoined(plan: Plan, planned: TopicPlan, known: Known): TopicPlan {
  const pipeline = withJoin(plan).find(({ name }) =>
    [deadLetterTopic(name), replayTopic(name)].includes(planned.name),
  )
  if (pipeline === undefined) return planned
  const counts = sidesOf(pipeline, known).map(({ partitions }) => partitions)
  const partitions = Math.max(planned.settings.partitions, ...counts)
  return {
    ...planned,
    settings: { ...planned.settings, partitions },
    declared: { ...planned.declared, partitions },
  }
}
