/**
 * How far a broker's clock is from ours. No answer of Kafka holds the time, but a transaction that
 * is open has the time at which its coordinator saw it begin: so an empty one is begun and aborted.
 */
import {
  addOffsetsToTxnV3,
  describeTransactionsV0,
  endTxnV3,
  initProducerIdV4,
} from '@platformatic/kafka'
import type { KafkaClient } from './kafka-client.ts'
import { faultOf } from './kafka-faults.ts'

export interface ClockSight {
  /** Positive: the broker's clock is ahead. Its true value is within `errorMs` of it. */
  readonly aheadMs: number
  readonly errorMs: number
}

const lane = 'doctor'
const timeoutMs = 10_000

/** Throws what `faultOf` explains. */
export async function measureClock(
  client: KafkaClient,
  { transactionalId, group }: { readonly transactionalId: string; readonly group: string },
  now: () => number = Date.now,
): Promise<ClockSight> {
  const node = await client.coordinator('transaction', transactionalId)
  const start = () =>
    client.call(node, lane, initProducerIdV4.api, transactionalId, timeoutMs, -1n, -1)
  // The end of an earlier one may still be under way.
  const canRetry = (id: string) => id === 'CONCURRENT_TRANSACTIONS' || id.startsWith('COORDINATOR')
  const patience = { canRetry, untilMs: Date.now() + timeoutMs }
  const { producerId, producerEpoch } = await client.patiently('the clock', start, patience)
  const producer = [transactionalId, producerId, producerEpoch] as const
  const beforeMs = now()
  await client.call(node, lane, addOffsetsToTxnV3.api, ...producer, group)
  const afterMs = now()
  try {
    const asked = client.call(node, lane, describeTransactionsV0.api, [transactionalId])
    const beganMs = Number((await asked).transactionStates[0]?.transactionStartTimeMs ?? -1n)
    if (beganMs < 0) throw new Error('the broker does not say when the transaction began')
    return skewOf(beforeMs, afterMs, beganMs)
  } finally {
    const end = () => client.call(node, lane, endTxnV3.api, ...producer, false)
    await client.patiently('the clock', end, patience).catch((error) => {
      // It is aborted by its timeout.
      if (faultOf(error).id === 'UNKNOWN') throw error
    })
  }
}

/** The broker looked at its clock at some moment between the two. */
export function skewOf(beforeMs: number, afterMs: number, beganMs: number): ClockSight {
  const errorMs = (afterMs - beforeMs) / 2
  return { aheadMs: beganMs - (beforeMs + errorMs), errorMs }
}
