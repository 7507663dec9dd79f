/**
 * Bad nights other than a kill: a process that sleeps while another takes its work, two on one
 * directory that are killed in turn, a disk that runs full. What comes out has to be what a run
 * wrote that was never disturbed. CRASH_SEED=<number> replays the choices.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { seededRandom } from '../../src/core/random.ts'
import { Life, sleep } from './life.ts'
import { assertSame, type Outcome } from './outcome.ts'
import { type Input, makeInput, removeInput, World } from './world.ts'

const seed = Number(process.env.CRASH_SEED ?? 1)
const sessionTimeoutMs = 600

let input: Input
let undisturbed: Outcome

before(async () => {
  input = makeInput(3000)
  const world = new World(input, 'undisturbed')
  await world.finish(1)
  undisturbed = await world.outcome()
})

after(() => removeInput(input))

async function until(what: string, test: () => boolean | Promise<boolean>, limitMs = 20_000) {
  const deadline = Date.now() + limitMs
  while (!(await test())) {
    assert.ok(Date.now() < deadline, `waited in vain until ${what}`)
    await sleep(20)
  }
}

const caughtUp = (life: Life) => life.until(({ kind }) => kind === 'caught up', 60_000)

describe('two processes on one directory', () => {
  it('share the work, and end with what one alone would have written', async () => {
    const world = new World(input, 'shared')
    const lives = [1, 2].map((workers) => new Life(world, { workers, ratePerSecond: 800 }))
    let most = 0
    await world.withLog((log) =>
      until('both have a share', async () => {
        const members = (await log.group('score'))?.members ?? []
        most = Math.max(most, members.filter(({ owned }) => owned.length > 0).length)
        return most >= 3 || lives.some((life) => life.told.some(({ kind }) => kind === 'failed'))
      }),
    )
    for (const life of lives) {
      assert.ok(await caughtUp(life), life.words())
      assert.equal((await life.ended).code, 0)
    }
    assert.equal(most, 3, 'each of the three workers had a share')
    assertSame(await world.outcome(), undisturbed)
  })

  it('are killed in turn, and the other goes on', async () => {
    const world = new World(input, 'in-turn')
    const random = seededRandom(seed + 17)
    const start = () => new Life(world, { workers: 1, ratePerSecond: 100 })
    const lives = [start(), start()]
    for (let kills = 0; kills < 14; kills++) {
      await lives[kills % 2]!.until(({ kind }) => kind === 'started')
      assert.ok(await lives[kills % 2]!.kill(random() * 500), lives[kills % 2]!.words())
      lives[kills % 2] = start()
    }
    for (const life of lives) await life.kill()
    await world.finish(2)
    assertSame(await world.outcome(), undisturbed)
  })

  it('one sleeps, loses its work to the other, wakes, is refused and joins again', async (t) => {
    const world = new World(input, 'asleep')
    const random = seededRandom(seed + 23)
    const testing = { sessionTimeoutMs }
    const options = { workers: 1, ratePerSecond: 60, testing }
    const lives = [new Life(world, options), new Life(world, options)]
    let takeovers = 0
    await world.withLog(async (log) => {
      const sharing = async () => {
        const members = (await log.group('score'))?.members ?? []
        return members.filter(({ owned }) => owned.length > 0).length
      }
      for (let turn = 0; turn < 8 && takeovers < 5; turn++) {
        const sleeper = lives[turn % 2]!
        for (const life of lives) assert.equal(life.child.exitCode, null, life.words())
        await until('both share', async () => (await sharing()) === 2)
        await sleep(random() * 200)
        sleeper.child.kill('SIGSTOP')
        // One that sleeps with SQLite's lock in its hand keeps the other waiting: it is woken.
        const deadline = Date.now() + sessionTimeoutMs * 5
        while ((await sharing()) === 2 && Date.now() < deadline) await sleep(20)
        if ((await sharing()) < 2) takeovers++
        await sleep(random() * 300)
        sleeper.child.kill('SIGCONT')
      }
      await until('both share again', async () => (await sharing()) === 2)
    })
    for (const life of lives) assert.ok(await life.kill(), life.words())
    await world.assertBalanced('after it was woken')
    await world.finish(1)
    assertSame(await world.outcome(), undisturbed)
    t.diagnostic(`seed ${seed}: ${takeovers} times the other took over`)
    assert.ok(takeovers >= 3)
  })
})

describe('a disk that runs full', () => {
  it('is waited for, and said so; with room it goes on', async () => {
    const world = new World(input, 'full')
    const flag = join(input.folder, 'disk-is-full')
    const testing = { diskFullWhile: flag, sessionTimeoutMs: 2000 }
    const life = new Life(world, { workers: 2, ratePerSecond: 1000, testing })
    await assertWaits(life, {
      fill: () => writeFileSync(flag, ''),
      room: () => rmSync(flag),
    })
    assertSame(await world.outcome(), undisturbed)
  })

  it('does not keep a run from being drained', async () => {
    const world = new World(input, 'full-drained')
    const flag = join(input.folder, 'disk-is-full-too')
    const life = new Life(world, {
      workers: 1,
      ratePerSecond: 500,
      testing: { diskFullWhile: flag },
    })
    await life.until((told) => told.kind === 'status' && told.messages > 100)
    writeFileSync(flag, '')
    await life.until((told) => told.kind === 'status' && told.waiting.length > 0)
    life.child.kill('SIGTERM')
    const { code } = await life.ended
    assert.equal(code, 0, life.words())
    assert.equal(life.told.at(-1)?.kind, 'drained')
    rmSync(flag)
    await world.finish(1)
    assertSame(await world.outcome(), undisturbed)
  })

  it('is a real one: SQLite and the file run out of room too', async (t) => {
    const directory = join(input.folder, 'small-disk')
    mkdirSync(directory)
    if (!mount(directory)) {
      t.diagnostic('no file system can be mounted here: only the disk that is handed in runs full')
      return
    }
    try {
      const world = new World(input, 'small-disk', directory)
      const filler = join(directory, 'filler')
      const testing = { sessionTimeoutMs: 2000 }
      const life = new Life(world, { workers: 2, ratePerSecond: 1000, testing })
      await assertWaits(life, {
        fill: () => fillUp(filler, directory),
        room: () => rmSync(filler),
      })
      assertSame(await world.outcome(), undisturbed)
    } finally {
      execFileSync('umount', ['--lazy', directory])
    }
  })
})

async function assertWaits(life: Life, disk: { fill(): void; room(): void }): Promise<void> {
  await life.until((told) => told.kind === 'status' && told.messages > 500)
  disk.fill()
  const waits = await life.until(
    (told) => told.kind === 'status' && told.waiting.some((line) => /full/.test(line)),
  )
  // Longer than the session: signs of life cannot be written either.
  await sleep(4000)
  disk.room()
  const done = await caughtUp(life)
  if (!done) life.child.kill('SIGKILL')
  assert.ok(waits && done, life.words())
  assert.equal((await life.ended).code, 0, life.words())
}

function mount(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'none', directory], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Leaves not a page. */
function fillUp(filler: string, directory: string): void {
  for (;;) {
    const { bavail, bsize } = statfsSync(directory)
    if (bavail === 0) return
    try {
      writeFileSync(filler, Buffer.alloc(bavail * bsize), { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      return
    }
  }
}
