/** Keyed state on a real broker: what commits of one handle, or of several, leave in it. */
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaClient } from './kafka-client.ts'
import { KafkaReader } from './kafka-reader.ts'
import { KafkaState } from './kafka-state.ts'
import { newName, withKafka } from './kafka-testing.ts'
import { OpenTransaction } from './kafka-testing-writes.ts'
import { KafkaTopics } from './kafka-topics.ts'

/** What one process has: connections, a reader, state. */
class Handle {
  readonly client: KafkaClient
  readonly topics: KafkaTopics
  readonly state: KafkaState
  readonly #reader: KafkaReader

  constructor(brokers: readonly string[]) {
    this.client = new KafkaClient({ brokers, clientId: 'state-test' })
    this.topics = new KafkaTopics(this.client)
    this.#reader = new KafkaReader(this.client, async (topic, partition) => {
      return (await this.topics.offsets(topic, partition)).start
    })
    this.state = new KafkaState({
      topics: this.topics,
      read: (topic, partition, offset) => this.#reader.read(topic, partition, offset),
      offsets: (topic, partition) => this.topics.offsets(topic, partition),
    })
  }

  /** A transaction with these changes that is still open. */
  async begin(
    store: string,
    values: Readonly<Record<string, string | null>>,
    partition = 0,
  ): Promise<OpenTransaction> {
    const changes = Object.entries(values).map(([key, value]) => {
      return { store, partition, key, value: value === null ? null : Buffer.from(value) }
    })
    const open = await new OpenTransaction(this.client).begin()
    for (const output of await this.state.changesToOutputs(changes)) await open.writeOutput(output)
    return open
  }

  async commit(...change: Parameters<Handle['begin']>): Promise<void> {
    await (await this.begin(...change)).end(true)
  }

  async values(store: string, keys: readonly string[], partition = 0) {
    const found = await this.state.state(store, partition, keys)
    return Object.fromEntries([...found].map(([key, value]) => [key, value.toString()]))
  }

  async close(): Promise<void> {
    await this.#reader.close()
    await this.client.close()
  }
}

withKafka('keyed state on Kafka', (cluster) => {
  const handles: Handle[] = []
  let one: Handle
  let other: Handle

  const open = () => {
    const made = new Handle(cluster().bootstrapServers.split(','))
    handles.push(made)
    return made
  }

  before(() => {
    one = open()
    other = open()
  })

  after(async () => {
    for (const handle of handles) await handle.close()
  })

  it('is seen by every handle as soon as it is committed, deletes too', async () => {
    const store = newName('seen')
    assert.deepEqual(await one.values(store, ['a']), {})
    for (let round = 0; round < 15; round++) {
      const [writer, reader] = round % 2 === 0 ? [one, other] : [other, one]
      const a = round % 5 === 4 ? null : `${round}`
      await writer.commit(store, { a, b: `${round}`, [`ключ ${round}`]: '' })
      const expected = { ...(a === null ? {} : { a }), b: `${round}`, [`ключ ${round}`]: '' }
      for (const handle of [reader, writer]) {
        assert.deepEqual(await handle.values(store, ['a', 'b', `ключ ${round}`, 'c']), expected)
      }
    }
    const { a: _, ...rest } = await open().values(store, ['a', 'b', 'ключ 3'])
    assert.deepEqual(rest, { b: '14', 'ключ 3': '' }, 'after a start')
  })

  it('has nothing of what was aborted, and waits for what is undecided', async () => {
    const store = newName('undecided')
    await one.commit(store, { a: 'old', b: 'old' })
    await (await one.begin(store, { a: 'aborted', c: 'aborted' })).end(false)
    assert.deepEqual(await other.values(store, ['a', 'b', 'c']), { a: 'old', b: 'old' })
    const undecided = await one.begin(store, { a: 'new', b: null })
    let isKnown = false
    const asked = other.values(store, ['a', 'b']).finally(() => {
      isKnown = true
    })
    await sleep(300)
    assert.equal(isKnown, false, 'nobody can know yet')
    await undecided.end(true)
    assert.deepEqual(await asked, { a: 'new' })
  })

  it('shows a commit whole to many who ask at once', async () => {
    const store = newName('whole')
    const keys = Array.from({ length: 20 }, (_, number) => `${number}`)
    let isDone = false
    const asking = Array.from({ length: 4 }, async (_, index) => {
      const handle = index % 2 === 0 ? one : other
      let last = -1
      while (!isDone) {
        const seen = new Set(Object.values(await handle.values(store, keys)))
        assert.ok(seen.size <= 1, `parts of ${[...seen]}`)
        const now = Number([...seen][0] ?? -1)
        assert.ok(now >= last, `${now} after ${last}`)
        last = now
      }
    })
    for (let round = 0; round < 15; round++) {
      const writing = await one.begin(store, Object.fromEntries(keys.map((key) => [key, '-'])))
      // The last change of a key counts, and this is a second batch of the same commit.
      const changes = keys.map((key) => {
        return { store, partition: 0, key, value: Buffer.from(`${round}`) }
      })
      const [second] = await one.state.changesToOutputs(changes)
      await writing.writeOutput(second!)
      await writing.end(round % 4 !== 3)
    }
    isDone = true
    await Promise.all(asking)
    assert.equal((await other.values(store, ['7']))['7'], '14')
  })

  it('is apart by partition; the changelog grows with them and is compacted', async () => {
    const store = `${newName('apart')} ü/`
    await one.commit(store, { a: 'zero' }, 0)
    await other.commit(store, { a: 'four' }, 4)
    await one.commit(store, { a: 'two' }, 2)
    for (const handle of [one, other]) {
      const values = [0, 1, 2, 4, 9].map((partition) => handle.values(store, ['a'], partition))
      const found = (await Promise.all(values)).map(({ a }) => a)
      assert.deepEqual(found, ['zero', undefined, 'two', 'four', undefined])
    }
    const [output] = await one.state.changesToOutputs([
      { store, partition: 0, key: 'a', value: null },
    ])
    const topic = await one.topics.topic(output!.topic)
    assert.partialDeepStrictEqual(topic, { cleanup: 'compact', partitions: 8 })
  })

  it('is forgotten whole, at every handle; the store may be used again', async () => {
    const store = newName('forgotten')
    await one.commit(store, { a: 'old', b: 'old' })
    assert.deepEqual(await other.values(store, ['a']), { a: 'old' })
    await one.state.deleteState(store)
    await one.state.deleteState(store)
    assert.deepEqual(await one.values(store, ['a', 'b']), {})
    assert.deepEqual(await other.values(store, ['a', 'b']), {})
    await one.commit(store, { a: 'new' })
    for (const handle of [one, other]) {
      assert.deepEqual(await handle.values(store, ['a', 'b']), { a: 'new' })
    }
    await one.state.deleteState(store)
    await one.commit(store, { b: 'anew' })
    assert.deepEqual(await other.values(store, ['a', 'b']), { b: 'anew' }, 'made anew unseen')
  })
})
