import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PipelineState } from '../../src/server/state.ts'
import { FakeWorld } from '../fake-world.ts'
import { layoutOf, pathOf } from './graph-layout.ts'
import { graphKey, graphModel } from './graph-model.ts'

const { pipelines } = new FakeWorld(2).state

describe('web: graph', () => {
  it('stands from left to right in the order of the plan', () => {
    const { nodes, edges } = layoutOf(graphModel(pipelines))
    const x = (id: string) => nodes.find((node) => node.id === id)!.x
    const way = [
      'source ingest-mails mails',
      'pipeline ingest-mails',
      'topic mails',
      'pipeline score',
      'topic mails.scored',
      'pipeline judge',
      'topic mails.judged',
      'pipeline warehouse',
      'sink warehouse to-duckdb',
    ]
    for (let index = 1; index < way.length; index++)
      assert.ok(x(way[index - 1]!) < x(way[index]!), way[index])
    assert.equal(edges.length, 13)
    for (const { points } of edges) assert.ok(points[0]!.x < points.at(-1)!.x)
  })

  it('puts no box over another, nor outside', () => {
    const { nodes, width, height } = layoutOf(graphModel(pipelines))
    for (const one of nodes) {
      assert.ok(
        one.x >= 0 && one.y >= 0 && one.x + one.width <= width && one.y + one.height <= height,
      )
      for (const other of nodes) {
        if (one === other) continue
        const isApart =
          one.x + one.width <= other.x ||
          other.x + other.width <= one.x ||
          one.y + one.height <= other.y ||
          other.y + other.height <= one.y
        assert.ok(isApart, `${one.id} over ${other.id}`)
      }
    }
  })

  it('draws a loop, a topic that others fill, and a pipeline whose plan nobody told', () => {
    const [first, second] = pipelines as [PipelineState, PipelineState]
    const loop: PipelineState = {
      ...first,
      name: 'loop',
      plan: {
        ...first.plan!,
        inputs: [{ kind: 'topic', name: 'round', guarantee: '', entry: 0 }],
        outputs: [{ kind: 'topic', name: 'round', step: 'to-mails', guarantee: '' }],
      },
    }
    const { nodes, edges } = layoutOf(graphModel([loop, { ...second, plan: null }]))
    assert.deepEqual(nodes.map(({ id }) => id).sort(), [
      'pipeline ingest-labels',
      'pipeline loop',
      'topic round',
    ])
    assert.equal(edges.length, 2)
    assert.ok(edges.every(({ points }) => !pathOf(points).includes('NaN')))
    assert.deepEqual(layoutOf(graphModel([])).nodes, [])
  })

  it('draws a pattern of topics as one, beside those that it matches', () => {
    const [first, second] = pipelines as [PipelineState, PipelineState]
    const to = (name: string) => [{ kind: 'topic' as const, name, step: 'to', guarantee: '' }]
    const pattern = { kind: 'topics' as const, name: '/^orders-/', guarantee: '', entry: 0 }
    const ingest = { ...first, plan: { ...first.plan!, outputs: to('orders-eu') } }
    const plan = { ...second.plan!, inputs: [pattern], outputs: to('orders-all') }
    const { nodes, edges } = graphModel([ingest, { ...second, name: 'all', plan }])
    const reads = edges.filter((edge) => edge.to === 'pipeline all').map(({ from }) => from)
    assert.deepEqual(reads, ['topic /^orders-/', 'topic orders-eu'])
    const layer = (id: string) => nodes.find((node) => node.id === id)!.layer
    assert.ok(layer('topic orders-eu') < layer('pipeline all'))
  })

  it('changes its key with a plan, not with figures', () => {
    const moved = pipelines.map((one) => ({ ...one, messagesPerSecond: 1 }))
    assert.equal(graphKey(moved), graphKey(pipelines))
    const [first, ...others] = pipelines
    assert.notEqual(
      graphKey([{ ...first!, plan: { ...first!.plan!, hash: 'new' } }, ...others]),
      graphKey(pipelines),
    )
  })
})
