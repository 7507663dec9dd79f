import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { describe, it } from 'node:test'
import { systemClock } from '../core/clock.ts'
import type { Log, Membership } from '../log/log.ts'
import { newLog } from '../log/log-testing.ts'
import { appendAll } from '../pipeline/testing.ts'
import { Monitor } from './monitor.ts'
import { testServer } from './server-testing.ts'

const startMs = 1_700_000_000_000

const ledger = JSON.stringify({ v: 1, from: 0, plan: '', ledger: { read: [0, 0, 0, 0] } })

/** Three messages in partition 1 of two, ten seconds apart; of them a group has committed two. */
async function halfRead(): Promise<{ readonly log: Log; readonly member: Membership }> {
  const log = await newLog()
  await log.createTopic('in', { partitions: 2 })
  const messages = [0, 10, 20].map((second) => {
    return { value: second, time: startMs + second * 1000, partition: 1 }
  })
  await appendAll(log, 'in', messages)
  const member = await log.join('score', { topics: [{ name: 'in', partitions: 2 }] })
  while (member.owned.length < 2) await member.heartbeat()
  const checkpoint = { topic: 'in', partition: 1, offset: 2, metadata: ledger }
  await log.commit({ outputs: [], checkpoints: [checkpoint], member })
  return { log, member }
}

describe('partitions of a pipeline', () => {
  it('are told with owner, position, and lag in messages and seconds', async () => {
    const { log, member } = await halfRead()
    const clock = { ...systemClock, now: () => startMs + 60_000 }
    const monitor = new Monitor({ log, clock, version: '1', directory: undefined })
    await monitor.look()
    const [state] = monitor.state.pipelines
    const owner = { member: member.memberId, host: hostname(), pid: process.pid }
    const [zero, one] = state!.partitions
    const caughtUp = { position: 0, end: 0, lagMessages: 0, lagSeconds: 0 }
    assert.deepEqual(zero, { topic: 'in', partition: 0, ...caughtUp, ...owner })
    const { end } = await log.offsets('in', 1)
    const waits = { position: 2, end, lagMessages: end - 2, lagSeconds: 40 }
    assert.deepEqual(one, { topic: 'in', partition: 1, ...waits, ...owner })
    assert.deepEqual([state!.lagMessages, state!.lagSeconds], [end - 2, 40])
    assert.equal(state!.rebalances.generation, member.generation)
    assert.deepEqual([state!.rebalances.count, state!.rebalances.lastAtMs], [0, null])
    await member.leave()
  })

  it('are told without an owner where nobody works on them, and their rebalances are counted', async () => {
    const { log, member } = await halfRead()
    const clock = { ...systemClock, now: () => startMs }
    const monitor = new Monitor({ log, clock, version: '1', directory: undefined })
    await monitor.look()
    const other = await log.join('score', { topics: [{ name: 'in', partitions: 2 }] })
    while (other.owned.length === 0) {
      const { revoking } = await member.heartbeat()
      await member.release(revoking)
      await other.heartbeat()
    }
    await monitor.look()
    const [shared] = monitor.state.pipelines
    const owners = new Set(shared!.partitions.map((one) => one.member))
    assert.deepEqual(owners, new Set([member.memberId, other.memberId]))
    assert.ok(shared!.rebalances.count > 0)
    assert.equal(shared!.rebalances.lastAtMs, startMs)
    assert.equal(shared!.lagSeconds, 0, 'the time of the message is in the future')
    await member.leave()
    await other.leave()
    await monitor.look()
    const [left] = monitor.state.pipelines
    assert.deepEqual(
      left!.partitions.map((one) => one.member),
      [null, null],
    )
  })

  it('are metrics', async () => {
    const { log, member } = await halfRead()
    await log.resetGroup('gone', [{ topic: 'a-source', partition: 0, offset: 7, metadata: ledger }])
    const clock = { ...systemClock, now: () => startMs + 60_000 }
    const { ask, monitor } = testServer({ log, clock })
    await monitor.look()
    const text = await (await ask('/metrics')).text()
    const { end } = await log.offsets('in', 1)
    const where = 'pipeline="score",topic="in",partition='
    const who = `member="${member.memberId}",host="${hostname()}",pid="${process.pid}"`
    const lines = [
      `millrace_lag_seconds{pipeline="score"} 40`,
      `millrace_partition_lag_messages{${where}"0"} 0`,
      `millrace_partition_lag_messages{${where}"1"} ${end - 2}`,
      `millrace_partition_lag_seconds{${where}"1"} 40`,
      `millrace_partition_owner_info{${where}"1",${who}} 1`,
      `millrace_group_generation{pipeline="score"} ${member.generation}`,
      'millrace_group_rebalances_total{pipeline="score"} 0',
    ]
    for (const line of lines) assert.ok(text.includes(`\n${line}\n`), `${line}\n${text}`)
    assert.doesNotMatch(text, /topic="a-source"/, 'a source has no end, and nobody works on it')
    await member.leave()
  })
})
