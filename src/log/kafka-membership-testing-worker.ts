/** A process of kafka-membership.slow.test.ts: a member that tells what it owns, until it is killed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaClient } from './kafka-client.ts'
import { joinAs, shortSessionMs } from './kafka-membership-testing.ts'
import type { JoinOptions } from './log.ts'

export interface WorkerProcessOptions {
  readonly brokers: readonly string[]
  readonly group: string
  readonly topics: JoinOptions['topics']
}

const { brokers, group, topics } = JSON.parse(process.argv[2]!) as WorkerProcessOptions
const client = new KafkaClient({ brokers, clientId: 'worker' })
const member = await joinAs(client, group, { topics, sessionTimeoutMs: shortSessionMs })
for (;;) {
  const { revoking } = await member.heartbeat()
  await member.release(revoking)
  console.log(JSON.stringify({ owned: member.owned.length }))
  await sleep(50)
}
