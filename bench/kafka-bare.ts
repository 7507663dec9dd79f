/**
 * Bytes in, bytes out, no model: what Millrace's own client can do. Arguments: bootstrap servers,
 * input, output, group, `plain` (each batch produced as it is) or `transactions` (through Log.commit,
 * with offsets). Ends by a signal.
 */
import { openKafkaLog } from '../src/log/kafka.ts'
import type { KafkaClient } from '../src/log/kafka-client.ts'
import { KafkaReader } from '../src/log/kafka-reader.ts'
import { produce } from '../src/log/kafka-wire.ts'
import type { Log } from '../src/log/log.ts'
import { encodeRecordBatch } from '../src/log/record-batch.ts'
import { clientOf, partitions } from './kafka-load.ts'

const [bootstrapServers = '', input = '', output = '', group = '', how] = process.argv.slice(2)
const timeoutMs = 30_000
const numbers = Array.from({ length: partitions }, (_, partition) => partition)

if (how === 'transactions') {
  const connection = { brokers: bootstrapServers.split(','), clientId: 'millrace-bench' }
  await transactions(await openKafkaLog({ connection }))
} else await plain(clientOf(bootstrapServers))

async function plain(client: KafkaClient): Promise<void> {
  const reader = new KafkaReader(client, async () => 0)
  const one = async (partition: number) => {
    let sending: Promise<unknown> = Promise.resolve()
    for (let offset = 0; ; ) {
      const seen = reader.revision
      const batch = await reader.read(input, partition, offset)
      if (batch === undefined) {
        await reader.changed(seen, 100)
        continue
      }
      offset = batch.nextOffset
      const bytes = encodeRecordBatch(batch, { compression: 'none' })
      const node = await client.leaderOf(output, partition)
      const part = { topic: output, partition, bytes }
      await sending
      sending = client.call(node, 'bare', produce, null, timeoutMs, [part])
    }
  }
  await Promise.all(numbers.map(one))
}

async function transactions(log: Log): Promise<void> {
  const member = await log.join(group, { topics: [{ name: input, partitions }] })
  const one = async (partition: number) => {
    let committing: Promise<unknown> = Promise.resolve()
    for (let offset = 0; ; ) {
      const seen = log.revision()
      const read = await log.read(input, partition, offset)
      if (read === undefined) {
        await log.changed(seen, 100)
        continue
      }
      offset = read.nextOffset
      const outputs = [{ topic: output, partition, batch: read }]
      const checkpoints = [{ topic: input, partition, offset, metadata: '' }]
      await committing
      committing = log.commit({ outputs, checkpoints, member })
    }
  }
  while (member.owned.length < partitions) await member.heartbeat()
  setInterval(() => void member.heartbeat(), 1000)
  await Promise.all(numbers.map(one))
}
