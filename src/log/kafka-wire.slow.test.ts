/** Record batches over the wire in both directions: what Kafka's own tools wrote and what they read. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import path from 'node:path'
import { after, before, it } from 'node:test'
import { createTopicsV7 } from '@platformatic/kafka'
import fc from 'fast-check'
import { BatchBuilder } from '../core/batch-builder.ts'
import type { Header } from '../core/headers.ts'
import { messagesOf } from '../core/message.ts'
import { KafkaClient } from './kafka-client.ts'
import { faultError } from './kafka-faults.ts'
import { type KafkaCluster, newName, withKafka } from './kafka-testing.ts'
import { fetchParts, produce } from './kafka-wire.ts'
import type { Compression } from './log.ts'
import { decodeRecordBatches, encodeRecordBatch, type StoredBatch } from './record-batch.ts'
import * as layout from './record-batch-layout.ts'

/** A message as both sides tell it: bytes as text that hides nothing. */
interface Told {
  readonly time: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [key: string, value: string | null])[]
}

interface Plain {
  readonly time: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
}

const { compressions } = layout
const batchesEach = 12
const nullMarker = '(nothing)'
/** No escaped byte looks like it. */
const headerSeparator = '\u0001'
/** Kafka refuses those of the future; zero is as old as its own clients can say. */
const latestTime = 1_700_000_000_000

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
/** Without what the tools take for separators or for nothing. */
const word = (maxLength: number) =>
  fc
    .string({ unit: 'grapheme', maxLength })
    .filter((text) => !/[\t\r\n:,\\]|\p{C}/u.test(text) && text.isWellFormed())
const header = fc.record({
  key: word(6),
  value: fc.option(bytes(9), { nil: null }),
})
const plain: fc.Arbitrary<Plain> = fc.record({
  time: fc.oneof(
    fc.integer({ min: latestTime - 1000, max: latestTime }),
    fc.integer({ min: 0, max: latestTime }),
  ),
  key: fc.option(bytes(40), { nil: null }),
  value: fc.option(fc.oneof(bytes(60), bytes(3000)), { nil: null }),
  headers: fc.array(header, { maxLength: 3 }),
})
const text = fc.record({
  key: fc.option(word(20), { nil: null }),
  value: fc.option(fc.oneof(word(40), word(400)), { nil: null }),
  headers: fc.array(fc.tuple(word(6), word(9)), { maxLength: 3 }),
})

/** Larger than the blocks in which snappy and lz4 work; one that shrinks and one that does not. */
const large: readonly Plain[] = [
  { time: 0, key: null, headers: [], value: Buffer.alloc(300_000, 'the same again ') },
  { time: 1, key: null, headers: [], value: noise(100_000) },
]

