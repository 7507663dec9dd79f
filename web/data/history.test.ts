import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { State, StepState } from '../../src/server/state.ts'
import { FakeWorld } from '../fake-world.ts'
import { historyLength, pointOf, withPoint } from './history.ts'

const { state } = new FakeWorld(3)

function stateWith(atMs: number, labels: StepState['labels']): State {
  const [first] = state.pipelines
  const steps = [{ ...first!.steps[0]!, name: 'spam', labels }]
  return { ...state, atMs, pipelines: [{ ...first!, name: 'score', steps }] }
}

describe('web: history', () => {
  it('counts what was answered between two states', () => {
    const before = stateWith(1000, { ham: 10, spam: 2 })
    const now = stateWith(2000, { ham: 14, spam: 2, other: 1 })
    assert.deepEqual(pointOf(before, now).predictions, {
      'score/spam': { ham: 4, spam: 0, other: 1 },
    })
  })

  it('takes all as new when a process began again, and nothing from the very first state', () => {
    const before = stateWith(1000, { ham: 1000 })
    assert.deepEqual(pointOf(before, stateWith(2000, { ham: 7 })).predictions, {
      'score/spam': { ham: 7 },
    })
    assert.deepEqual(pointOf(undefined, before).predictions, { 'score/spam': {} })
  })

  it('keeps fifteen minutes, and no point twice', () => {
    const points = Array.from({ length: historyLength }, (_, index) =>
      pointOf(undefined, stateWith(index, null)),
    )
    const more = withPoint(points, pointOf(undefined, stateWith(historyLength, null)))
    assert.equal(more.length, historyLength)
    assert.equal(more[0]!.atMs, 1)
    assert.equal(withPoint(more, more.at(-1)!), more)
  })
})
