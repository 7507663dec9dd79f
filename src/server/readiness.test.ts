import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readiness } from './readiness.ts'
import type { PipelineState } from './state.ts'

const state: PipelineState = {
  ...{
    name: 'score',
    plan: null,
    members: 1,
    isPaused: false,
    lagSeconds: 0,
    partitions: [],
    rebalances: { generation: 0, count: 0, lastAtMs: null },
    lagMessages: 7,
  },
  ...{ messagesPerSecond: 0, latencyMs: null, steps: [], isBalanced: true, imbalances: [] },
  ...{ deadLetters: 0, waiting: [], standby: null },
}
const fine = { state, stuckSinceMs: undefined, takenInMinute: 100, deadInMinute: 0 }
const nowMs = 100_000
const facts = { nowMs, pipelines: [fine], freeBytes: 1e12, problem: undefined }
const reasons = (more: object, own: object = {}) =>
  readiness({ ...facts, ...more, pipelines: [{ ...fine, ...own }] }).reasons

describe('readiness', () => {
  it('is there when nothing is wrong', () => {
    assert.deepEqual(readiness(facts), { isReady: true, reasons: [] })
    assert.deepEqual(reasons({ freeBytes: undefined }), [])
  })

  it('minds a pipeline that stands still, unless it is paused', () => {
    assert.deepEqual(reasons({}, { stuckSinceMs: nowMs - 29_999 }), [])
    const [reason] = reasons({}, { stuckSinceMs: nowMs - 30_000 })
    assert.equal(reason, 'pipeline score: no progress for 30 s while 7 messages wait')
    const paused = { ...state, isPaused: true }
    assert.deepEqual(reasons({}, { stuckSinceMs: 0, state: paused }), [])
  })

  it('minds many dead letters, not a few', () => {
    assert.deepEqual(reasons({}, { deadInMinute: 9, takenInMinute: 9 }), [])
    assert.deepEqual(reasons({}, { deadInMinute: 100, takenInMinute: 1000 }), [])
    const words = "pipeline score: 101 of the last minute's 1000 messages became dead letters"
    assert.deepEqual(reasons({}, { deadInMinute: 101, takenInMinute: 1000 }), [words])
  })

  it('minds a ledger that is not balanced, a full disk and a log that cannot be read', () => {
    const unbalanced = { ...state, imbalances: ['step a: 1 of 2'] }
    assert.match(reasons({}, { state: unbalanced })[0]!, /the ledger is not balanced: step a/)
    assert.deepEqual(reasons({ freeBytes: 3 * 1024 * 1024 }), [
      'the disk is nearly full: 3 MiB are free',
    ])
    assert.deepEqual(reasons({ problem: 'gone' }), ['the log cannot be read: gone'])
  })
})