withKafka('record batches on the wire', (cluster) => {
  let client: KafkaClient
  const seed = Number(process.env.MILLRACE_SEED ?? Date.now() % 2 ** 31)
  before(() => {
    client = new KafkaClient({
      brokers: cluster().bootstrapServers.split(','),
      clientId: 'wire-test',
    })
  })
  after(() => client.close())

  it('are read by Kafka as they were written, and found whole in its files', async (test) => {
    test.diagnostic(`MILLRACE_SEED=${seed}`)
    const topic = await newTopic(client, {})
    const written = await writeAll(client, topic, seed)
    const read = await consoleConsumer(cluster(), topic, written.flat().length)
    compressions.forEach((name, partition) => {
      assert.deepEqual(read[partition], written[partition]!.map(toldOf), `${name}, seed ${seed}`)
    })
    const [broker] = cluster().brokers
    if (broker === undefined) test.diagnostic('the files of a named cluster cannot be looked at')
    else await checkFiles(cluster(), broker.dataDirectory, topic, written)
  })

  it('come back as they were written, also where the broker packs them anew', async () => {
    const kinds = ['producer', 'gzip', 'snappy', 'lz4', 'zstd', 'uncompressed']
    for (const kind of kinds) {
      const topic = await newTopic(client, { 'compression.type': kind })
      const written = await writeAll(client, topic, seed)
      for (const [partition, messages] of written.entries()) {
        const { told, packed } = await readAll(client, topic, partition)
        const where = `${compressions[partition]} into ${kind}, seed ${seed}`
        assert.deepEqual(told, messages.map(toldOf), where)
        const expected = kind === 'producer' ? compressions[partition]! : kind
        assert.deepEqual([...packed], [expected.replace('uncompressed', 'none')], where)
      }
    }
  })

  for (const [partition, compression] of compressions.entries()) {
    it(`of Kafka's own producer are read as they were written: ${compression}`, async () => {
      const topic = await newTopic(client, {})
      const lines = fc.sample(text, { numRuns: 300, seed: seed + partition })
      lines.push({ key: 'large', value: 'x'.repeat(200_000), headers: [] })
      const from = Date.now()
      await consoleProducer(cluster(), topic, compression, lines.map(lineOf))
      const read = await inAllPartitions(client, topic)
      const expected = lines.map(({ key, value, headers }) => ({
        key: key && escaped(Buffer.from(key)),
        value: value && shortened(escaped(Buffer.from(value))),
        headers: headers.map(([name, said]) => [name, escaped(Buffer.from(said))] as const),
      }))
      const withoutTime = read.told.map(({ key, value, headers }) => ({ key, value, headers }))
      assert.deepEqual(withoutTime.map(sortable).sort(), expected.map(sortable).sort())
      assert.ok(read.told.every(({ time }) => time >= from && time <= Date.now()))
      assert.deepEqual([...read.packed], [compression])
    })
  }
})

async function newTopic(client: KafkaClient, settings: Record<string, string>): Promise<string> {
  const name = newName('wire')
  const configs = Object.entries(settings).map(([setting, value]) => ({ name: setting, value }))
  const topic = { name, numPartitions: compressions.length, replicationFactor: -1 }
  const wanted = [{ ...topic, assignments: [], configs }]
  await client.call(await client.controller(), 'admin', createTopicsV7.api, wanted, 10_000, false)
  // Its leaders are chosen a moment later.
  await client.patiently(name, () => client.leaderOf(name, compressions.length - 1))
  return name
}

/** Batches of made-up messages, a partition for each compression. Gives the messages. */
async function writeAll(client: KafkaClient, topic: string, seed: number): Promise<Plain[][]> {
  const written: Plain[][] = []
  for (const [partition, compression] of compressions.entries()) {
    const arbitrary = fc.array(plain, { minLength: 1, maxLength: 40 })
    const batches = fc.sample(arbitrary, { numRuns: batchesEach, seed: seed + partition })
    // What is old comes first, so that Kafka begins a new segment behind it.
    for (const messages of [large, ...batches]) {
      const builder = new BatchBuilder(topic, partition)
      for (const one of messages) builder.append(one.key, one.value, one.time, one.headers)
      const encoded = encodeRecordBatch(builder.build(), { compression })
      const parts = [{ topic, partition, bytes: encoded }]
      // A broker may be named as the leader before it is ready to be.
      await client.patiently(`${topic}, seed ${seed}`, async () => {
        const node = await client.leaderOf(topic, partition)
        const [answer] = await client.call(node, 'data', produce, null, 10_000, parts)
        if (answer?.errorCode !== 0) throw faultError(answer?.errorCode ?? -1, 'produce')
      })
    }
    written.push([...large, ...batches.flat()])
  }
  return written
}

interface ReadBack {
  readonly told: Told[]
  readonly packed: Set<Compression>
}

async function inAllPartitions(client: KafkaClient, topic: string): Promise<ReadBack> {
  const all = await Promise.all(
    compressions.map((_, partition) => readAll(client, topic, partition)),
  )
  const told = all.flatMap((one) => one.told)
  return { told, packed: new Set(all.flatMap((one) => [...one.packed])) }
}

