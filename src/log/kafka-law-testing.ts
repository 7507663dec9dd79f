/** The law of the log on real Kafka brokers, however many there are. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deleteGroupsV2, describeGroupsV5, leaveGroupV5, listGroupsV4 } from '@platformatic/kafka'
import { openKafkaLog } from './kafka.ts'
import { withErrors } from './kafka-answer.ts'
import { KafkaClient } from './kafka-client.ts'
import type { KafkaCluster } from './kafka-testing.ts'
import { KafkaTopics } from './kafka-topics.ts'
import { logContract } from './log.contract.ts'
import type { Log } from './log.ts'

/** Topics and groups go, members that are still in them too: the next law finds nothing. */
async function cleared(brokers: readonly string[]): Promise<void> {
  const client = new KafkaClient({ brokers, clientId: 'cleaner' })
  const topics = new KafkaTopics(client)
  const names: string[] = []
  // Each broker knows those that it coordinates.
  for (const node of await client.nodes()) {
    const { groups } = await client.call(node, 'any', listGroupsV4.api, [], [])
    names.push(...groups.map(({ groupId }) => groupId))
  }
  for (const name of names) {
    const at = await client.coordinator('group', name)
    const found = await client.call(at, 'any', describeGroupsV5.api, [name], false)
    const members = found.groups[0]!.members.map(({ memberId }) => ({ memberId, reason: 'test' }))
    if (members.length > 0)
      await withErrors(client.call(at, 'any', leaveGroupV5.api, name, members))
    await withErrors(client.call(at, 'any', deleteGroupsV2.api, [name]))
  }
  const all = (await client.topics()).filter(({ isInternal }) => !isInternal)
  await Promise.all(all.map(({ name }) => topics.deleteTopic(name).catch(() => undefined)))
  await client.close()
}

export function kafkaContract(
  name: string,
  cluster: () => KafkaCluster,
  sessionTimeoutMs = 1_000,
): void {
  logContract(name, async () => {
    const brokers = cluster().bootstrapServers.split(',')
    await cleared(brokers)
    const opened: Log[] = []
    const directory = await mkdtemp(join(tmpdir(), 'millrace-kafka-'))
    const open = async () => {
      const connection = { brokers, clientId: 'contract' }
      const log = await openKafkaLog({ connection, directory })
      opened.push(log)
      return log
    }
    const log = await open()
    return {
      log,
      sessionTimeoutMs,
      second: open,
      async reopen() {
        await log.close()
        return open()
      },
      whyNotAtOnce: 'a transaction is seen in each partition once its marker is written there',
      async close() {
        for (const one of opened) await one.close()
        await rm(directory, { recursive: true, force: true })
      },
    }
  })
}
