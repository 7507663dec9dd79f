/** The Kafka that tests start: what faults do to it, and that it never outlives its test process. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { Connection, metadataV12 } from '@platformatic/kafka'
import { startKafka, whyNoKafka } from '../../scripts/services/kafka.ts'
import { freePorts } from '../../scripts/services/ports.ts'
import { type Broker, type KafkaCluster, newName, withKafka } from './kafka-testing.ts'

const topicTool = 'org.apache.kafka.tools.TopicCommand'
const services = path.resolve(import.meta.dirname, '../../scripts/services/kafka.ts')

withKafka(
  'Kafka for tests',
  (cluster) => {
    it('comes back with its data and address after a kill and after a stop', async () => {
      const { bootstrapServers, brokers } = cluster()
      const [broker] = brokers
      const topic = newName('kept')
      await listTopics(cluster(), ['--create', '--topic', topic])
      for (const end of [() => broker!.kill(), () => broker!.stop()]) {
        await end()
        assert.equal(await isOpen(broker!), false)
        await broker!.start()
        assert.equal(cluster().bootstrapServers, bootstrapServers)
        assert.match(await listTopics(cluster(), ['--list']), new RegExp(`^${topic}$`, 'm'))
      }
      await assert.rejects(broker!.start(), /runs already/)
    })

    it('stands still while it is paused, and goes on', async () => {
      const [broker] = cluster().brokers
      await broker!.pause()
      const answer = listTopics(cluster(), ['--list'])
      const early = await Promise.race([answer, after(4_000)])
      await broker!.resume()
      assert.equal(early, undefined)
      assert.ok((await answer).length > 0)
    })

    it('ends with its test process, also when that is killed', async () => {
      const child = spawn(process.execPath, [
        '--input-type=module',
        `--eval=import { startKafka } from ${JSON.stringify(services)}
        const { brokers } = await startKafka()
        console.log(JSON.stringify(brokers[0]))`,
      ])
      child.stderr.pipe(process.stderr)
      const told: string[] = []
      for await (const line of createInterface({ input: child.stdout })) told.push(line)
      // The program came to its end with a broker running, which did not hold it.
      const first = JSON.parse(told[0]!) as Broker
      await untilGone(first)
      await untilGone(await killedWithBroker())
    })

    it('tells clients that come another way the ports of that way, and others its own', async () => {
      const [first, second] = await freePorts(2)
      const led = await startKafka({ views: [[first!], [second!]] })
      try {
        const [{ address, viewAddresses }] = led.brokers as [Broker]
        assert.equal(await portToldAt(viewAddresses[0]!), first)
        assert.equal(await portToldAt(viewAddresses[1]!), second)
        assert.equal(`127.0.0.1:${await portToldAt(address)}`, address)
        // Tools do not come that way.
        await listTopics(led, ['--create', '--topic', 'led'])
      } finally {
        await led.stop()
      }
    })

    it('says what a broker said that does not come up', async () => {
      await assert.rejects(
        startKafka({ settings: { 'num.io.threads': 'many' } }),
        /num\.io\.threads/,
      )
    })
  },
  { ownBrokers: true },
)

describe('whyNoKafka', () => {
  it('names what is missing, and nothing where a cluster is named', () => {
    const { PATH, JAVA_HOME, KAFKA_BOOTSTRAP_SERVERS } = process.env
    try {
      Object.assign(process.env, { PATH: '/nowhere', JAVA_HOME: '', KAFKA_BOOTSTRAP_SERVERS: '' })
      assert.equal(
        whyNoKafka(),
        'there is no java and there is no docker, and KAFKA_BOOTSTRAP_SERVERS is not set',
      )
      process.env.KAFKA_BOOTSTRAP_SERVERS = 'somewhere:9092'
      assert.equal(whyNoKafka(), undefined)
    } finally {
      for (const [name, value] of Object.entries({ PATH, JAVA_HOME, KAFKA_BOOTSTRAP_SERVERS })) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    }
  })
})

async function listTopics(cluster: KafkaCluster, words: readonly string[]): Promise<string> {
  const where = ['--bootstrap-server', cluster.bootstrapServers]
  const { code, stdout, stderr } = await cluster.tool(topicTool, [...where, ...words])
  assert.equal(code, 0, stderr)
  return stdout
}

/** The port that the broker names to those who come to it there. */
async function portToldAt(address: string): Promise<number | undefined> {
  const connection = new Connection('views')
  const [host, port] = address.split(':')
  await connection.connect(host!, Number(port))
  try {
    const { brokers } = await metadataV12.api.async(connection, [], false, false)
    return brokers[0]?.port
  } finally {
    await connection.close()
  }
}

/** Starts a process with a broker, and kills it so that it can do nothing any more. */
async function killedWithBroker(): Promise<Broker> {
  const child = spawn(process.execPath, [
    '--input-type=module',
    `--eval=import { startKafka } from ${JSON.stringify(services)}
    const { brokers } = await startKafka()
    console.log(JSON.stringify(brokers[0]))
    setInterval(() => undefined, 1000)`,
  ])
  child.stderr.pipe(process.stderr)
  for await (const line of createInterface({ input: child.stdout })) {
    const broker = JSON.parse(line) as Broker
    assert.equal(await isOpen(broker), true)
    child.kill('SIGKILL')
    return broker
  }
  throw new Error('the process said nothing')
}

/** Its port is closed and its data are removed. */
async function untilGone(broker: Broker): Promise<void> {
  const until = Date.now() + 20_000
  while ((await isOpen(broker)) || existsSync(broker.dataDirectory)) {
    assert.ok(Date.now() < until, `broker at ${broker.address} is still there`)
    await after(50)
  }
}

function isOpen({ address }: Broker): Promise<boolean> {
  const [host, port] = address.split(':')
  return new Promise((resolve) => {
    const socket = connect(Number(port), host)
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

const after = (waitMs: number) => new Promise<void>((resolve) => setTimeout(resolve, waitMs))
