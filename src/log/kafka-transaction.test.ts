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
import { produce, produceAndAdd } from './kafka-wire.ts'
import { commitOffsetsAndAdd, endAndBump } from './kafka-wire-transactions.ts'
import { encodeRecordBatch } from './record-batch.ts'

const notEnoughReplicas = 19
const tooLarge = 10
const unknownTopic = 3

type Answer = (...args: unknown[]) => unknown

/** A cluster of one broker that answers as it is told. */
class Cluster {
  readonly asked: string[] = []
  /** Of what ended, by the second protocol. */
  readonly epochs: unknown[] = []
  nowMs = 0
  sleptMs = 0
  /** What metadata tells of topics. */
  isThere = true
  readonly transactionVersion: number
  readonly answers: Record<string, Answer> = {
    begin: () => ({ producerId: 7n, producerEpoch: this.asked.filter(isBegin).length }),
    add: () => ({}),
    offsets: () => ({}),
    commit: () => ({}),
    end: () => ({}),
    produce: () => this.#produced(0),
    'produce and add': () => this.#produced(0),
    'commit and add': () => ({}),
    'end and bump': (_id, producerId, producerEpoch) => {
      this.epochs.push(producerEpoch)
      return { producerId, producerEpoch: Number(producerEpoch) + 1 }
    },
  }

  constructor(transactionVersion = 0) {
    this.transactionVersion = transactionVersion
  }

  /** Answers to a produce to topic `out`. */
  produced(...codes: number[]): void {
    this.answers.produce = () => this.#produced(codes.shift() ?? 0)
  }

  producer(onProducerId?: (id: bigint) => Promise<void>): TransactionalProducer {
    const client = {
      coordinator: async () => 1,
      leaderOf: async () => 1,
      topic: async (name: string) => (this.isThere ? { name } : undefined),
      forgetTopic: () => undefined,
      forgetCoordinator: () => undefined,
      closeLane: async () => undefined,
      transactionVersion: async () => this.transactionVersion,
      patiently: (_: string, work: () => Promise<unknown>) => work(),
      call: async (_node: number, _lane: string, api: unknown, ...args: unknown[]) => {
        const name = names.get(api)!
        this.asked.push(name)
        return this.answers[name]!(...args)
      },
    }
    const sleep = async (waitMs: number) => {
      this.sleptMs += waitMs
    }
    const clock = { now: () => this.nowMs, sleep }
    const known = client as unknown as KafkaClient
    const noted = onProducerId === undefined ? {} : { onProducerId }
    const options = { client: known, clock, transactionalId: 'one', ...noted }
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
  [produceAndAdd, 'produce and add'],
  [commitOffsetsAndAdd, 'commit and add'],
  [endAndBump, 'end and bump'],
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

  it('waits a second for a topic that is not there, longer where some broker knows it', async () => {
    const gone = new Cluster()
    gone.isThere = false
    gone.answers.produce = () => {
      throw faultError(unknownTopic, 'produce')
    }
    await assert.rejects(
      gone.producer().run(transaction()),
      /topic out: UNKNOWN_TOPIC_OR_PARTITION/,
    )
    assert.ok(gone.sleptMs > 300 && gone.sleptMs < 2000, `${gone.sleptMs} ms`)

    const looked = new Cluster()
    looked.isThere = false
    looked.answers.commit = gone.answers.produce
    await assert.rejects(looked.producer().run(transaction(), 1), /UNKNOWN_TOPIC_OR_PARTITION/)
    assert.equal(looked.sleptMs, 0)

    const late = new Cluster()
    late.produced(...new Array<number>(10).fill(unknownTopic))
    assert.deepEqual((await late.producer().run(transaction())).baseOffsets, [5])
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

  it('of the second protocol is added by being written, and has an epoch of its own', async () => {
    const cluster = new Cluster(2)
    const producer = cluster.producer()
    await producer.run(transaction())
    const written = ['commit and add', 'produce and add', 'end and bump']
    assert.deepEqual(cluster.asked, ['begin', ...written])
    // The markers of the one before may still be under way: the coordinator is asked for them.
    cluster.nowMs += 1
    await producer.run(transaction())
    assert.deepEqual(cluster.asked.slice(4), ['add', 'offsets', ...written])
    cluster.nowMs += 1000
    await producer.run(transaction())
    assert.deepEqual(cluster.asked.slice(9), written)
    assert.deepEqual(cluster.epochs, [1, 2, 3])
  })

  it('stays committed where the next producer id cannot be noted', async () => {
    const cluster = new Cluster(2)
    cluster.answers['end and bump'] = () => ({ producerId: 8n, producerEpoch: 0 })
    const noted: bigint[] = []
    const producer = cluster.producer(async (id) => {
      noted.push(id)
      if (id === 8n) throw fail('LOG_UNREACHABLE', 'not now', { waitMs: 1 })
    })
    assert.deepEqual((await producer.run(transaction())).baseOffsets, [5])
    await producer.run(transaction())
    assert.equal(cluster.asked.filter(isBegin).length, 2, 'the next one begins anew')
    assert.deepEqual(noted, [7n, 8n, 8n])
  })
})
