/** The embedded log on bad nights: damaged and torn files, full disks, directories that are not ours. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { codeOf, type ErrorCode } from '../core/errors.ts'
import { type Disk, nodeDisk } from './embedded-disk.ts'
import { translated } from './embedded-errors.ts'
import { formatVersion } from './embedded-schema.ts'
import { output, valuesOf, withDirectory } from './embedded-testing.ts'

const thrown = (code: ErrorCode) => (error: unknown) => {
  assert.equal(codeOf(error), code, String(error))
  return true
}

function segmentFiles(directory: string): string[] {
  const segments = join(directory, 'log', 'segments')
  return fs
    .readdirSync(segments, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(segments, name))
}

/** A disk whose writes throw that error while `failing.code` is set. */
function failingDisk(): { disk: Disk; failing: { code?: string; at?: 'append' | 'datasync' } } {
  const failing: { code?: string; at?: 'append' | 'datasync' } = {}
  const refuse = (at: 'append' | 'datasync') => {
    if (failing.code === undefined || (failing.at ?? 'append') !== at) return
    throw Object.assign(new Error(`${failing.code}: from a test`), { code: failing.code })
  }
  const disk: Disk = {
    ...nodeDisk,
    append(file, buffers, position) {
      if (failing.code !== undefined) nodeDisk.append(file, [Buffer.from('half a wri')], position)
      refuse('append')
      nodeDisk.append(file, buffers, position)
    },
    async datasync(file) {
      refuse('datasync')
      await nodeDisk.datasync(file)
    },
  }
  return { disk, failing }
}

describe('the embedded log, its files damaged', () => {
  it('refuses a record batch with a flipped bit, and reads the others', () =>
    withDirectory(async (directory, open) => {
      const log = await open()
      await log.createTopic('t', { partitions: 1 })
      await log.commit({ outputs: [output('t', ['first'])] })
      await log.commit({ outputs: [output('t', ['second'])] })
      const [file] = segmentFiles(directory)
      const bytes = fs.readFileSync(file!)
      bytes[bytes.lastIndexOf('second')]! ^= 1
      fs.writeFileSync(file!, bytes)
      const first = await log.read('t', 0, 0, { maxBytes: 1 })
      assert.equal(first?.nextOffset, 1)
      await assert.rejects(log.read('t', 0, 1), thrown('BATCH_DAMAGED'))
    }))

  it('refuses a segment that is gone or cut short', () =>
    withDirectory(async (directory, open) => {
      const log = await open()
      await log.createTopic('t', { partitions: 1 })
      await log.commit({ outputs: [output('t', ['first'])] })
      const [file] = segmentFiles(directory)
      fs.truncateSync(file!, 20)
      await assert.rejects(log.read('t', 0, 0), thrown('BATCH_DAMAGED'))
      fs.rmSync(file!)
      await assert.rejects((await open()).read('t', 0, 0), thrown('BATCH_DAMAGED'))
    }))

  it('does not mind a torn last write: what no commit names does not count', () =>
    withDirectory(async (directory, open) => {
      const log = await open()
      await log.createTopic('t', { partitions: 1 })
      await log.commit({ outputs: [output('t', ['first'])] })
      await log.close()
      fs.appendFileSync(segmentFiles(directory)[0]!, 'torn off in the mid')
      const again = await open()
      await again.commit({ outputs: [output('t', ['second'])] })
      assert.deepEqual(await valuesOf(again, 't'), ['first', 'second'])
    }))
})

describe('the embedded log on a disk that fails', () => {
  for (const [code, at, expected] of [
    ['ENOSPC', 'append', 'DISK_FULL'],
    ['EDQUOT', 'append', 'DISK_FULL'],
    ['ENOSPC', 'datasync', 'DISK_FULL'],
    ['EROFS', 'append', 'DIRECTORY_UNUSABLE'],
    ['EIO', 'datasync', 'DIRECTORY_UNUSABLE'],
  ] as const) {
    it(`says ${expected} on ${code} in ${at}, has changed nothing, and goes on later`, () =>
      withDirectory(async (_directory, open) => {
        const { disk, failing } = failingDisk()
        const log = await open({ disk })
        await log.createTopic('t', { partitions: 1 })
        await log.commit({ outputs: [output('t', ['before'])] })
        Object.assign(failing, { code, at })
        const changes = [{ store: 's', partition: 0, key: 'k', value: Buffer.from('v') }]
        const commit = { outputs: [output('t', ['lost']), output('t', ['too'])], changes }
        await assert.rejects(log.commit(commit), thrown(expected))
        delete failing.code
        assert.deepEqual(await log.offsets('t', 0), { start: 0, end: 1 })
        assert.equal((await log.state('s', 0, ['k'])).size, 0)
        await log.commit({ outputs: [output('t', ['after'])] })
        assert.deepEqual(await valuesOf(log, 't'), ['before', 'after'])
      }))
  }

  it('takes SQLite at its word too, and tells how long to wait', () => {
    const full = { code: 'ERR_SQLITE_ERROR', errcode: 13, message: 'database or disk is full' }
    const error = translated(full, 'here') as { code: string; waitMs: number }
    assert.deepEqual([error.code, error.waitMs > 0], ['DISK_FULL', true])
    const readOnly = { code: 'ERR_SQLITE_ERROR', errcode: 8 + 256 }
    assert.equal(codeOf(translated(readOnly, 'here')), 'DIRECTORY_UNUSABLE')
    const other = new Error('a bug')
    assert.equal(translated(other, 'here'), other)
  })
})

describe('the embedded log on a directory that is not ours', () => {
  it('refuses a file, and a directory that cannot be written', () =>
    withDirectory(async (directory, open) => {
      const file = join(directory, 'file')
      fs.writeFileSync(file, '')
      await assert.rejects(open({ directory: file }), thrown('DIRECTORY_UNUSABLE'))
      const disk: Disk = {
        ...nodeDisk,
        makeDirectory() {
          throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' })
        },
      }
      await assert.rejects(open({ disk }), thrown('DIRECTORY_UNUSABLE'))
    }))

  it('refuses another format version, older or newer, and leaves it as it is', () =>
    withDirectory(async (directory, open) => {
      const log = await open()
      await log.createTopic('t')
      await log.close()
      for (const version of [formatVersion + 1, 0]) {
        const database = new DatabaseSync(join(directory, 'log', 'millrace.db'))
        database.exec(`PRAGMA user_version = ${version}`)
        database.close()
        await assert.rejects(open(), thrown('DIRECTORY_FORMAT'))
      }
      const database = new DatabaseSync(join(directory, 'log', 'millrace.db'))
      database.exec(`PRAGMA user_version = ${formatVersion}`)
      database.close()
      assert.equal((await (await open()).topics()).length, 1)
    }))

  it("refuses another program's database, and what is none", () =>
    withDirectory(async (directory, open) => {
      const path = join(directory, 'log', 'millrace.db')
      fs.mkdirSync(join(directory, 'log'))
      const database = new DatabaseSync(path)
      database.exec('CREATE TABLE songs (name TEXT)')
      database.close()
      await assert.rejects(open(), thrown('DIRECTORY_FORMAT'))
      fs.writeFileSync(path, 'this is no database at all'.repeat(100))
      await assert.rejects(open(), thrown('DIRECTORY_FORMAT'))
    }))
})
