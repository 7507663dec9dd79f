import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BatchBuilder } from '../core/batch-builder.ts'
import { createMemoryLog } from '../log/memory.ts'
import { decodeRows } from './decode.ts'
import { JoinState } from './join.ts'
import { Counters } from './ledger.ts'
import { Rows } from './rows.ts'
import type { StepContext } from './run-steps.ts'

function rowsOf(keys: readonly string[]): Rows {
  const builder = new BatchBuilder('t', 0)
  for (const key of keys) builder.append(key, JSON.stringify({ key }), 0)
  const rows = new Rows(builder.build())
  decodeRows(rows, undefined)
  return rows
}

describe('the state of a join', () => {
  it('finds what waits also when its commit ends while the log is asked', async () => {
    const log = createMemoryLog()
    const asked = Promise.withResolvers<void>()
    const slow = { ...log, state: () => asked.promise.then(() => new Map<string, Buffer>()) }
    const join = new JoinState(slow, 'store', 0, 'other')
    const context = { counters: new Counters(['join']), failures: [] } as unknown as StepContext
    const left = join.apply(rowsOf(['a']), 'left', 0, context)
    asked.resolve()
    await left
    join.take()
    const later = Promise.withResolvers<void>()
    slow.state = () => later.promise.then(() => new Map())
    const right = rowsOf(['a', 'b'])
    const joined = join.apply(right, 'right', 0, context)
    join.committed(1)
    later.resolve()
    await joined
    assert.equal(right.count, 1)
    await log.close()
  })
})
