/** Two processes on a real Kafka with a directory each: the owner is killed, and the other has a copy. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../core/clock.ts'
import { openKafkaLog } from '../log/kafka.ts'
import { newName, withKafka } from '../log/kafka-testing.ts'
import type { FollowedState, Log, OpenStateOptions } from '../log/log.ts'
import { Runner } from './runner.ts'
import type { Counted } from './standbys-testing-app.ts'
import { appendAll, readValues } from './testing.ts'

const app = fileURLToPath(new URL('./standbys-testing-app.ts', import.meta.url))
const bin = path.resolve(import.meta.dirname, '../../bin/millrace.js')
const keys = 2000
const rounds = 3
const limitMs = 120_000

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + limitMs
  while (!(await isSo())) {
    assert.ok(Date.now() < endMs, `${what}, within ${limitMs / 1000} s`)
    await systemClock.sleep(100)
  }
}

withKafka('a copy of state in another process', (cluster) => {
  it('is what the taker goes on with: it reads only the tail', async () => {
    const name = newName('standby')
    process.env.STANDBY_NAME = name
    const { counting } = (await import(
      './standbys-testing-app.ts'
    )) as typeof import('./standbys-testing-app.ts')
    const brokers = cluster().bootstrapServers
    const folder = await mkdtemp(path.join(tmpdir(), 'millrace-standby-'))
    const connection = { brokers: brokers.split(','), clientId: 'taker' }
    const log = await openKafkaLog({ connection, directory: path.join(folder, 'taker') })
    for (const one of ['in', 'out']) await log.createTopic(`${name}.${one}`, { partitions: 2 })
    let sent = 0
    const send = async (partition: number) => {
      const messages = Array.from({ length: keys }, (_, number) => {
        return { partition, key: `${partition}-${number}`, value: { id: sent++ } }
      })
      await appendAll(log, `${name}.in`, messages)
    }
    const isDone = async () => (await readValues(log, `${name}.out`)).length === sent
    const owner = startOwner(name, brokers, path.join(folder, 'owner'))
    const gone = once(owner, 'exit')
    const watched = new Watched(log)
    const stopping = new AbortController()
    const runner = new Runner({
      ...{ definition: counting['~pipeline'], log: watched.log, directory: folder },
      ...{ clock: systemClock, random: Math.random, ratePerSecond: undefined, untilEnd: false },
    })
    let running: Promise<void> | undefined
    try {
      for (let round = 0; round < rounds; round++) for (const one of [0, 1]) await send(one)
      await until('the owner is done', isDone)
      running = runner.run(stopping.signal)
      await until('the copy is there', () => {
        const copies = [...watched.followed.values()]
        return copies.length > 0 && copies.every(({ lag }) => lag === 0)
      })
      const [[partition, followed]] = [...watched.followed] as [[number, FollowedState]]
      await send(partition)
      await until('the tail is worked off', isDone)
      await until('the copy follows', () => followed.lag === 0)
      owner.kill('SIGKILL')
      await gone
      await send(partition)
      await until('the taker is done', isDone)
      const { end } = await log.offsets(`${name}.count.changelog`, partition)
      const restored = watched.restored.get(partition)
      assert.ok(restored !== undefined && restored < 100, `${restored} of ${end} offsets were read`)
      assert.ok(end > (rounds + 1) * keys)
      await checkCounts(log, name)
    } finally {
      owner.kill('SIGKILL')
      stopping.abort()
      await running
      await log.close()
      await rm(folder, { recursive: true, force: true })
    }
  })
})

function startOwner(name: string, brokers: string, directory: string) {
  return spawn(process.execPath, [bin, 'run', app, '--env', 'kafka', '--no-page'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...{ ...process.env, STANDBY_NAME: name, KAFKA_BOOTSTRAP_SERVERS: brokers },
      ...{ MILLRACE_DIR: directory, KAFKA_CREATE_TOPICS: 'true' },
    },
  })
}

/** Every message of a key was counted once, in order. */
async function checkCounts(log: Log, name: string): Promise<void> {
  const counts = new Map<string, number>()
  for (const { key, n } of (await readValues(log, `${name}.out`)) as Counted[]) {
    assert.equal(n, (counts.get(key) ?? 0) + 1, key)
    counts.set(key, n)
  }
  assert.equal(counts.size, 2 * keys)
}

/** What a log is asked for: how much each partition's state had to be read, and what is followed. */
class Watched {
  readonly restored = new Map<number, number>()
  readonly followed = new Map<number, FollowedState>()
  readonly log: Log

  constructor(log: Log) {
    const openState = (store: string, partition: number, options: OpenStateOptions = {}) => {
      this.restored.set(partition, 0)
      const onProgress = (read: number, total: number) => {
        this.restored.set(partition, total)
        options.onProgress?.(read, total)
      }
      return log.openState(store, partition, { ...options, onProgress })
    }
    const followState = (store: string, partition: number) => {
      const followed = log.followState!(store, partition)
      this.followed.set(partition, followed)
      return followed
    }
    this.log = new Proxy(log, {
      get(target, property) {
        if (property === 'openState') return openState
        if (property === 'followState') return followState
        const value = Reflect.get(target, property, target) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}
