/** The plans as boxes and lines: sources, topics, pipelines with their steps, sinks. */
import type { PipelinePlan, PipelineState } from '../../src/server/state.ts'

export interface ModelNode {
  readonly id: string
  readonly kind: 'source' | 'topic' | 'pipeline' | 'sink'
  readonly name: string
  readonly layer: number
  /** Of a pipeline: the names of its steps, `read` first. */
  readonly rows: readonly string[]
}

export interface ModelEdge {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly fromRow?: number
  readonly toRow?: number
  /** Whose rate it shows. */
  readonly pipeline: string
  readonly step: string
  /** False where several lines come into one step, which counts them together. */
  readonly isLabelled: boolean
}

export interface GraphModel {
  readonly nodes: readonly ModelNode[]
  readonly edges: readonly ModelEdge[]
}

/** `pipelines` stand in the order of the plan: whoever writes a topic before whoever reads it. */
export function graphModel(all: readonly PipelineState[]): GraphModel {
  const pipelines = all.map(withoutPassing)
  const layers = layersOf(pipelines)
  const nodes = new Map<string, ModelNode>()
  const edges: ModelEdge[] = []
  const add = (node: ModelNode) => {
    if (!nodes.has(node.id)) nodes.set(node.id, node)
    return node.id
  }
  for (const { name, plan, steps } of pipelines) {
    const layer = layers.pipelines.get(name)!
    const rows = plan === null ? steps.map((step) => step.name) : rowsOf(plan)
    const own = add({ id: `pipeline ${name}`, kind: 'pipeline', name, layer, rows })
    for (const input of inputsOf(plan, pipelines)) {
      const isSource = input.kind === 'source'
      const from = add({
        id: isSource ? `source ${name} ${input.name}` : `topic ${input.name}`,
        kind: input.kind,
        name: input.name,
        layer: isSource ? layer - 1 : layers.topics.get(input.name)!,
        rows: [],
      })
      edges.push({
        id: `${from} > ${own} ${input.entry}`,
        from,
        to: own,
        toRow: input.entry === 0 ? 0 : input.entry + 1,
        pipeline: name,
        step: 'read',
        isLabelled: plan!.inputs.length === 1,
      })
    }
    for (const output of plan?.outputs ?? []) {
      const isSink = output.kind === 'sink'
      const to = add({
        id: isSink ? `sink ${name} ${output.step}` : `topic ${output.name}`,
        kind: output.kind,
        name: output.name,
        layer: isSink ? layer + 1 : layers.topics.get(output.name)!,
        rows: [],
      })
      edges.push({
        id: `${own} ${output.step} > ${to}`,
        from: own,
        to,
        fromRow: rows.indexOf(output.step),
        pipeline: name,
        step: output.step,
        isLabelled: true,
      })
    }
  }
  return { nodes: [...nodes.values()], edges }
}

/** A topic of a pipeline's own, through which its messages go, is a step of it to whoever looks. */
function withoutPassing(state: PipelineState): PipelineState {
  const { plan } = state
  if (plan === null) return state
  const isShown = ({ name }: { readonly name: string }) => !name.endsWith('.repartition')
  const [inputs, outputs] = [plan.inputs.filter(isShown), plan.outputs.filter(isShown)]
  return { ...state, plan: { ...plan, inputs, outputs } }
}

interface ModelInput {
  readonly kind: 'topic' | 'source'
  readonly name: string
  readonly entry: number
}

/** A pattern is drawn as one topic, beside those of these pipelines that it matches. */
function inputsOf(plan: PipelinePlan | null, states: readonly PipelineState[]): ModelInput[] {
  const own = plan?.outputs.map(({ name }) => name) ?? []
  const outputs = states.flatMap((state) => state.plan?.outputs ?? [])
  const written = outputs.filter(({ kind, name }) => kind === 'topic' && !own.includes(name))
  return (plan?.inputs ?? []).flatMap((input): ModelInput[] => {
    if (input.kind !== 'topics') return [{ ...input, kind: input.kind }]
    const [, source = '', flags] = /^\/(.*)\/([a-z]*)$/s.exec(input.name) ?? []
    const pattern = new RegExp(source, flags)
    const names = new Set(written.map(({ name }) => name).filter((name) => pattern.test(name)))
    return [input.name, ...names].map((name) => ({ ...input, kind: 'topic', name }))
  })
}

const rowsOf = (plan: PipelinePlan) => ['read', ...plan.steps.map((step) => step.name)]

interface Layers {
  readonly pipelines: ReadonlyMap<string, number>
  readonly topics: ReadonlyMap<string, number>
}

/** Each pipeline stands right of all that it reads, each topic right of its first writers. */
function layersOf(states: readonly PipelineState[]): Layers {
  const pipelines = new Map<string, number>()
  const topics = new Map<string, number>()
  for (const { name, plan } of states) {
    const read = inputsOf(plan, states).map((input) =>
      input.kind === 'topic' ? (topics.get(input.name) ?? 0) : 0,
    )
    const layer = 1 + Math.max(0, ...read)
    pipelines.set(name, layer)
    for (const output of plan?.outputs ?? []) {
      if (output.kind !== 'topic') continue
      topics.set(output.name, Math.max(topics.get(output.name) ?? 0, layer + 1))
    }
  }
  // A topic that others fill stands beside its first reader.
  for (const { name, plan } of states) {
    for (const input of inputsOf(plan, states)) {
      if (input.kind !== 'topic' || topics.has(input.name)) continue
      topics.set(input.name, pipelines.get(name)! - 1)
    }
  }
  return { pipelines, topics }
}

/** Equal as long as the same graph is to be drawn. */
export const graphKey = (pipelines: readonly PipelineState[]) =>
  pipelines
    .map(
      ({ name, plan, steps }) => `${name} ${plan?.hash ?? steps.map((step) => step.name).join()}`,
    )
    .join('\n')
