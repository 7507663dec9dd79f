import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ResponseError } from '@platformatic/kafka'
import { faultOf } from './kafka-faults.ts'

const notAttempted = 55
const unknownTopic = 3

/** An answer in which the parts have these error codes. */
const answered = (...codes: number[]) =>
  new ResponseError(
    24,
    3,
    Object.fromEntries(codes.map((code, part) => [`/${part}`, [code, null]])),
    {},
  )

describe('what a broker answered', () => {
  it('is why something was not done, and not that other parts were left undone with it', () => {
    for (const codes of [
      [notAttempted, unknownTopic, notAttempted],
      [unknownTopic, notAttempted],
    ]) {
      const { id, canRetry } = faultOf(answered(...codes))
      assert.deepEqual([id, canRetry], ['UNKNOWN_TOPIC_OR_PARTITION', true])
    }
    assert.equal(faultOf(answered(notAttempted)).id, 'OPERATION_NOT_ATTEMPTED')
  })
})
