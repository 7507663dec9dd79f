/**
 * The requests of Kafka's second transaction protocol (KIP-890, transaction.version 2, Kafka 4.0 and
 * later) that the client library does not have: partitions and offsets are added by being written, and
 * each transaction has an epoch of its own, so that nothing late can be taken for part of the next.
 */
import {
  createAPI,
  endTxnV4,
  type Reader,
  ResponseError,
  txnOffsetCommitV4,
} from '@platformatic/kafka'

export interface NextEpoch {
  /** Another one where the epochs of the one before are used up. */
  readonly producerId: bigint
  readonly producerEpoch: number
}

type EndArguments = Parameters<typeof endTxnV4.createRequest>

/** Resolves with what the next transaction is written by. */
export const endAndBump = createAPI<EndArguments, NextEpoch>(
  ...([26, 5, endTxnV4.createRequest, nextEpoch] as const),
)

function nextEpoch(_id: number, key: number, version: number, reader: Reader): NextEpoch {
  reader.skip(4)
  const errorCode = reader.readInt16()
  const next = { producerId: reader.readInt64(), producerEpoch: reader.readInt16() }
  if (errorCode !== 0) throw new ResponseError(key, version, { '/': [errorCode, null] }, next)
  return next
}

type OffsetArguments = Parameters<typeof txnOffsetCommitV4.createRequest>

/** The group becomes part of the transaction by it. */
export const commitOffsetsAndAdd = createAPI<
  OffsetArguments,
  ReturnType<typeof txnOffsetCommitV4.parseResponse>
>(...([28, 5, txnOffsetCommitV4.createRequest, txnOffsetCommitV4.parseResponse] as const))