async function readAll(client: KafkaClient, topic: string, partition: number): Promise<ReadBack> {
  const { id } = (await client.topic(topic))!
  const told: Told[] = []
  const packed = new Set<Compression>()
  for (let offset = 0; ; ) {
    const node = await client.leaderOf(topic, partition)
    const parts = [{ topicId: id, partition, offset, maxBytes: 64 * 1024 }]
    const answer = await client.call(node, 'data', fetchParts, 100, 1024 * 1024, parts)
    const [part] = answer.parts
    assert.deepEqual([answer.errorCode, part?.errorCode], [0, 0])
    if (part!.records !== null) {
      const batches = batchesIn(part!.records)
      assert.ok(batches.length > 0, 'a batch that is larger than asked for comes whole')
      for (const one of batches) packed.add(compressionAt(part!.records, one.position))
      const nextOffset = batches.at(-1)!.nextOffset
      const stored = { topic, partition, origin: 'o', bytes: part!.records, batches }
      const batch = decodeRecordBatches({ ...stored, from: offset, nextOffset })
      for (const message of messagesOf(batch)) {
        assert.equal(message.offset, told.length)
        told.push(toldOf(message))
      }
      offset = nextOffset
    }
    if (offset >= part!.highWatermark) return { told, packed }
  }
}

function batchesIn(records: Buffer): (StoredBatch & { nextOffset: number })[] {
  const found: (StoredBatch & { nextOffset: number })[] = []
  for (let position = 0; position + layout.recordsAt <= records.length; ) {
    const length = records.readInt32BE(position + layout.batchLengthAt)
    const sizeBytes = length + layout.lengthOverhead
    // The last one may be cut short.
    if (position + sizeBytes > records.length) break
    const baseOffset = Number(records.readBigInt64BE(position + layout.baseOffsetAt))
    const last = records.readInt32BE(position + layout.lastOffsetDeltaAt)
    found.push({ position, sizeBytes, baseOffset, nextOffset: baseOffset + last + 1 })
    position += sizeBytes
  }
  return found
}

function compressionAt(records: Buffer, position: number): Compression {
  const attributes = records.readInt16BE(position + layout.attributesAt)
  return compressions[attributes & layout.compressionMask]!
}

/** What Kafka's console consumer prints of `count` messages, by partition. */
async function consoleConsumer(cluster: KafkaCluster, topic: string, count: number) {
  const bytesDeserializer = 'org.apache.kafka.common.serialization.BytesDeserializer'
  const shown = ['timestamp', 'partition', 'offset', 'headers', 'key', 'value']
  const properties = [
    ...shown.map((name) => `print.${name}=true`),
    ...['key', 'value', 'headers'].map((name) => `${name}.deserializer=${bytesDeserializer}`),
    `null.literal=${nullMarker}`,
    `headers.separator=${headerSeparator}`,
  ]
  const { code, stdout, stderr } = await cluster.tool(
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    [
      ...['--bootstrap-server', cluster.bootstrapServers, '--topic', topic, '--from-beginning'],
      ...['--max-messages', String(count), '--timeout-ms', '30000'],
      ...properties.flatMap((property) => ['--formatter-property', property]),
    ],
  )
  assert.equal(code, 0, stderr)
  const partitions: Told[][] = compressions.map(() => [])
  for (const line of stdout.split('\n').filter((one) => one !== '')) {
    const [time, partition, offset, headers, key, value] = line.split('\t')
    const messages = partitions[Number(partition!.split(':')[1])]!
    assert.equal(offset, `Offset:${messages.length}`)
    messages.push({
      time: Number(time!.split(':')[1]),
      headers: headers === 'NO_HEADERS' ? [] : headers!.split(headerSeparator).map(headerOf),
      key: key === nullMarker ? null : key!,
      value: value === nullMarker ? null : shortened(value!),
    })
  }
  return partitions
}

