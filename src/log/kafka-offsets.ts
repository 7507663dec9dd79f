/**
 * Where partitions start and end, and what offset a time has: asked of their leaders. What is asked
 * in the same turn of the event loop goes in one request a leader.
 */
import { listOffsetsV7 } from '@platformatic/kafka'
import { fail } from '../core/errors.ts'
import { withErrors } from './kafka-answer.ts'
import type { KafkaClient } from './kafka-client.ts'
import { faultError } from './kafka-faults.ts'

export type OffsetQuestion =
  /** The oldest message kept. */
  | 'start'
  /** Behind the last message that is decided: nothing before it is of an open transaction. */
  | 'end'
  /** Behind all that is written, also of transactions that are still open. */
  | 'written'
  /** The first message or marker at or after this time, of those that are decided. */
  | number

interface Ask {
  readonly topic: string
  readonly partition: number
  readonly question: OffsetQuestion
  readonly resolve: (offset: number) => void
  readonly reject: (error: unknown) => void
}

const lane = 'admin'

export class KafkaOffsets {
  readonly #client: KafkaClient
  #asks: Ask[] = []

  constructor(client: KafkaClient) {
    this.#client = client
  }

  /** -1 for a time that no message has. Throws `TOPIC_UNKNOWN`, `LOG_UNREACHABLE`. */
  find(topic: string, partition: number, question: OffsetQuestion): Promise<number> {
    const where = `offsets of ${topic}/${partition}`
    return this.#client.patiently(where, async () => {
      await this.#checkThere(topic, partition)
      return new Promise<number>((resolve, reject) => {
        this.#asks.push({ topic, partition, question, resolve, reject })
        if (this.#asks.length === 1) setImmediate(() => void this.#askAll())
      })
    })
  }

  /** A topic may have got more partitions since it was last looked at. */
  async #checkThere(topic: string, partition: number): Promise<void> {
    let found = await this.#client.topic(topic)
    if (found !== undefined && partition >= found.leaders.length) {
      this.#client.forgetTopic(topic)
      found = await this.#client.topic(topic)
    }
    if (found === undefined) throw fail('TOPIC_UNKNOWN', `there is no topic ${topic}`)
    const count = found.leaders.length
    if (!(partition >= 0 && partition < count)) {
      throw fail(
        'TOPIC_UNKNOWN',
        `topic ${topic} has ${count} partitions, there is no ${partition}`,
      )
    }
  }

  async #askAll(): Promise<void> {
    const asks = this.#asks
    this.#asks = []
    // A request may name a partition once, so each question is a request of its own.
    const requests = Map.groupBy(await this.#withLeaders(asks), ({ leader, ask }) => {
      return `${leader} ${ask.question}`
    })
    await Promise.all(
      requests.values().map((of) => {
        return this.#ask(
          of[0]!.leader,
          of.map(({ ask }) => ask),
        )
      }),
    )
  }

  async #withLeaders(asks: readonly Ask[]): Promise<{ leader: number; ask: Ask }[]> {
    const found: { leader: number; ask: Ask }[] = []
    for (const ask of asks) {
      try {
        found.push({ leader: await this.#client.leaderOf(ask.topic, ask.partition), ask })
      } catch (error) {
        ask.reject(error)
      }
    }
    return found
  }

  async #ask(leader: number, asks: readonly Ask[]): Promise<void> {
    const { question } = asks[0]!
    try {
      const answer = await withErrors(
        this.#client.call(
          leader,
          lane,
          listOffsetsV7.api,
          -1,
          question === 'written' ? 0 : 1,
          topicsOf(asks),
        ),
      )
      const found = new Map<string, listOffsetsV7.ListOffsetResponsePartition>()
      for (const { name, partitions } of answer.topics) {
        for (const one of partitions) found.set(`${name}/${one.partitionIndex}`, one)
      }
      for (const ask of asks) answerTo(ask, found.get(`${ask.topic}/${ask.partition}`))
    } catch (error) {
      for (const { reject } of asks) reject(error)
    }
  }
}

function topicsOf(asks: readonly Ask[]): listOffsetsV7.ListOffsetsRequestTopic[] {
  const timestamp = timestampOf(asks[0]!.question)
  return [...Map.groupBy(asks, ({ topic }) => topic)].map(([name, ofTopic]) => {
    const numbers = new Set(ofTopic.map(({ partition }) => partition))
    const partitions = [...numbers].map((partitionIndex) => {
      return { partitionIndex, currentLeaderEpoch: -1, timestamp }
    })
    return { name, partitions }
  })
}

function timestampOf(question: OffsetQuestion): bigint {
  if (question === 'start') return -2n
  if (question === 'end' || question === 'written') return -1n
  return BigInt(question)
}

function answerTo(ask: Ask, answer: listOffsetsV7.ListOffsetResponsePartition | undefined): void {
  const where = `offsets of ${ask.topic}/${ask.partition}`
  if (answer === undefined) ask.reject(faultError(3, where))
  else if (answer.errorCode !== 0) ask.reject(faultError(answer.errorCode, where))
  else ask.resolve(Number(answer.offset))
}
