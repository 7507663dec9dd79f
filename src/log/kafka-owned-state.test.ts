import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { type Change, contentOf, FakeChangelog } from './kafka-owned-state-testing.ts'
import type { KafkaOwnedStates } from './kafka-owned-states.ts'
import { refusedWith } from './log.contract.support.ts'
import type { OwnedState } from './log.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

async function withChangelog(work: (changelog: FakeChangelog, folder: string) => Promise<void>) {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-owned-'))
  try {
    await work(new FakeChangelog(folder), folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Opens it, and what there was to read then. */
async function opened(states: KafkaOwnedStates) {
  const totals: number[] = []
  const onProgress = (_: number, total: number) => void totals.push(total)
  const state = await states.open('s', 0, { onProgress })
  return { state, total: totals.at(-1)! }
}

/** What a process that is killed now leaves to the next. */
async function afterKill(folder: string, work: (copy: string) => Promise<void>): Promise<void> {
  const copy = `${folder}-left`
  cpSync(folder, copy, { recursive: true })
  await work(copy).finally(() => rmSync(copy, { recursive: true, force: true }))
}

const numbered = (count: number, value: string): Change[] =>
  Array.from({ length: count }, (_, index) => [`${index}`, value])

describe('owned state on Kafka', () => {
  it('is restored in the order of the changelog, however it is cut', () =>
    withChangelog(async (changelog) => {
      changelog.messagesInRead = 61
      let state = 1
      const next = (below: number) => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
        return Math.floor((state / 0x8000_0000) * below)
      }
      for (let commit = 0; commit < 80; commit++) {
        const changes = Array.from({ length: next(100) + 1 }, (): Change => {
          const key = `the same begin ${['', 'ü', '😀', 'ü😀'][next(4)]}${next(300)}`
          return [key, next(4) === 0 ? null : `${commit}`]
        })
        changelog.write(...changes)
      }
      changelog.stepBytes = 10_000
      const { state: restored } = await opened(changelog.states())
      const expected = changelog.content()
      const found = await contentOf(restored)
      assert.equal(found.length, expected.length)
      for (const [index, entry] of found.entries()) assert.deepEqual(entry, expected[index])
    }))

  it('reads only what came since it was open, also after kill -9', () =>
    withChangelog(async (changelog, folder) => {
      changelog.write(...numbered(500, 'old'))
      const states = changelog.states()
      const first = await opened(states)
      assert.equal(first.total, 501)
      changelog.commit(states, ['a', '1'], ['b', '1'])
      changelog.commit(states, ['a', null])
      await afterKill(folder, async (copy) => {
        const again = await opened(changelog.states(copy))
        assert.equal(again.total, 1, 'a marker')
        assert.deepEqual(await contentOf(again.state), changelog.content())
        await again.state.close()
      })
      await first.state.close()
      changelog.write(['c', 'of another owner'], ['b', null])
      const again = await opened(changelog.states())
      assert.equal(again.total, 4)
      assert.deepEqual(await contentOf(again.state), changelog.content())
    }))

  it('goes on with a restore that was killed, unless that is long ago', () =>
    withChangelog(async (changelog, folder) => {
      changelog.tombstonesMs = 10_000
      changelog.write(['a', '1'])
      await (await opened(changelog.states())).state.close()
      changelog.nowMs += 4_000
      for (let index = 0; index < 24; index++) changelog.write([`${index}`, 'x'.repeat(100)])
      Object.assign(changelog, { messagesInRead: 1, stepBytes: 1500 })
      const left = `${folder}-left`
      changelog.whileReading = () => {
        if (changelog.reads.length !== 23) return
        for (const to of [left, `${folder}-early`]) cpSync(folder, to, { recursive: true })
      }
      await opened(changelog.states())
      try {
        const { state, total } = await opened(changelog.states(left))
        assert.ok(total < 20 && total > 0, `${total} of ${changelog.end}`)
        assert.deepEqual(await contentOf(state), changelog.content())
        await state.close()
        rmSync(left, { recursive: true })
        cpSync(`${folder}-early`, left, { recursive: true })
        changelog.nowMs += 2_000
        const late = await opened(changelog.states(left))
        assert.equal(late.total, changelog.end, 'a half is as old as what it began with')
        await late.state.close()
      } finally {
        for (const name of [left, `${folder}-early`]) rmSync(name, { recursive: true, force: true })
      }
    }))

  it('is made anew where it may have missed a delete that is gone', () =>
    withChangelog(async (changelog) => {
      changelog.tombstonesMs = 10_000
      const life = async (work: (state: OwnedState, states: KafkaOwnedStates) => void) => {
        const states = changelog.states()
        const { state, total } = await opened(states)
        work(state, states)
        const found = await contentOf(state)
        await state.close()
        return { found, total }
      }
      changelog.write(['a', '1'], ['b', '1'], ['c', '1'])
      await life((_, states) => changelog.commit(states, ['c', '2']))
      changelog.nowMs += 4_000
      changelog.write(['a', null])
      assert.equal((await life(() => undefined)).total, 3, 'in time: read on')
      changelog.nowMs += 6_000
      const late = await life(() => undefined)
      assert.equal(late.total, 0, 'nothing came: nothing was missed')
      changelog.nowMs += 6_000
      changelog.write(['b', null], ['d', '1'])
      changelog.compact()
      const { found, total } = await life(() => undefined)
      assert.deepEqual(found, [
        ['c', '2'],
        ['d', '1'],
      ])
      assert.equal(total, changelog.end, 'from the start')
    }))

  it('is made anew with its changelog, and where its place was cut away', () =>
    withChangelog(async (changelog) => {
      changelog.write(['a', '1'], ['b', '1'])
      await (await opened(changelog.states())).state.close()
      changelog.messages.clear()
      Object.assign(changelog, { identity: 'second', end: 0 })
      changelog.write(['c', '1'], ['d', '1'], ['e', '1'])
      const { state } = await opened(changelog.states())
      assert.deepEqual(await contentOf(state), changelog.content())
      await state.close()
      changelog.write(['c', null], ['f', '1'])
      changelog.compact()
      changelog.start = 5
      const cut = await opened(changelog.states())
      assert.deepEqual(await contentOf(cut.state), [['f', '1']])
    }))

  it('is refused where the changelog lost messages, or would', () =>
    withChangelog(async (changelog, folder) => {
      changelog.write(['a', '1'], ['b', '1'])
      await (await opened(changelog.states())).state.close()
      changelog.end = 2
      await refusedWith('CHANGELOG_DAMAGED', opened(changelog.states()))
      await rm(folder, { recursive: true })
      await (await opened(changelog.states())).state.close()
      for (const settings of [{ cleanup: 'delete' }, { cleanup: 'compact', retentionMs: 5 }]) {
        Object.assign(changelog, { settings })
        await refusedWith('TOPIC_DIFFERS', opened(changelog.states()))
      }
      Object.assign(changelog, { settings: { cleanup: 'delete', areSettingsHidden: true } })
      await opened(changelog.states())
    }))

  it('waits for what is undecided, and takes what its process commits meanwhile', () =>
    withChangelog(async (changelog) => {
      const states = changelog.states()
      changelog.write(['a', '1'])
      changelog.written = 4
      await refusedWith('LOG_BUSY', opened(states))
      changelog.write(['a', '2'])
      changelog.written = undefined
      changelog.whileReading = () => {
        changelog.whileReading = undefined
        changelog.commit(states, ['b', '2'])
        changelog.commit(states, ['a', '3'])
        changelog.write(['c', 'of a commit that is not acknowledged'])
      }
      const { state } = await opened(states)
      assert.deepEqual(await contentOf(state), [
        ['a', '3'],
        ['b', '2'],
      ])
    }))
})

describe('owned state on Kafka, what is committed', () => {
  it('covers what others wrote in between only once that was read', () =>
    withChangelog(async (changelog, folder) => {
      const states = changelog.states()
      const { state } = await opened(states)
      changelog.commit(states, ['a', '1'], ['b', '1'])
      changelog.write(['b', 'foreign'], ['c', 'foreign'], ['d', 'foreign'])
      changelog.isSlow = true
      changelog.commit(states, ['a', '2'], ['d', '2'])
      const expected = changelog.content()
      // In the changelog already, when the gap is read.
      const base = changelog.write(['e', '1'], ['a', null])
      // Before the gap was read.
      cpSync(folder, `${folder}-early`, { recursive: true })
      for (let turns = 0; turns < 20; turns++) await turn()
      assert.deepEqual(await contentOf(state), expected)
      const early = await opened(changelog.states(`${folder}-early`))
      assert.ok(early.total > 5, 'the gap is read')
      assert.deepEqual(await contentOf(early.state), changelog.content())
      await early.state.close()
      rmSync(`${folder}-early`, { recursive: true })
      changelog.tell(states, base, [
        ['e', '1'],
        ['a', null],
      ])
      assert.deepEqual(await contentOf(state), changelog.content())
      changelog.commit(states, ['f', '1'])
      await afterKill(folder, async (copy) => {
        const again = await opened(changelog.states(copy))
        assert.equal(again.total, 1, 'only a marker is left')
        assert.deepEqual(await contentOf(again.state), changelog.content())
        await again.state.close()
      })
    }))

  it('is never shown older while a gap is read', () =>
    withChangelog(async (changelog) => {
      Object.assign(changelog, { messagesInRead: 1, isSlow: true })
      const states = changelog.states()
      const { state } = await opened(states)
      changelog.write(['x', 'aborted or foreign'])
      for (let round = 1; round < 40; round++) {
        changelog.commit(states, ['a', `${round}`])
        assert.equal((await state.get(['a'])).get('a')?.toString(), `${round}`)
        await turn()
        assert.equal((await state.get(['a'])).get('a')?.toString(), `${round}`)
      }
      const base = changelog.write(['a', 'next'], ['b', 'next'])
      for (let turns = 0; turns < 200; turns++) await turn()
      assert.deepEqual(await contentOf(state), [
        ['a', '39'],
        ['x', 'aborted or foreign'],
      ])
      changelog.tell(states, base, [
        ['a', 'next'],
        ['b', 'next'],
      ])
      assert.deepEqual(await contentOf(state), changelog.content())
    }))

  it('is lost where a commit of its member failed, where offsets fall back, and at the end', () =>
    withChangelog(async (changelog) => {
      const states = changelog.states()
      const { state } = await opened(states)
      changelog.commit(states, ['a', '1'])
      states.failed({} as never, [])
      await contentOf(state)
      states.failed(undefined, [])
      await refusedWith('STATE_LOST', contentOf(state))
      changelog.write(['a', 'by whoever has it now'])
      const again = await opened(states)
      assert.deepEqual(await contentOf(again.state), changelog.content())
      assert.equal(again.total, 3)
      changelog.tell(states, 0, [['a', 'made anew']])
      await refusedWith('STATE_LOST', again.state.get(['a']))
      const last = await opened(states)
      assert.deepEqual(await contentOf(last.state), changelog.content())
      const part = { topic: 's.changelog', partition: 0, bytes: Buffer.alloc(0), count: 0 }
      states.failed({} as never, [part])
      await refusedWith('STATE_LOST', contentOf(last.state))
      const { state: closed } = await opened(states)
      await states.close()
      await refusedWith('STATE_LOST', contentOf(closed))
    }))

  it('is lost while it is restored where a commit fails then', () =>
    withChangelog(async (changelog) => {
      changelog.write(...numbered(8_000, 'x'))
      const states = changelog.states()
      for (const at of [3, 9]) {
        changelog.reads.length = 0
        changelog.whileReading = () => {
          if (changelog.reads.length === at) setImmediate(() => states.failed(undefined, []))
        }
        await refusedWith('STATE_LOST', opened(states))
      }
      changelog.whileReading = undefined
      const { state } = await opened(states)
      assert.deepEqual(await contentOf(state), changelog.content())
    }))
})

describe('a copy of state that another owns', () => {
  it('follows, and is what whoever opens the state goes on with', () =>
    withChangelog(async (changelog, folder) => {
      changelog.write(...numbered(2000, 'old'))
      const states = changelog.states(folder)
      const followed = states.follow('s', 0)
      while (followed.lag !== 0) await turn()
      changelog.write(...numbered(300, 'new'))
      while (changelog.reads.at(-1)! < 2001 || followed.lag !== 0) await turn()
      changelog.write(['tail', 'last'], ['7', null])
      const { state, total } = await opened(states)
      assert.ok(total <= 3, `${total} offsets were read`)
      assert.deepEqual(await contentOf(state), changelog.content())
      await followed.close()
      await states.close()
    }))

  it('waits for a file that somebody has open, and is dropped whole', () =>
    withChangelog(async (changelog, folder) => {
      changelog.write(...numbered(100, 'old'))
      const [owner, other] = [changelog.states(folder), changelog.states(folder)]
      const { state } = await opened(owner)
      const followed = other.follow('s', 0)
      assert.equal(other.follow('s', 0), followed)
      for (let round = 0; round < 20; round++) await turn()
      assert.equal(followed.lag, undefined)
      await state.close()
      while (followed.lag !== 0) await turn()
      await followed.close()
      assert.equal((await opened(owner)).total, 0, 'its file is free, and whole')
      await owner.close()
      await other.close()
    }))
})