function headerOf(said: string): readonly [string, string | null] {
  const colon = said.indexOf(':')
  const value = said.slice(colon + 1)
  return [said.slice(0, colon), value === nullMarker ? null : value]
}

async function consoleProducer(
  cluster: KafkaCluster,
  topic: string,
  compression: Compression,
  lines: readonly string[],
): Promise<void> {
  const properties = ['parse.key=true', 'parse.headers=true', `null.marker=${nullMarker}`]
  const { code, stderr } = await cluster.tool(
    'org.apache.kafka.tools.ConsoleProducer',
    [
      ...['--bootstrap-server', cluster.bootstrapServers, '--topic', topic],
      ...['--compression-codec', compression, '--batch-size', '400000'],
      ...properties.flatMap((property) => ['--reader-property', property]),
    ],
    { input: lines.map((line) => `${line}\n`).join('') },
  )
  assert.equal(code, 0, stderr)
  assert.doesNotMatch(stderr, /ERROR|Exception/)
}

/** Kafka's tool for damaged files, on every segment of the topic. */
async function checkFiles(
  cluster: KafkaCluster,
  dataDirectory: string,
  topic: string,
  written: readonly Plain[][],
): Promise<void> {
  // Kafka begins a new segment where times are far apart.
  const files = written.flatMap((_, partition) => {
    const folder = path.join(dataDirectory, `${topic}-${partition}`)
    return globSync('*.log', { cwd: folder }).map((file) => path.join(folder, file))
  })
  const { code, stdout, stderr } = await cluster.tool('org.apache.kafka.tools.DumpLogSegments', [
    ...['--files', files.join(','), '--deep-iteration'],
  ])
  assert.equal(code, 0, stderr)
  const lines = stdout.split('\n')
  const heads = lines.filter((line) => line.startsWith('baseOffset:'))
  const sound = heads.filter((line) => line.includes('isvalid: true'))
  assert.equal(sound.length, compressions.length * (batchesEach + 1), stdout.slice(0, 2000))
  assert.equal(heads.length, sound.length)
  for (const name of compressions) {
    const packed = heads.filter((line) => line.includes(`compresscodec: ${name}`))
    assert.equal(packed.length, batchesEach + 1, name)
  }
  const records = lines.filter((line) => line.startsWith('| offset:'))
  assert.equal(records.length, written.flat().length)
}

function lineOf({
  key,
  value,
  headers,
}: {
  key: string | null
  value: string | null
  headers: readonly (readonly [string, string])[]
}): string {
  const said = headers.map(([name, text]) => `${name}:${text}`).join(',')
  return [said === '' ? nullMarker : said, key ?? nullMarker, value ?? nullMarker].join('\t')
}

function toldOf({ time, key, value, headers }: Plain): Told {
  return {
    time,
    key: key && escaped(key),
    value: value && shortened(escaped(value)),
    headers: headers.map((one) => [one.key, one.value && escaped(one.value)]),
  }
}

/** Bytes as Kafka's Bytes.toString has them: printable ASCII as it is, the rest as \xHH. */
function escaped(array: Uint8Array): string {
  let said = ''
  for (const byte of array) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x5c
    const hex = byte.toString(16).toUpperCase().padStart(2, '0')
    said += isPlain ? String.fromCharCode(byte) : `\\x${hex}`
  }
  return said
}

/** What would fill a page when a test fails, by its hash. */
function shortened(said: string): string {
  if (said.length < 2000) return said
  return `${said.length} of ${createHash('sha256').update(said).digest('hex')}`
}

const sortable = (told: unknown) => JSON.stringify(told)

/** Bytes that do not compress, the same ones each time. */
function noise(count: number): Buffer {
  const made = Buffer.alloc(count)
  let state = 1
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    made[index] = state >>> 24
  }
  return made
}
