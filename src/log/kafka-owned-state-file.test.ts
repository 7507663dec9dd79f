import assert from 'node:assert/strict'
import {
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { isDamaged } from './kafka-owned-state-database.ts'
import { StateFile } from './kafka-owned-state-file.ts'
import { StateFiles } from './kafka-state-files.ts'
import { output } from './log.contract.support.ts'

const all = { limit: 100_000 }

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-copy-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const opened = (folder: string, boot = 'this', name = 'a.db') =>
  StateFile.open({ path: path.join(folder, name), boot })!

/** Entries of about 100 bytes, so that many take many pages. */
function fill(file: StateFile, count: number, position: number): void {
  const messages = Array.from({ length: count }, (_, index) => {
    return { key: `key ${`${index}`.padStart(6, '0')}`, value: `${position} `.padEnd(80, 'x') }
  })
  const { batch } = output('t', 0, messages)
  file.change({ identity: 'it', position, wholeAtMs: 5 }, () => {
    for (let index = 0; index < batch.count; index++) file.put(batch, index)
  })
}

const countOf = (file: StateFile) => file.scan(all).length

/** What a process leaves that is killed now. */
function leftBehind(folder: string, to: string): void {
  for (const name of readdirSync(folder)) {
    if (statSync(path.join(folder, name)).isFile()) {
      cpSync(path.join(folder, name), path.join(to, name))
    }
  }
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const handle = openSync(file, 'r+')
  writeSync(handle, bytes, 0, bytes.length, at)
  closeSync(handle)
}

describe('local copy of a changelog', () => {
  it('is there when it is opened again, with its place; for one handle at a time', () =>
    withFolder(async (folder) => {
      const file = opened(folder)
      assert.equal(file.place.position, 0)
      fill(file, 1000, 7)
      assert.equal(StateFile.open({ path: path.join(folder, 'a.db'), boot: 'this' }), undefined)
      file.close()
      file.close()
      for (const boot of ['this', 'the next']) {
        const again = opened(folder, boot)
        assert.deepEqual(again.place, { identity: 'it', position: 7, wholeAtMs: 5 })
        assert.equal(countOf(again), 1000)
        again.close()
      }
    }))

  it('is whole after kill -9, and thrown away where the machine went down with it', () =>
    withFolder(async (folder) => {
      const file = opened(folder)
      fill(file, 1000, 7)
      file.close()
      const again = opened(folder)
      fill(again, 2000, 8)
      again.beginChange()
      again.put(output('t', 0, [{ key: 'half', value: 'done' }]).batch, 0)
      await withFolder(async (copy) => {
        leftBehind(folder, copy)
        const found = opened(copy)
        assert.equal(found.place.position, 8)
        assert.equal(countOf(found), 2000)
        assert.equal(found.get(['half']).size, 0)
        found.close()
      })
      await withFolder(async (copy) => {
        leftBehind(folder, copy)
        const found = opened(copy, 'the next')
        assert.deepEqual([found.place.position, countOf(found)], [0, 0])
        found.close()
      })
      again.close()
    }))

  it('is begun anew where the file is damaged, of another program or another version', () =>
    withFolder(async (folder) => {
      const damages: [string, (name: string) => void | Promise<void>][] = [
        ['no database', (name) => writeFile(name, 'x'.repeat(10_000))],
        ['another head', (name) => overwrite(name, 0, Buffer.alloc(100, 7))],
        ['cut short', (name) => truncateSync(name, 50_000)],
        ['another version', (name) => overwrite(name, 60, Buffer.from([0, 0, 0, 99]))],
        ['another program', (name) => overwrite(name, 68, Buffer.from([0, 0, 0, 99]))],
        ['a page of nothing', (name) => overwrite(name, 8192, Buffer.alloc(4096))],
        ['pages of noise', (name) => overwrite(name, 40_960, Buffer.alloc(40_960, 'noise'))],
      ]
      for (const [index, [damage, make]] of damages.entries()) {
        const name = `${index}.db`
        const file = opened(folder, 'this', name)
        fill(file, 3000, 7)
        file.close()
        // Left open, as a process that was killed leaves it: what was closed well is not looked at.
        const open = opened(folder, 'this', name)
        await withFolder(async (copy) => {
          leftBehind(folder, copy)
          await make(path.join(copy, name))
          const found = opened(copy, 'this', name)
          assert.deepEqual([found.place.position, countOf(found)], [0, 0], damage)
          fill(found, 10, 3)
          found.close()
          const again = opened(copy, 'this', name)
          assert.deepEqual([again.place.position, countOf(again)], [3, 10], damage)
          again.close()
        })
        open.close()
      }
    }))

  it('says so where damage is met in what was closed well', () =>
    withFolder(async (folder) => {
      const file = opened(folder)
      fill(file, 3000, 7)
      file.close()
      overwrite(path.join(folder, 'a.db'), 12_288, Buffer.alloc(200_000))
      const damaged = opened(folder)
      assert.throws(() => damaged.scan(all), isDamaged)
      damaged.discard()
      const anew = opened(folder)
      assert.equal(anew.place.position, 0)
      anew.close()
    }))

  it('does all of a change with its place, or nothing', () =>
    withFolder(async (folder) => {
      const file = opened(folder)
      fill(file, 10, 7)
      const { batch } = output('t', 0, [{ key: 'a', value: 'b' }])
      const change = () =>
        file.change({ identity: 'it', position: 8, wholeAtMs: 5 }, () => {
          file.put(batch, 0)
          throw new Error('in the middle')
        })
      assert.throws(change, /in the middle/)
      assert.deepEqual([file.place.position, countOf(file)], [7, 10])
      file.clear()
      assert.deepEqual([file.place.position, countOf(file)], [0, 0])
      fill(file, 5, 9)
      file.close()
      const again = opened(folder)
      assert.deepEqual([again.place.position, countOf(again)], [9, 5])
      again.close()
    }))

  it('lies beside one that is still open elsewhere; the first that is free is taken', () =>
    withFolder(async (folder) => {
      const files = StateFiles.of(folder, 'abc/..')
      const sleeping = files.open('t.changelog', 3)
      fill(sleeping, 10, 1)
      const other = files.open('t.changelog', 3)
      assert.equal(other.place.position, 0)
      fill(other, 20, 2)
      other.close()
      const elsewhere = files.open('t.changelog', 4)
      assert.equal(countOf(elsewhere), 0)
      elsewhere.close()
      const again = files.open('t.changelog', 3)
      assert.equal(countOf(again), 20)
      again.close()
      sleeping.close()
      const first = files.open('t.changelog', 3)
      assert.equal(countOf(first), 10)
      first.close()
      files.remove('t.changelog')
      const anew = files.open('t.changelog', 3)
      assert.equal(countOf(anew), 0)
      anew.close()
      const memory = StateFiles.of(undefined, 'abc').open('t.changelog', 3)
      fill(memory, 10, 1)
      assert.equal(countOf(memory), 10)
      memory.clear()
      assert.equal(countOf(memory), 0)
      memory.close()
    }))
})
