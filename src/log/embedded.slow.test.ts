/** The embedded log with several processes that are stopped, woken and killed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { BatchBuilder } from '../core/batch-builder.ts'
import type { CommitStep, EmbeddedLog } from './embedded.ts'
import { output, valuesOf, withDirectory } from './embedded-testing.ts'
import type { WorkerOptions } from './embedded-testing-worker.ts'

interface Told {
  readonly joined?: string
  readonly owned?: number
  readonly lost?: number
  readonly stale?: string
  readonly fenced?: boolean
  readonly done?: boolean
}

interface Worker {
  readonly child: ChildProcess
  readonly told: Told[]
  readonly ended: Promise<NodeJS.Signals | number | null>
}

function startWorker(options: WorkerOptions): Worker {
  const file = join(import.meta.dirname, 'embedded-testing-worker.ts')
  const child = spawn(process.execPath, [file, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const told: Told[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => told.push(JSON.parse(line)))
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) => {
    child.on('close', (code, signal) => resolve(signal ?? code))
  })
  return { child, told, ended }
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<number> {
  const started = performance.now()
  while (!(await condition())) {
    assert.ok(performance.now() - started < 20_000, `waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return performance.now() - started
}

/**
 * Stops a worker until something comes of it. Who is stopped in the middle of a write holds the lock
 * that all others wait for, so then it may go on, and is stopped again.
 */
