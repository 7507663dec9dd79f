import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { parseCheckpoint, resetCheckpoint } from './checkpoint.ts'
import { Counters } from './ledger.ts'

describe('checkpoints', () => {
  test('refuse what no pipeline wrote', () => {
    for (const metadata of ['', '{', 'null', '{"v":2}', '{"v":1,"from":0}']) {
      assert.throws(
        () => parseCheckpoint('group g', metadata),
        (error) => codeOf(error) === 'CHECKPOINT_UNREADABLE',
        metadata,
      )
    }
  })

  test('start anew when a group is reset, and remember what was written', () => {
    const counters = new Counters(['half', 'to-halves'])
    counters.add(0, 'in', 10)
    counters.add(1, 'passed', 9)
    counters.add(1, 'deadLettered', 1)
    counters.add(2, 'passed', 9)
    const ledger = counters.save()
    const sinks = { file: { sizeBytes: 7 } }
    const wrote = { halves: 9, 'p.dead-letters': 1 }
    const old = {
      v: 1,
      from: 0,
      plan: 'p',
      ledger,
      wrote,
      source: 5,
      done: true,
      sinks,
      sinkCommits: 3,
    } as const
    const once = resetCheckpoint(4, old)
    const kept = { wrote, before: wrote, sinks, sinkCommits: 3 }
    assert.deepEqual(once, { v: 1, from: 4, plan: '', ledger: {}, ...kept })
    const twice = resetCheckpoint(0, { ...once, wrote: { halves: 18 } })
    assert.deepEqual(twice.before, { halves: 18 })
    assert.deepEqual(parseCheckpoint('here', JSON.stringify(twice)), twice)
    assert.deepEqual(resetCheckpoint(2, undefined), { v: 1, from: 2, plan: '', ledger: {} })
  })
})
