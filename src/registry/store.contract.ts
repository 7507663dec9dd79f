/** The law of artefact stores: one suite that every implementation passes. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { codeOf, type ErrorCode } from '../core/errors.ts'
import type { ArtefactStore } from './store.ts'

/** A place for artefacts that was just made, empty. */
export interface StoreSetup {
  /** A handle on the place; each call gives one of its own, as another process would have. */
  open(): ArtefactStore
  /** Puts bytes there behind the store's back, under a name of its kind (`HASH.model`) or any other. */
  plant(name: string, bytes: Uint8Array): Promise<void>
  remove(): Promise<void>
}

export function artefactStoreContract(name: string, setUp: () => Promise<StoreSetup>): void {
  const law = (words: string, work: (store: ArtefactStore, setup: StoreSetup) => Promise<void>) =>
    it(words, async () => {
      const setup = await setUp()
      const store = setup.open()
      try {
        await work(store, setup)
      } finally {
        await store.close()
        await setup.remove()
      }
    })

  describe(`contract: registry/${name}`, () => {
    keepingLaws(law)
    refusingLaws(law)
    sharingLaws(law)
  })
}

type Law = (words: string, work: (store: ArtefactStore, setup: StoreSetup) => Promise<void>) => void

function keepingLaws(law: Law): void {
  law('gives back what was put, under the SHA-256 of its bytes', async (store) => {
    for (const bytes of [some('a'), Buffer.alloc(0), everyByte(3_000_001)]) {
      const hash = await store.put(bytes)
      assert.equal(hash, hashOf(bytes))
      assert.ok((await store.get(hash)).equals(bytes))
      assert.equal(await store.has(hash), true)
    }
  })

  law('is empty at first, and then lists what was put, sorted', async (store) => {
    assert.deepEqual(await store.list(), [])
    const hashes: string[] = []
    for (const word of ['a', 'b', 'c', 'd']) hashes.push(await store.put(some(word)))
    assert.deepEqual(await store.list(), hashes.sort())
  })

  law('takes the same bytes again as the same artefact', async (store) => {
    const hash = await store.put(some('a'))
    assert.equal(await store.put(some('a')), hash)
    assert.deepEqual(await store.list(), [hash])
  })

  law('keeps what was put when the caller changes its buffers', async (store) => {
    const bytes = some('mine')
    const putting = store.put(bytes)
    bytes.fill(0)
    const hash = await putting
    assert.equal(hash, hashOf(some('mine')))
    const first = await store.get(hash)
    first.fill(0)
    assert.ok((await store.get(hash)).equals(some('mine')))
  })

  law('deletes, also what is not there, and takes it again', async (store) => {
    const [hash, other] = [await store.put(some('a')), await store.put(some('b'))]
    await store.delete(hash)
    await store.delete(hash)
    assert.equal(await store.has(hash), false)
    await refuses('MODEL_UNKNOWN', store.get(hash))
    assert.deepEqual(await store.list(), [other])
    await store.put(some('a'))
    assert.ok((await store.get(hash)).equals(some('a')))
  })

  law('is closed twice', async (store, setup) => {
    const second = setup.open()
    await second.list()
    await second.close()
    await second.close()
    assert.ok(store.where.length > 0)
  })
}

function refusingLaws(law: Law): void {
  law('says which artefact is not there', async (store) => {
    const hash = hashOf(some('never put'))
    const error = await refuses('MODEL_UNKNOWN', store.get(hash))
    assert.match(error.message, new RegExp(hash))
    assert.equal(await store.has(hash), false)
  })

  law('refuses what is no hash, so that no name leads elsewhere', async (store) => {
    const hash = await store.put(some('a'))
    const wrong = ['', '..', '../../etc/passwd', hash.toUpperCase(), hash.slice(1), `${hash}0`]
    for (const name of [...wrong, `${hash}/../${hash}`, `${hash}\n`, '%2e%2e']) {
      await refuses('MODEL_UNKNOWN', store.get(name))
      await refuses('MODEL_UNKNOWN', store.has(name))
      await refuses('MODEL_UNKNOWN', store.delete(name))
    }
  })

  law(
    'refuses bytes that are cut, altered, longer or foreign; putting repairs',
    async (store, { plant }) => {
      const bytes = everyByte(4096)
      const hash = await store.put(bytes)
      const altered = Buffer.from(bytes)
      altered[2000]! ^= 1
      const longer = Buffer.concat([bytes, Buffer.alloc(1)])
      const cuts = [0, 1, 2048, 4095].map((end) => bytes.subarray(0, end))
      for (const damaged of [...cuts, altered, longer, some('foreign')]) {
        await plant(`${hash}.model`, damaged)
        const error = await refuses('MODEL_DAMAGED', store.get(hash))
        assert.match(error.message, new RegExp(hash))
        assert.equal(await store.put(bytes), hash)
        assert.ok((await store.get(hash)).equals(bytes))
      }
    },
  )

  law('leaves alone what is not its own', async (store, { plant }) => {
    const hash = await store.put(some('a'))
    const foreign = ['README.txt', 'sub.model', `${hash}.model.bak`, `x${hash}.model`, hash]
    for (const name of foreign) await plant(name, some('foreign'))
    assert.deepEqual(await store.list(), [hash])
    await store.put(some('b'))
    assert.equal((await store.list()).length, 2)
  })
}

function sharingLaws(law: Law): void {
  law('is seen by another handle as soon as it is put', async (store, setup) => {
    const other = setup.open()
    const hash = await store.put(some('a'))
    assert.ok((await other.get(hash)).equals(some('a')))
    await other.delete(hash)
    assert.equal(await store.has(hash), false)
    await other.close()
  })

  law('takes puts from several hands at once, of the same and of others', async (store, setup) => {
    const others = [setup.open(), setup.open()]
    const words = ['a', 'b', 'c', 'same', 'same', 'same']
    const puts = [store, ...others].flatMap((one) => words.map((word) => one.put(some(word))))
    const hashes = await Promise.all(puts)
    const expected = [...new Set(words)].map((word) => hashOf(some(word))).sort()
    assert.deepEqual([...new Set(hashes)].sort(), expected)
    assert.deepEqual(await store.list(), expected)
    for (const hash of expected) assert.equal(hashOf(await store.get(hash)), hash)
    for (const other of others) await other.close()
  })
}

async function refuses(code: ErrorCode, promise: Promise<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    assert.equal(codeOf(error), code, String(error))
    return error as Error
  }
  assert.fail(`nothing was thrown, not ${code}`)
}

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const some = (word: string) => Buffer.from(`artefact ${word} ${'x'.repeat(100)}`)
const everyByte = (sizeBytes: number) =>
  Buffer.from(Uint8Array.from({ length: sizeBytes }, (_, at) => (at * 7) % 256))
