import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BatchBuilder } from '../core/batch-builder.ts'
import type { Commit } from '../log/log.ts'
import { type Committable, LaneCommits, nextTurn } from './lane-commits.ts'

/** A batch of the input that ends at `offset`, with one output and one change. */
function work(offset: number, topic = 'given', sizeBytes = 1): Committable {
  const builder = new BatchBuilder('out', 0)
  builder.append(null, String(offset), 0)
  const checkpoint = { topic, partition: 0, offset, metadata: `to ${offset}` }
  const change = { store: 's', partition: 0, key: 'last', value: Buffer.from(String(offset)) }
  const outputs = [{ topic: 'out', partition: 0, batch: builder.build() }]
  return { commit: { outputs, checkpoints: [checkpoint], changes: [change] }, sizeBytes }
}

/** Commits that end when they are told to. */
function held() {
  const begun: { commit: Commit; count: number; end: PromiseWithResolvers<void> }[] = []
  const commits = new LaneCommits<Committable>((commit, { length: count }) => {
    begun.push({ commit, count, end: Promise.withResolvers() })
    return begun.at(-1)!.end.promise
  })
  return { begun, commits }
}

const valuesOf = ({ outputs }: Commit) =>
  outputs.map(({ batch }) => batch.bytes.toString('utf8', 0, batch.valueEnds[0]))

describe('commits of a lane', () => {
  it('take together what came while one was under way, in order, with the last checkpoint of each input', async () => {
    const { begun, commits } = held()
    await commits.add(work(1))
    await nextTurn()
    for (const one of [work(2), work(3), work(7, 'other'), work(4)]) await commits.add(one)
    await nextTurn()
    assert.equal(begun.length, 1)
    begun[0]!.end.resolve()
    await nextTurn()
    assert.equal(begun.length, 2)
    const { commit, count } = begun[1]!
    assert.equal(count, 4)
    assert.deepEqual(valuesOf(commit), ['2', '3', '7', '4'])
    const places = commit.checkpoints!.map(({ topic, offset }) => [topic, offset])
    assert.deepEqual(places, [
      ['given', 4],
      ['other', 7],
    ])
    const changed = commit.changes!.map(({ value }) => String(value))
    assert.deepEqual(changed, ['2', '3', '7', '4'])
    begun[1]!.end.resolve()
    await commits.idle()
    commits.check()
  })

  it('let no more wait than is good for memory', async () => {
    const { begun, commits } = held()
    await commits.add(work(1))
    await nextTurn()
    let isAdded = false
    const adding = commits.add(work(2, 'given', 64 * 1024 * 1024)).then(() => {
      isAdded = true
    })
    await nextTurn()
    assert.equal(isAdded, false)
    begun[0]!.end.resolve()
    await adding
    begun[1]!.end.resolve()
    await commits.idle()
  })

  it('do nothing behind one that failed', async () => {
    const { begun, commits } = held()
    await commits.add(work(1))
    await nextTurn()
    await commits.add(work(2))
    begun[0]!.end.reject(new Error('refused'))
    await assert.rejects(commits.idle(), /refused/)
    assert.throws(() => commits.check(), /refused/)
    await commits.add(work(3))
    await assert.rejects(commits.idle(), /refused/)
    assert.equal(begun.length, 1)
  })
})
