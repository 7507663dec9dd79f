import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  endTxnV3,
  initProducerIdV4,
  txnOffsetCommitV3,
} from '@platformatic/kafka'
import { BatchBuilder } from '../core/batch-builder.ts'
import { codeOf, fail } from '../core/errors.ts'
import type { KafkaClient } from './kafka-client.ts'
import { faultError } from './kafka-faults.ts'
import { TransactionalProducer, type TransactionOffsets } from './kafka-transaction.ts'
import { produce } from './kafka-wire.ts'
import { encodeRecordBatch } from './record-batch.ts'

const clock = { now: () => 0, sleep: async () => undefined }
const notEnoughReplicas = 19
const tooLarge = 10

type Answer = (...args: unknown[]) => unknown

/** A cluster of one broker that answers as it is told. */
class Cluster {
  readonly asked: string[] = []
  readonly epochs: number[] = []
  readonly answers: Record<string, Answer> = {
    begin: () => ({ producerId: 7n, producerEpoch: this.asked.filter(isBegin).length }),
    add: () => ({}),
    offsets: () => ({}),
    commit: () => ({}),
    end: () => ({}),
    produce: () => this.#produced(0),
  }

  /** Answers to a produce to topic `out`. */
  produced(...codes: number[]): void {
    this.answers.produce = () => this.#produced(codes.shift() ?? 0)
  }

  producer(): TransactionalProducer {
    const client = {
      coordinator: async () => 1,
      leaderOf: async () => 1,
      forgetTopic: () => undefined,
      forgetCoordinator: () => undefined,
      closeLane: async () => undefined,
      patiently: (_: string, work: () => Promise<unknown>) => work(),
      call: async (_node: number, _lane: string, api: unknown, ...args: unknown[]) => {
        const name = names.get(api)!
        this.asked.push(name)
        return this.answers[name]!(...args)
      },
    }
    const options = { client: client as unknown as KafkaClient, clock, transactionalId: 'one' }
    return new TransactionalProducer(options)
  }

  #produced(errorCode: number) {
    return [{ topic: 'out', partition: 0, errorCode, baseOffset: 5, message: null }]
  }
}

const isBegin = (name: string) => name === 'begin'
const names = new Map<unknown, string>([
  [initProducerIdV4.api, 'begin'],
  [addPartitionsToTxnV3.api, 'add'],
  [addOffsetsToTxnV3.api, 'offsets'],
  [txnOffsetCommitV3.api, 'commit'],
  [endTxnV3.api, 'end'],
  [produce, 'produce'],
])

const offsets: TransactionOffsets = {
  ...{ group: 'group', memberId: 'member', generation: 1 },
  checkpoints: [{ topic: 'in', partition: 0, offset: 3, metadata: '' }],
}

function transaction(of: TransactionOffsets | undefined = offsets) {
  const builder = new BatchBuilder('out', 0)
  builder.append('key', 'value', 1)
  const batch = builder.build()
  const bytes = encodeRecordBatch(batch, { from: 0, to: 1, compression: 'none' })
  return { parts: [{ topic: 'out', partition: 0, bytes, count: 1 }], offsets: of }
}

describe('a Kafka transaction', () => {
  it('is not written once more where it is not known how it ended', async () => {
    const cases = [
      { of: offsets, code: 'MEMBER_FENCED' },
      { of: undefined, code: 'LOG_UNREACHABLE' },
    ]
    for (const { of, code } of cases) {
      for (const error of [
        fail('LOG_UNREACHABLE', 'no answer for a minute', { waitMs: 1 }),
        faultError(15, 'no coordinator for a minute'),
      ]) {
        const cluster = new Cluster()
        cluster.answers.end = () => {
          throw error
        }
        const running = cluster.producer().run({ ...transaction(), offsets: of })
        await assert.rejects(running, (thrown) => codeOf(thrown) === code)
        assert.equal(cluster.asked.filter((name) => name === 'produce').length, 1)
      }
    }
  })

  it('is begun anew where its epoch was lost: then nothing of it was done', async () => {
    const cluster = new Cluster()
    let isLost = true
    cluster.answers.end = () => {
      if (!isLost) return {}
      isLost = false
      throw faultError(47, 'end')
    }
    const { baseOffsets } = await cluster.producer().run(transaction())
    assert.deepEqual(baseOffsets, [5])
    assert.equal(cluster.asked.filter((name) => name === 'produce').length, 2)
    assert.equal(cluster.asked.filter(isBegin).length, 2)
  })

  it('sends a batch again that a broker turned away, and aborts nothing for it', async () => {
    const cluster = new Cluster()
    cluster.produced(notEnoughReplicas, notEnoughReplicas)
    await cluster.producer().run(transaction())
    assert.equal(cluster.asked.filter((name) => name === 'produce').length, 3)
    assert.equal(cluster.asked.filter(isBegin).length, 1)
  })

  it('commits no offsets with a later epoch than its own', async () => {
    const cluster = new Cluster()
    cluster.produced(tooLarge)
    const epochs: unknown[] = []
    let tries = 0
    cluster.answers.commit = async (_id, _group, _producer, epoch) => {
      epochs.push(epoch)
      // Later than the answer to the produce.
      for (let turns = 0; turns < 50; turns++) await null
      tries++
      return {}
    }
    await assert.rejects(cluster.producer().run(transaction()), /MESSAGE_TOO_LARGE/)
    const begun = cluster.asked.lastIndexOf('begin')
    assert.equal(tries, 1, 'the commit had ended when the transaction was aborted')
    assert.ok(cluster.asked.lastIndexOf('commit') < begun)
    assert.deepEqual(epochs, [1])
  })
})
