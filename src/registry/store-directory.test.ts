import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, open, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { codeOf, type ErrorCode } from '../core/errors.ts'
import { ownProcess } from '../log/embedded-process.ts'
import { artefactStoreContract } from './store.contract.ts'
import { type ArtefactStore, sha256 } from './store.ts'
import { openDirectoryStore } from './store-directory.ts'

artefactStoreContract('store-directory', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'millrace-store-'))
  const directory = join(parent, 'not', 'made yet')
  return {
    open: () => openDirectoryStore(directory),
    async plant(name, bytes) {
      await mkdir(directory, { recursive: true })
      await writeFile(join(directory, name), bytes)
    },
    remove: () => rm(parent, { recursive: true, force: true }),
  }
})

describe('registry: a store in a directory', () => {
  const inDirectory = (words: string, work: (directory: string) => Promise<void>) =>
    it(words, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'millrace-store-'))
      try {
        await work(directory)
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    })
  const bytes = Buffer.from('some bytes')
  const failing = (code: ErrorCode, promise: Promise<unknown>) =>
    assert.rejects(promise, (error) => codeOf(error) === code)

  inDirectory('keeps one file an artefact, and nothing else', async (directory) => {
    const hash = await openDirectoryStore(directory).put(bytes)
    assert.deepEqual(await readdir(directory), [`${hash}.model`])
  })

  /** A store whose disk fails with a system error at one call of what it writes to. */
  const failsAt = (directory: string, call: 'writeFile' | 'sync', code: string): ArtefactStore =>
    openDirectoryStore(directory, {
      open: async (...words: Parameters<typeof open>) => {
        const handle = await open(...words)
        if (words[1] !== 'wx') return handle
        handle[call] = () => Promise.reject(Object.assign(new Error(code), { code }))
        return handle
      },
    })

  for (const [code, expected] of [
    ['ENOSPC', 'DISK_FULL'],
    ['EDQUOT', 'DISK_FULL'],
    ['EROFS', 'DIRECTORY_UNUSABLE'],
    ['EIO', 'DIRECTORY_UNUSABLE'],
  ] as const) {
    inDirectory(`leaves nothing behind where the disk says ${code}`, async (directory) => {
      for (const call of ['writeFile', 'sync'] as const) {
        await failing(expected, failsAt(directory, call, code).put(bytes))
        assert.deepEqual(await readdir(directory), [])
      }
      await openDirectoryStore(directory).put(bytes)
    })
  }

  inDirectory('says when its place is not a directory', async (directory) => {
    const file = join(directory, 'a-file')
    await writeFile(file, '')
    for (const place of [file, join(file, 'below')]) {
      const store = openDirectoryStore(place)
      await failing('DIRECTORY_UNUSABLE', store.put(bytes))
      await failing('DIRECTORY_UNUSABLE', store.get(sha256(bytes)))
      await failing('DIRECTORY_UNUSABLE', store.list())
    }
  })

  inDirectory('cleans up after a process that died, not one that lives', async (directory) => {
    const store = openDirectoryStore(directory)
    const word = sha256(Buffer.from(ownProcess().machine)).slice(0, 16)
    const part = (pid: number, start: string) =>
      `${sha256(bytes)}.model.${word}.${pid}.${start}.${randomUUID()}.part`
    const alive = part(process.pid, ownProcess().start)
    const [dead, reused] = [part(2 ** 30, '1'), part(process.pid, '0')]
    for (const name of [alive, dead, reused]) await writeFile(join(directory, name), 'half')
    assert.equal(await store.has(sha256(bytes)), false)
    assert.deepEqual(await store.list(), [])
    assert.deepEqual(await readdir(directory), [alive])
  })

  inDirectory('cleans up what nobody knows once it is a day old', async (directory) => {
    const store = openDirectoryStore(directory)
    const [old, fresh] = [`${'0'.repeat(64)}.model.x.part`, `${'1'.repeat(64)}.model.y.part`]
    for (const name of [old, fresh]) await writeFile(join(directory, name), 'half')
    const longAgo = new Date(Date.now() - 25 * 3600_000)
    await utimes(join(directory, old), longAgo, longAgo)
    const hash = await store.put(bytes)
    assert.deepEqual((await readdir(directory)).sort(), [fresh, `${hash}.model`].sort())
  })
})
