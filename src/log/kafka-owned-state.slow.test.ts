/** Owned state on a real broker: what is on disk after kill -9, damage and compaction. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes,
  incrementalAlterConfigsV1,
} from '@platformatic/kafka'
import { openKafkaLog } from './kafka.ts'
import { changelogOf } from './kafka-changelog.ts'
import { KafkaClient } from './kafka-client.ts'
import type { OwnerOptions } from './kafka-owned-state-testing-worker.ts'
import { newName, withKafka } from './kafka-testing.ts'
import { kafkaCommitSteps } from './kafka-transaction.ts'
import { change, contentOf } from './log.contract.state.ts'
import { readAll, refusedWith } from './log.contract.support.ts'
import type { Log, OwnedState } from './log.ts'

const worker = fileURLToPath(import.meta.resolve('./kafka-owned-state-testing-worker.ts'))
const all = { limit: 1_000_000 }

withKafka('owned state on Kafka, on disk', (cluster) => {
  const folders: string[] = []
  const handles: { close(): Promise<void> }[] = []
  const brokers = () => cluster().bootstrapServers.split(',')

  const open = async (directory?: string): Promise<Log> => {
    const connection = { brokers: brokers(), clientId: 'test' }
    const log = await openKafkaLog({ connection, directory })
    handles.push(log)
    return log
  }

  const newFolder = async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'millrace-owned-'))
    folders.push(folder)
    return folder
  }

  after(async () => {
    for (const handle of handles) await handle.close()
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  })

  /** An owner that is killed in the middle of a commit. */
  const killedOwner = async (options: Omit<OwnerOptions, 'brokers'>) => {
    const args = [worker, JSON.stringify({ brokers: brokers(), ...options })]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (data) => {
      said += data
    })
    const [code, signal] = await once(child, 'close')
    assert.deepEqual([code, signal], [null, 'SIGKILL'], said)
  }

  /** A state, and how many offsets of its changelog were read for it. */
  const opened = async (log: Log, store: string): Promise<{ state: OwnedState; read: number }> => {
    let read = 0
    const onProgress = (_: number, total: number) => {
      read = total
    }
    return { state: await log.openState(store, 0, { onProgress }), read }
  }

  /** What the state directory leads to is what the whole changelog says. */
  const checkedAgainstAll = async (directory: string, store: string) => {
    const [warm, cold] = [await open(directory), await open()]
    const [near, whole] = [await opened(warm, store), await opened(cold, store)]
    const expected = await contentOf(whole.state, all)
    assert.ok(expected.length > 500)
    assert.deepEqual(await contentOf(near.state, all), expected)
    const newest = new Map<string, string>()
    for (const { key, value } of await readAll(cold, changelogOf(store), 0)) {
      if (value === null) newest.delete(key!)
      else newest.set(key!, value)
    }
    assert.deepEqual(new Map(expected as [string, string][]), newest, 'message by message')
    await warm.close()
    await cold.close()
    return { read: near.read, ofAll: whole.read }
  }

  const copyIn = (directory: string, store: string) => {
    const [clusterName] = readdirSync(path.join(directory, 'kafka-state'))
    return path.join(directory, 'kafka-state', clusterName!, changelogOf(store), '0.db')
  }

  it('is after kill -9 what a full restore gives, whatever commit was under way', async () => {
    const [directory, name] = [await newFolder(), newName('killed')]
    for (const [index, crashStep] of kafkaCommitSteps.entries()) {
      const seed = 17 + index
      // To begin happens once a producer, as a rule.
      const crashAfter = crashStep === 'begun' ? 1 : 20 + 7 * index
      await killedOwner({ directory, name, seed, crashStep, crashAfter })
      if (index === 0) continue
      const { read, ofAll } = await checkedAgainstAll(directory, name)
      assert.ok(read < ofAll, `${read} of ${ofAll} offsets were read`)
      if (index > 1) assert.ok(read < ofAll / 2, `${read} of ${ofAll} offsets were read`)
    }
  })

  it('is made anew from the changelog where its file is damaged', async () => {
    const [directory, name] = [await newFolder(), newName('damaged')]
    const crash = { crashStep: 'ending', crashAfter: 25 } as const
    for (const damage of ['noise', 'zeros', 'gone'] as const) {
      await killedOwner({ directory, name, seed: 5, ...crash })
      const file = copyIn(directory, name)
      if (damage === 'gone') rmSync(path.join(directory, 'kafka-state'), { recursive: true })
      else {
        // SQLite's pages are still in the file that it writes ahead: that goes as in a bad restore.
        rmSync(`${file}-wal`, { force: true })
        const sizeBytes = Math.max(statSync(file).size, 20_000)
        const bytes = Buffer.alloc(sizeBytes - 4096, damage === 'noise' ? 'noise' : 0)
        const handle = openSync(file, 'r+')
        writeSync(handle, bytes, 0, bytes.length, 4096)
        closeSync(handle)
      }
      const { read, ofAll } = await checkedAgainstAll(directory, name)
      assert.equal(read, ofAll, damage)
    }
  })

  it('reads only the tail of what others wrote; from the start once deletes may be gone', async () => {
    const [directory, store] = [await newFolder(), newName('compacted')]
    const [log, other] = [await open(directory), await open()]
    const commit = (of: Log, count: number, value: string | null) =>
      of.commit({
        outputs: [],
        changes: Array.from({ length: count }, (_, index) => change(`${index}`, value, store)),
      })
    const first = await opened(log, store)
    await commit(log, 3000, 'old')
    await first.state.close()
    await commit(other, 100, 'new')
    await commit(other, 50, null)
    const tail = await opened(log, store)
    assert.ok(tail.read >= 150 && tail.read < 160, `${tail.read} offsets`)
    assert.equal((await tail.state.scan(all)).length, 2950)
    await tail.state.close()

    await alter(changelogOf(store), {
      'delete.retention.ms': '1',
      'min.cleanable.dirty.ratio': '0.01',
      'segment.ms': '500',
    })
    await commit(other, 200, null)
    // What is in the newest segment is never compacted: others are written until the deletes are gone.
    for (let round = 0; (await deletesIn(other, store)) > 0; round++) {
      assert.ok(round < 300, 'the broker compacts it')
      await commit(other, 1, `${round}`)
      await sleep(200)
    }
    const { read, ofAll } = await checkedAgainstAll(directory, store)
    assert.equal(read, ofAll, 'nothing is trusted of what was there')
  })

  it('is at once lost where a commit fails, and opened anew as it was', async () => {
    const [directory, store] = [await newFolder(), newName('failed')]
    const log = await open(directory)
    await log.createTopic(`${store}.out`, { partitions: 1 })
    const { state } = await opened(log, store)
    await log.commit({ outputs: [], changes: [change('k', 'kept', store)] })
    const member = await log.join(store, { topics: [{ name: store, partitions: 1 }] })
    await member.leave()
    await refusedWith('MEMBER_FENCED', log.commit({ outputs: [], changes: [], member }))
    assert.deepEqual(await contentOf(state), [['k', 'kept']], 'that member had nothing of it')
    await state.close()
    const other = await log.join(store, { topics: [{ name: store, partitions: 1 }] })
    const owned = await log.openState(store, 0, { member: other })
    const checkpoints = [{ topic: store, partition: 7, offset: 1, metadata: '' }]
    const changes = [change('k', 'fenced', store)]
    const fenced = log.commit({ outputs: [], changes, checkpoints, member: other })
    await refusedWith('MEMBER_FENCED', fenced)
    await refusedWith('STATE_LOST', owned.get(['k']))
    const anew = await opened(log, store)
    assert.deepEqual(await contentOf(anew.state), [['k', 'kept']])
    assert.ok(anew.read <= 1, 'what it has is right')
  })

  async function alter(topic: string, settings: Record<string, string>): Promise<void> {
    const client = new KafkaClient({ brokers: brokers(), clientId: 'alter' })
    const configs = Object.entries(settings).map(([name, value]) => {
      return { name, value, configOperation: IncrementalAlterConfigOperationTypes.SET }
    })
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }
    const node = await client.controller()
    await client.call(node, 'any', incrementalAlterConfigsV1.api, [resource], false)
    await client.close()
  }

  /** Of keys that have no value any more. */
  async function deletesIn(log: Log, store: string): Promise<number> {
    const messages = await readAll(log, changelogOf(store), 0)
    return messages.filter(({ value }) => value === null).length
  }
})
