/** The graph of all pipelines, with what flows through it. */
import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { PipelineState, State, StepState } from '../../src/server/state.ts'
import { go, hrefOf } from '../data/route.ts'
import { counted, shortNumber } from '../format.ts'
import {
  headHeight,
  layoutOf,
  type PlacedEdge,
  type PlacedNode,
  pathOf,
  rowHeight,
} from './graph-layout.ts'
import { graphKey, graphModel } from './graph-model.ts'

export interface Selected {
  readonly pipeline: string
  readonly step: string
}

interface GraphProps {
  readonly state: State
  readonly selected: Selected | undefined
}

export function Graph({ state, selected }: GraphProps) {
  const { pipelines } = state
  const layout = useMemo(() => layoutOf(graphModel(pipelines)), [graphKey(pipelines)])
  const { nodes, edges, width, height } = layout
  const place = useRef<HTMLElement>(null)
  useEffect(() => {
    // On a narrow page the chosen step may stand outside of what is seen.
    const step = place.current?.querySelector('[aria-pressed="true"]')
    step?.scrollIntoView({ inline: 'center', block: 'nearest' })
  }, [])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section ref={place} class="scroll graph" aria-label="Graph of the pipelines" tabIndex={0}>
      {/* biome-ignore lint/a11y/useSemanticElements: there is no fieldset in SVG */}
      <svg
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        style={{ minWidth: `${Math.round(width * 0.82)}px` }}
        role="group"
        aria-label="From left to right: sources, topics, pipelines with their steps, sinks"
      >
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto"
          >
            <path class="arrow" d="M0 0 8 4 0 8z" />
          </marker>
        </defs>
        {edges.map((edge) => (
          <Edge key={edge.id} edge={edge} state={state} />
        ))}
        {nodes.map((node) => (
          <Node key={node.id} node={node} state={state} selected={selected} />
        ))}
      </svg>
    </section>
  )
}

const stepOf = (state: State, pipeline: string, step: string): StepState | undefined =>
  state.pipelines.find(({ name }) => name === pipeline)?.steps.find(({ name }) => name === step)

function Edge({ edge, state }: { edge: PlacedEdge; state: State }) {
  const { pipeline, step, points, label, isLabelled } = edge
  const rate = stepOf(state, pipeline, step)?.inPerSecond ?? 0
  return (
    <g class={rate > 0 ? 'edge edge-moving' : 'edge'}>
      <path d={pathOf(points)} marker-end="url(#arrow)" />
      {isLabelled && (
        <text x={label.x} y={label.y + 4} text-anchor="middle">
          {shortNumber(rate)}/s
        </text>
      )}
    </g>
  )
}

function Node({ node, state, selected }: { node: PlacedNode } & GraphProps) {
  if (node.kind === 'pipeline') {
    const pipeline = state.pipelines.find(({ name }) => name === node.name)
    return pipeline === undefined ? null : (
      <PipelineBox node={node} pipeline={pipeline} selected={selected} />
    )
  }
  const { kind, name, x, y, width, height } = node
  const topic = kind === 'topic' ? state.topics.find((one) => one.name === name) : undefined
  const note = topic === undefined ? kind : counted(topic.messages, 'message')
  const box = (
    <>
      <rect x={x} y={y} width={width} height={height} rx={kind === 'topic' ? height / 2 : 3} />
      <text class="graph-name" x={x + width / 2} y={y + 18} text-anchor="middle">
        <Cut text={name} length={16} />
      </text>{' '}
      <text class="graph-note" x={x + width / 2} y={y + 34} text-anchor="middle">
        {note}
      </text>
    </>
  )
  if (kind !== 'topic') return <g class={`node node-${kind}`}>{box}</g>
  return (
    <a
      class="node node-topic"
      href={hrefOf('messages', { topic: name })}
      aria-label={`${cut(name, 16)} ${note}, messages of topic ${name}`}
    >
      {box}
    </a>
  )
}

interface PipelineBoxProps {
  readonly node: PlacedNode
  readonly pipeline: PipelineState
  readonly selected: Selected | undefined
}

function PipelineBox({ node, pipeline, selected }: PipelineBoxProps) {
  const { x, y, width, height, rows } = node
  return (
    <g class={pipeline.isBalanced ? 'node node-pipeline' : 'node node-pipeline node-bad'}>
      <rect x={x} y={y} width={width} height={height} rx={4} />
      <text class="graph-title" x={x + 9} y={y + 18}>
        <Cut text={pipeline.name} length={20} />
      </text>
      {rows.map((row, index) => (
        <StepRow
          key={row}
          x={x + 4}
          y={y + headHeight + index * rowHeight}
          width={width - 8}
          pipeline={pipeline}
          name={row}
          isSelected={selected?.pipeline === pipeline.name && selected.step === row}
        />
      ))}
    </g>
  )
}

function StepRow(props: {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly pipeline: PipelineState
  readonly name: string
  readonly isSelected: boolean
}) {
  const { x, y, width, pipeline, name, isSelected } = props
  const step = pipeline.steps.find((one) => one.name === name)
  const rate = `${shortNumber(step?.inPerSecond ?? 0)}/s`
  const losses = step === undefined ? '' : lossesOf(step)
  const note = losses === '' ? kindOf(pipeline, name) : losses
  const choose = () => go(hrefOf('pipelines', { pipeline: pipeline.name, step: name }), true)
  return (
    // biome-ignore lint/a11y/useSemanticElements: there is no button in SVG
    <g
      class={isSelected ? 'step step-selected' : 'step'}
      role="button"
      tabindex={0}
      aria-pressed={isSelected}
      aria-label={`${cut(name, 21)} ${cut(note, 15)} ${rate}, step ${name} of ${pipeline.name}`}
      onClick={choose}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return
        event.preventDefault()
        choose()
      }}
    >
      <rect x={x} y={y} width={width} height={rowHeight - 3} rx={3} />
      <text class="graph-name" x={x + 6} y={y + 14}>
        <Cut text={name} length={21} />
      </text>{' '}
      <text class={losses === '' ? 'graph-note' : 'graph-loss'} x={x + 6} y={y + 29}>
        <Cut text={note} length={15} />
      </text>{' '}
      <text class="graph-note" x={x + width - 6} y={y + 29} text-anchor="end">
        {rate}
      </text>
    </g>
  )
}

export function kindOf({ plan }: PipelineState, name: string): string {
  if (name === 'read') return 'input'
  const step = plan?.steps.find((one) => one.name === name)
  if (step === undefined) return 'step'
  if (step.model !== undefined) return `predict ${step.model}`
  if (step.topic !== undefined) return `join ${step.topic}`
  return step.kind === 'to' ? 'output' : step.kind
}

/** What did not go on, in words: `12 filtered, 3 dead`. */
export function lossesOf(step: StepState): string {
  const words = [
    [step.deadLettered, 'dead'],
    [step.filtered, 'filtered'],
    [step.duplicate, 'duplicate'],
    [step.late, 'late'],
    [step.expired, 'expired'],
  ] as const
  return words
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${shortNumber(count)} ${word}`)
    .join(', ')
}

/** What does not fit is told in full when one points at it. */
const Cut = ({ text, length }: { text: string; length: number }) => (
  <>
    {cut(text, length)}
    {text.length > length && <title>{text}</title>}
  </>
)

const cut = (text: string, length: number) =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text
