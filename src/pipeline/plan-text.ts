/** A plan for people: as text, and as a Mermaid flow chart. */
import { windowText } from '../transforms/window-text.ts'
import { isRepartition } from './internal-names.ts'
import type { PipelinePlan, Plan, PlannedStep, TopicPlan } from './plan.ts'

/** One block a pipeline, then the topics. */
export function planText(plan: Plan): string {
  const topics = plan.topics.filter((topic) => !topic.internal)
  return [...plan.pipelines.map(pipelineText), topicsText(topics)].join('\n\n')
}

function pipelineText(plan: PipelinePlan): string {
  const lines = [`pipeline ${plan.name} (plan ${plan.hash})`]
  for (const input of plan.inputs.filter(({ name }) => !isRepartition(name))) {
    const where = input.entry === 0 ? '' : `, into '${plan.steps[input.entry]!.name}'`
    lines.push(`  from  ${input.kind} ${input.name}: ${input.guarantee}${where}`)
  }
  for (const step of plan.steps) {
    if (step.kind !== 'to') lines.push(`  step  ${describeStep(step)}`)
  }
  for (const output of plan.outputs.filter(({ name }) => !isRepartition(name))) {
    lines.push(`  to    ${output.kind} ${output.name}: ${output.guarantee}`)
  }
  lines.push(`  dead letters: ${plan.deadLetters}`)
  return lines.join('\n')
}

function describeStep(step: PlannedStep): string {
  if (step.model !== undefined) return `predict '${step.name}' with model ${step.model}`
  if (step.kind === 'keyBy') return `key by a function, through a topic of the pipeline's own`
  if (step.kind === 'origin') {
    return `of topic ${step.topic}, by a key, through a topic of the pipeline's own`
  }
  if (step.what !== undefined) return `'${step.name}': ${step.what}`
  if (step.topic !== undefined) return `join '${step.name}' with topic ${step.topic}`
  if (step.window === undefined) return `${step.kind} '${step.name}'`
  return `aggregate '${step.name}' over ${windowText(step.window)}`
}

function topicsText(topics: readonly TopicPlan[]): string {
  const width = Math.max(5, ...topics.map((topic) => topic.name.length))
  const lines = topics.map((topic) => {
    const { partitions, cleanup } = topic.settings
    const written = topic.writtenBy.length === 0 ? 'others' : topic.writtenBy.join(', ')
    const read = topic.readBy.length === 0 ? 'nobody here' : topic.readBy.join(', ')
    return `  ${topic.name.padEnd(width)}  ${partitions} partitions, ${cleanup}; written by ${written}, read by ${read}`
  })
  return ['topics', ...lines].join('\n')
}

/** Mermaid's flow chart (https://mermaid.js.org): topics as cylinders, steps as boxes. */
export function planMermaid(plan: Plan): string {
  const lines = ['flowchart LR']
  const ids = new Map<string, string>()
  const node = (key: string, shape: string) => {
    let id = ids.get(key)
    if (id === undefined) {
      id = `n${ids.size}`
      ids.set(key, id)
      lines.push(`  ${id}${shape}`)
    }
    return id
  }
  const topic = (name: string) => node(`topic:${name}`, `[("${name}")]`)
  for (const pipeline of plan.pipelines) {
    const first = node(`pipeline:${pipeline.name}`, `(["${pipeline.name}"])`)
    const steps = new Map<string, string>()
    let previous = first
    pipeline.steps.forEach((step, index) => {
      if (step.kind === 'to') return
      const id = node(`step:${pipeline.name}:${index}`, `["${describeStep(step)}"]`)
      // What gets another key goes through a topic.
      if (pipeline.steps[index - 1]?.kind !== 'keyBy') lines.push(`  ${previous} --> ${id}`)
      steps.set(step.name, id)
      previous = id
    })
    for (const input of pipeline.inputs) {
      const from =
        input.kind !== 'source'
          ? topic(input.name)
          : node(`source:${pipeline.name}:${input.name}`, `[/"${input.name}"/]`)
      const into = input.entry === 0 ? first : steps.get(pipeline.steps[input.entry]!.name)!
      lines.push(`  ${from} --> ${into}`)
    }
    for (const output of pipeline.outputs) {
      const place = pipeline.steps.findIndex((step) => step.name === output.step)
      const before = pipeline.steps.slice(0, place).findLast((step) => step.kind !== 'to')
      const from = before === undefined ? first : steps.get(before.name)!
      const to =
        output.kind === 'topic'
          ? topic(output.name)
          : node(`sink:${pipeline.name}:${output.step}`, `[\\"${output.name}"\\]`)
      lines.push(`  ${from} --> ${to}`)
    }
  }
  return lines.join('\n')
}
