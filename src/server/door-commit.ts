/**
 * Requests that come together are written together: while one commit is on its way the next ones
 * gather, so a hundred clients cost the log hardly more than one. Each request is whole or not there.
 */
import { BatchBuilder } from '../core/batch-builder.ts'
import { orderOf } from '../core/errors.ts'
import type { Commit, Log, Output, TopicInfo } from '../log/log.ts'
import { partitionOf } from '../log/partitioner.ts'
import type { Claim } from './door-book.ts'
import type { Ready } from './door-messages.ts'

/** One commit takes no more than this, so that nobody waits long behind others. */
const groupMessages = 20_000
const groupBytes = 16 * 1024 * 1024

/** Where the messages of a request were put, in their order. */
export interface Places {
  readonly partitions: Int32Array
  readonly offsets: Float64Array
}

export interface Append {
  readonly topic: TopicInfo
  readonly messages: readonly Ready[]
  /** The text that is answered, and kept where there is a claim. */
  readonly answer: (places: Places) => string
  /** Of a request with an Idempotency-Key. */
  readonly claim?: Claim | undefined
}

interface Item {
  readonly append: Append
  readonly resolve: (answer: string) => void
  readonly reject: (error: unknown) => void
}

/** A request inside its commit: which output each message is in, and its place there. */
interface Laid {
  readonly append: Append
  readonly outputs: Int32Array
  readonly places: Places
}

export class GroupCommit {
  readonly #log: Log
  #queue: Item[] = []
  #isRunning = false
  /** Turns of messages without a key, by topic. */
  readonly #turns = new Map<string, number>()

  constructor(log: Log) {
    this.#log = log
  }

  /** The answer, once everything survives a power cut. Throws what `Log.commit` throws. */
  append(append: Append): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ append, resolve, reject })
      if (!this.#isRunning) this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    // Whatever arrived in the same breath goes together.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) await this.#commit(this.#take())
    this.#isRunning = false
  }

  /** The next ones that fit in one commit, of one holder of the turn. */
  #take(): Item[] {
    const page = this.#queue[0]!.append.claim?.page
    let messages = 0
    let bytes = 0
    let count = 0
    for (const { append } of this.#queue) {
      if (append.claim?.page !== page || messages >= groupMessages || bytes >= groupBytes) break
      messages += append.messages.length
      for (const { value, headers } of append.messages) {
        bytes += (value?.length ?? 0) + headers.length
      }
      count++
    }
    return this.#queue.splice(0, count)
  }

  async #commit(items: readonly Item[]): Promise<void> {
    try {
      const answers = await this.#written(items.map(({ append }) => append))
      items.forEach(({ resolve }, index) => {
        resolve(answers[index]!)
      })
    } catch (error) {
      const order = orderOf(error)
      const isOfOne = order === 'misconfigured' || order === 'refused'
      if (isOfOne && items.length > 1) {
        // One topic was deleted meanwhile, say: its neighbours have nothing to do with it.
        for (const item of items) await this.#commit([item])
        return
      }
      for (const { reject } of items) reject(error)
    }
  }

  async #written(appends: readonly Append[]): Promise<string[]> {
    const { outputs, laid } = this.#lay(appends)
    const claims = appends.flatMap(({ claim }) => claim ?? [])
    const [first] = claims
    if (first === undefined) {
      const { baseOffsets } = await this.#log.commit({ outputs })
      return laid.map((one) => answerOf(one, baseOffsets))
    }
    await first.page.refill()
    let answers: string[] = []
    let settle = () => {}
    const commit: Commit = {
      outputs,
      member: first.page.member,
      checkpoints: [first.page.checkpoint()],
      changesOf: ({ baseOffsets }) => {
        answers = laid.map((one) => answerOf(one, baseOffsets))
        const draft = first.page.draft(claims, answers)
        settle = draft.settle
        return draft.changes
      },
    }
    await this.#log.commit(commit)
    settle()
    return answers
  }

  #lay(appends: readonly Append[]): { outputs: Output[]; laid: Laid[] } {
    const numbers = new Map<string, number>()
    const builders: BatchBuilder[] = []
    const laid = appends.map((append): Laid => {
      const { topic, messages } = append
      const places = {
        partitions: new Int32Array(messages.length),
        offsets: new Float64Array(messages.length),
      }
      const outputs = new Int32Array(messages.length)
      messages.forEach((message, index) => {
        const partition = this.#partition(topic, message)
        const name = `${topic.name}/${partition}`
        let number = numbers.get(name)
        if (number === undefined) {
          number = builders.push(new BatchBuilder(topic.name, partition)) - 1
          numbers.set(name, number)
        }
        const builder = builders[number]!
        outputs[index] = number
        places.partitions[index] = partition
        places.offsets[index] = builder.count
        builder.append(message.key, message.value, message.time, message.headers)
      })
      return { append, outputs, places }
    })
    const outputs = builders.map((builder) => {
      const { topic, partition } = builder
      return { topic, partition, batch: builder.build() }
    })
    return { outputs, laid }
  }

  #partition({ identity, partitions }: TopicInfo, { key }: Ready): number {
    if (key !== null) return partitionOf(key, partitions, 0)
    const turn = this.#turns.get(identity) ?? 0
    this.#turns.set(identity, (turn + 1) % partitions)
    return partitionOf(null, partitions, turn)
  }
}

function answerOf({ append, outputs, places }: Laid, baseOffsets: readonly number[]): string {
  const { partitions } = places
  // What was laid stays as it is: a transaction may be tried again.
  const offsets = places.offsets.map((place, index) => baseOffsets[outputs[index]!]! + place)
  return append.answer({ partitions, offsets })
}
