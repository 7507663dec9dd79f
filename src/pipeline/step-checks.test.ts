import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipeline } from './pipeline.ts'
import { table } from './table.ts'
import { topic } from './topic.ts'

/** As an application calls it whose types nobody checked. */
interface Untyped {
  join(field: string, other: unknown, options?: unknown): unknown
}

describe('steps as they are written down', () => {
  const orders = topic<{ a: number }>('orders')
  const other = topic<{ b: number }>('other')

  it('of a join by a key need keyBy before them', () => {
    const from = pipeline('p').from(orders) as unknown as Untyped
    const said = /PIPELINE_INVALID|put keyBy before it/
    assert.throws(() => from.join('who', table(other)), said)
    assert.throws(() => from.join('near', other, { within: '1m' }), said)
    assert.doesNotThrow(() => from.join('one', other))
  })

  it('do not write to the topic that the pipeline reads', () => {
    const loop = pipeline('loop').from(orders)
    assert.throws(() => loop.to(orders), /reads topic orders and would read .* for ever/)
    assert.doesNotThrow(() => loop.to(other as never))
  })
})