async function stopped(worker: Worker, hasCome: () => boolean): Promise<void> {
  for (let tries = 0; tries < 4; tries++) {
    worker.child.kill('SIGSTOP')
    const untilMs = performance.now() + 5000
    while (performance.now() < untilMs) {
      if (hasCome()) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    worker.child.kill('SIGCONT')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.fail('the others never got what it had')
}

/** Appends numbered messages to the four partitions of `in`, ten to a batch. */
async function fill(log: EmbeddedLog, from: number, batches: number): Promise<number> {
  let number = from
  for (let index = 0; index < batches; index++) {
    const partition = index % 4
    const builder = new BatchBuilder('in', partition)
    for (let count = 0; count < 10; count++) {
      builder.append(null, String(number++), 1_700_000_000_000)
    }
    await log.commit({ outputs: [{ topic: 'in', partition, batch: builder.build() }] })
  }
  return number
}

async function makeTopics(log: EmbeddedLog): Promise<void> {
  await log.createTopic('in', { partitions: 4 })
  await log.createTopic('out', { partitions: 4 })
}

async function copied(log: EmbeddedLog): Promise<number> {
  let count = 0
  for (let partition = 0; partition < 4; partition++) {
    count += (await log.offsets('out', partition)).end
  }
  return count
}

/** Every partition of `out` holds what `in` does, in order, once; state and checkpoints agree. */
async function checkCopies(log: EmbeddedLog): Promise<void> {
  const checkpoints = (await log.group('g'))?.checkpoints ?? []
  for (let partition = 0; partition < 4; partition++) {
    assert.deepEqual(await valuesOf(log, 'out', partition), await valuesOf(log, 'in', partition))
    const { end } = await log.offsets('in', partition)
    assert.equal(checkpoints.find((one) => one.partition === partition)?.offset, end)
    const state = await log.state('s', partition, ['copied'])
    assert.equal(state.get('copied')?.toString(), String(end))
  }
}

const owns = (worker: Worker, count: number) => worker.told.some(({ owned }) => owned === count)

describe('several processes on one directory', () => {
  it('refuse one that slept while another took over, and give it work again', () =>
    withDirectory(async (directory, open) => {
      const log = await open()
      await makeTopics(log)
      let next = await fill(log, 0, 40)
      const sessionTimeoutMs = 1000
      const first = startWorker({ directory, name: 'first', sessionTimeoutMs })
      const second = startWorker({ directory, name: 'second', sessionTimeoutMs })
      try {
        await until('both share', () => owns(first, 2) && owns(second, 2))
        next = await fill(log, next, 40)
        await stopped(first, () => second.told.at(-1)?.owned === 4)
        next = await fill(log, next, 40)
        await until('all is copied', async () => (await copied(log)) === next)
        first.child.kill('SIGCONT')
        await until('it is told', () => first.told.some((one) => one.fenced || one.lost))
        const { stale } = first.told.find((one) => one.stale !== undefined) ?? {}
        assert.notEqual(stale, 'taken')
        await until('both share again', () => first.told.at(-1)?.owned === 2)
        next = await fill(log, next, 40)
        await until('all is copied', async () => (await copied(log)) === next)
        await checkCopies(log)
      } finally {
        first.child.kill('SIGKILL')
        second.child.kill('SIGKILL')
        await Promise.all([first.ended, second.ended])
      }
    }))

  it('take over at once from one that was killed, however long its timeout', () =>
    withDirectory(async (directory, open) => {
      const log = await open()
      await makeTopics(log)
      let next = await fill(log, 0, 40)
      const sessionTimeoutMs = 60_000
      const first = startWorker({ directory, name: 'first', sessionTimeoutMs })
      const second = startWorker({ directory, name: 'second', sessionTimeoutMs })
      try {
        await until('both share', () => owns(first, 2) && owns(second, 2))
        first.child.kill('SIGKILL')
        await first.ended
        const waitedMs = await until('the other has all', () => second.told.at(-1)?.owned === 4)
        assert.ok(waitedMs < 2000, `${waitedMs} ms`)
        next = await fill(log, next, 40)
        await until('all is copied', async () => (await copied(log)) === next)
        await checkCopies(log)
      } finally {
        first.child.kill('SIGKILL')
        second.child.kill('SIGKILL')
        await Promise.all([first.ended, second.ended])
      }
    }))
})

describe('a process killed with -9 at a step of a commit', () => {
  const steps: CommitStep[] = [
    'queued',
    'appended',
    'synced',
    'begun',
    'indexed',
    'committed',
    'rolled',
  ]
  for (const crashStep of steps) {
    it(`${crashStep}: the next goes on, nothing lost, nothing twice`, () =>
      withDirectory(async (directory, open) => {
        const log = await open()
        await makeTopics(log)
        await fill(log, 0, 40)
        const sessionTimeoutMs = 60_000
        for (const crashAfter of [1, 4, 9]) {
          const options = { directory, name: 'w', sessionTimeoutMs, crashStep, crashAfter }
          const ended = await startWorker({ ...options, untilDone: true }).ended
          if (crashStep !== 'rolled') assert.equal(ended, 'SIGKILL')
        }
        const last = startWorker({ directory, name: 'w', sessionTimeoutMs, untilDone: true })
        assert.equal(await last.ended, 0)
        await checkCopies(log)
      }))
  }

  for (const crashStep of ['unlinking', 'unlinked'] as const) {
    it(`${crashStep}: files that are left go later`, () =>
      withDirectory(async (directory, open) => {
        const old = { now: () => Date.now() - 3600_000, sleep: async () => {} }
        const log = await open({ clock: old, segmentBytes: 100 })
        await makeTopics(log)
        const { identity } = await log.createTopic('gone', { partitions: 1, retentionMs: 1000 })
        await fill(log, 0, 4)
        for (let count = 0; count < 5; count++) {
          await log.commit({ outputs: [output('gone', ['old'.repeat(50)])] })
        }
        const files = () => readdirSync(join(directory, 'log', 'segments', identity)).length
        assert.equal(files(), 5)
        const options = { directory, name: 'w', sessionTimeoutMs: 60_000, untilDone: true }
        assert.equal(await startWorker({ ...options, crashStep }).ended, 'SIGKILL')
        assert.equal(files(), crashStep === 'unlinking' ? 5 : 4)
        assert.equal(await startWorker(options).ended, 0)
        assert.equal(files(), 0)
        await checkCopies(log)
      }))
  }
})
