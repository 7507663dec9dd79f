/** The registry with several processes on one directory: races, and kill -9 at any moment. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openEmbeddedLog } from '../log/embedded.ts'
import { Registry } from './registry.ts'
import { hashOf, registerSome } from './registry-testing.ts'
import type { ChildOptions } from './registry-testing-child.ts'
import { openDirectoryStore } from './store-directory.ts'

const child = fileURLToPath(new URL('./registry-testing-child.ts', import.meta.url))

interface Told {
  readonly ready?: true
  readonly registered?: string
  readonly won?: number
  readonly previous?: string | null
  readonly lost?: number
}

/** Starts a process; what it told is complete once `ended` resolves. */
function start(options: ChildOptions): {
  process: ChildProcess
  told: Told[]
  /** It told of something that it did. */
  working: Promise<void>
  ended: Promise<number | null>
} {
  const started = spawn(process.execPath, [child, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const told: Told[] = []
  const lines = createInterface({ input: started.stdout! })
  const working = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      told.push(JSON.parse(line) as Told)
      if (told.length > 1) resolve()
    })
  })
  const ended = Promise.all([once(started, 'exit'), once(lines, 'close')]).then(
    ([[code]]) => code as number | null,
  )
  return { process: started, told, working, ended }
}

async function withDirectory(work: (directory: string, store: string) => Promise<void>) {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-registry-'))
  try {
    await work(directory, join(directory, 'models'))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function withRegistry<Result>(
  directory: string,
  store: string,
  work: (registry: Registry) => Promise<Result>,
): Promise<Result> {
  const log = await openEmbeddedLog({ directory, maintain: false })
  try {
    return await work(new Registry({ log, store: openDirectoryStore(store) }))
  } finally {
    await log.close()
  }
}

/** Each change builds on the one before it: nobody's was overwritten unseen. */
async function checkHistory(registry: Registry, count: number): Promise<void> {
  const { history, revision } = await registry.showModel('spam')
  assert.equal(revision, count)
  const rising = [...history].reverse()
  assert.deepEqual(
    rising.map((change) => change.revision),
    rising.map((_, index) => index + 1),
  )
  rising.forEach((change, index) => {
    assert.equal(change.previous, rising[index - 1]?.version ?? null)
  })
}

describe('registry: several hands on one directory', () => {
  it('two logs race for 200 changes: none is lost, none wins twice', () =>
    withDirectory((directory, store) =>
      withRegistry(directory, store, async (one) => {
        await registerSome(one, 'spam', 3)
        await withRegistry(directory, store, async (two) => {
          let conflicts = 0
          const won: number[] = []
          const race = async (registry: Registry, step: number) => {
            for (let done = 0; done < 100; ) {
              const { revision, aliases } = await registry.showModel('spam')
              const now = aliases[0]?.number ?? 0
              const version = String(((now + step) % 3) + 1)
              try {
                const options = { expectedRevision: revision }
                const change = await registry.setAlias('spam', 'champion', version, options)
                if (version !== String(now)) won.push(change.revision)
                done++
              } catch (error) {
                assert.equal((error as { code?: unknown }).code, 'REGISTRY_CONFLICT')
                conflicts++
              }
            }
          }
          await Promise.all([race(one, 0), race(two, 1)])
          assert.deepEqual(
            won.sort((a, b) => a - b),
            Array.from({ length: 200 }, (_, index) => index + 1),
          )
          assert.ok(conflicts > 0, 'they met')
          await checkHistory(two, 200)
        })
      }),
    ))

  it('two processes race, and both hear of it', () =>
    withDirectory(async (directory, store) => {
      await withRegistry(directory, store, (registry) => registerSome(registry, 'spam', 4))
      const shared = { directory, store, does: 'race', count: 50 } as const
      const racers = [start({ ...shared, from: 0 }), start({ ...shared, from: 1 })]
      for (const racer of racers) assert.equal(await racer.ended, 0)
      const won = racers.flatMap(({ told }) => told.flatMap((one) => one.won ?? []))
      assert.deepEqual(
        won.sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, index) => index + 1),
      )
      assert.ok(
        racers.some(({ told }) => told.some(({ lost }) => lost !== undefined)),
        'they met',
      )
      await withRegistry(directory, store, (registry) => checkHistory(registry, 100))
    }))

  it('a process that stops for good in its turn holds nobody up', () =>
    withDirectory(async (directory, store) => {
      await withRegistry(directory, store, (registry) => registerSome(registry, 'spam', 3))
      const racer = start({ directory, store, does: 'race', from: 0, count: 1_000_000 })
      await racer.working
      await sleep(100)
      racer.process.kill('SIGKILL')
      await racer.ended
      await withRegistry(directory, store, async (registry) => {
        const { revision } = await registry.showModel('spam')
        const change = await registry.setAlias('spam', 'other', '1')
        assert.equal(change.revision, revision + 1)
        const said = racer.told.flatMap(({ won }) => won ?? []).length
        assert.ok(revision === said || revision === said + 1, `${revision} of ${said}`)
        assert.equal((await registry.showModel('spam')).history.length, revision + 1)
      })
    }))
})

describe('registry: kill -9 while a model is registered', () => {
  it('leaves it registered and loadable, or not at all', () =>
    withDirectory(async (directory, store) => {
      const known = new Set<string>()
      let from = 1
      for (let round = 0; round < 15; round++) {
        const worker = start({ directory, store, does: 'register', from, count: 1000 })
        await worker.working
        await sleep((round * 13) % 100)
        worker.process.kill('SIGKILL')
        assert.equal(await worker.ended, null)
        const told = worker.told.flatMap(({ registered }) => registered ?? [])
        for (const version of told) known.add(version)
        await withRegistry(directory, store, async (registry) => {
          const versions =
            (await registry.listModels()).length > 0 ? await allVersions(registry) : []
          for (const version of known)
            assert.ok(versions.includes(version), 'what was told is kept')
          const untold = versions.filter((version) => !known.has(version))
          assert.ok(untold.length <= 1, 'at most the one under way')
          for (const version of [...untold, ...told]) {
            assert.equal((await registry.load(`spam:${version}`)).version.version, version)
            known.add(version)
          }
          from = known.size + 1
          // The one under way may lie in the store unregistered: it is whole, and is taken again.
          const stored = await openDirectoryStore(store).list()
          assert.ok(stored.length - versions.length <= 1, 'at most that one')
          for (const name of await readdir(store)) assert.match(name, /^[0-9a-f]{64}\.model$/)
        })
      }
      assert.ok(known.size > 15, `only ${known.size} were registered`)
      assert.ok(known.has(hashOf(1)))
    }))
})

async function allVersions(registry: Registry): Promise<string[]> {
  return (await registry.showModel('spam')).versions.map(({ version }) => version)
}
