/** The doctor at a real Kafka: a cluster that is well, and what can be wrong with one. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTopicsV7 } from '@platformatic/kafka'
import { KafkaClient, type KafkaConnection } from '../log/kafka-client.ts'
import { newName, withKafka } from '../log/kafka-testing.ts'
import { defaultTopicSettings, type TopicSettings } from '../log/log.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { doctorCommand } from './doctor.ts'
import type { NamedFinding } from './doctor-check.ts'
import { type KafkaQuestion, kafkaFindings } from './doctor-kafka.ts'

const aclTool = 'org.apache.kafka.tools.AclCommand'
const authorizer = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'
const settings = { 'authorizer.class.name': authorizer, 'allow.everyone.if.no.acl.found': 'true' }

function planOfTopic(pipeline: string, name: string, declared: Partial<TopicSettings> = {}) {
  const topic = { name, declared, settings: { ...defaultTopicSettings, ...declared } }
  return {
    pipelines: [
      { ...{ name: pipeline, hash: '', deadLetters: '' }, inputs: [], steps: [], outputs: [] },
    ],
    topics: [{ ...topic, writtenBy: [pipeline], readBy: [], internal: false }],
  }
}

withKafka(
  'the doctor on Kafka',
  (cluster) => {
    let client: KafkaClient
    let connection: KafkaConnection

    before(() => {
      connection = { brokers: cluster().bootstrapServers.split(','), clientId: 'doctor' }
      client = new KafkaClient(connection)
    })
    after(() => client.close())

    const examine = async (changes: Partial<KafkaQuestion> = {}): Promise<NamedFinding[]> => {
      const question = { connection, by: 'kafka', prefix: '', write: false }
      return Array.fromAsync(kafkaFindings({ ...question, ...changes }))
    }

    const named = (findings: readonly NamedFinding[], name: string): NamedFinding => {
      const found = findings.find((one) => one.name === name)
      assert.ok(found, `${name} is among ${findings.map((one) => one.name).join(', ')}`)
      return found
    }

    async function makeTopic(name: string, configs: Readonly<Record<string, string>> = {}) {
      const topic = {
        ...{ name, numPartitions: 1, replicationFactor: 1, assignments: [] },
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      }
      await client.call(
        await client.controller(),
        'any',
        createTopicsV7.api,
        [topic],
        10_000,
        false,
      )
    }

    test('finds a cluster that is well so, and says which Kafka it is', async () => {
      const findings = await examine({ write: true })
      assert.deepEqual(
        findings.filter(({ health }) => health !== 'ok'),
        [],
      )
      assert.match(named(findings, 'version').saw, /^Apache Kafka \d\.\d; all \d+ requests/)
      assert.match(named(findings, 'features').saw, /^metadata\.version \d+/)
      assert.match(named(findings, 'clock').saw, /agrees with ours within \d+ ms/)
    })

    test('does not touch the clock unasked', async () => {
      assert.match(named(await examine(), 'clock').saw, /not measured/)
    })

    test('finds topics that refuse writes', async () => {
      const name = newName('stuck')
      await makeTopic(name, { 'min.insync.replicas': '2' })
      const plan = planOfTopic('score', name)
      const finding = named(await examine({ plan }), 'replicas')
      assert.equal(finding.health, 'fail')
      assert.ok(finding.saw.includes(`${name} (1 in sync, min.insync.replicas 2)`), finding.saw)
      const others = named(await examine({ plan: planOfTopic('score', newName('t')) }), 'replicas')
      assert.equal(others.health, 'warn', 'a topic of somebody else')
    })

    test('finds topics that take smaller messages than are declared', async () => {
      const name = newName('small')
      await makeTopic(name, { 'max.message.bytes': '5096' })
      const plan = planOfTopic('score', name, { maxMessageBytes: 2_000_000 })
      const finding = named(await examine({ plan }), 'message size')
      assert.equal(finding.health, 'fail')
      assert.equal(finding.saw, `${name}: maxMessageBytes 1000, declared 2000000`)
      const same = planOfTopic('score', name, { maxMessageBytes: 1000 })
      assert.equal(named(await examine({ plan: same }), 'message size').health, 'ok')
    })

    test('finds rights that are missing; the commands that it names grant them', async () => {
      const topic = newName('secret')
      const pipeline = newName('guarded')
      await makeTopic(topic)
      const lock = [
        ...['--bootstrap-server', cluster().bootstrapServers, '--add'],
        ...['--allow-principal', 'User:another', '--operation', 'Write'],
      ]
      await cluster().tool(aclTool, [...lock, '--topic', topic, '--topic', `${topic}.new`])
      await cluster().tool(aclTool, [
        ...['--bootstrap-server', cluster().bootstrapServers, '--add', '--operation', 'Read'],
        ...['--allow-principal', 'User:another', '--group', pipeline],
      ])
      const prefixed = ['--transactional-id', `${pipeline}.`, '--resource-pattern-type', 'prefixed']
      await cluster().tool(aclTool, [...lock, ...prefixed])
      const there = planOfTopic(pipeline, topic)
      const plan = {
        ...there,
        topics: [...there.topics, ...planOfTopic('', `${topic}.new`).topics],
      }
      const names = ['topic rights', 'group rights', 'transactions'] as const
      await waitFor(async () => {
        const findings = await examine({ plan })
        return names.every((name) => named(findings, name).health === 'fail')
      })
      const findings = await examine({ plan })
      assert.match(named(findings, 'topic rights').saw, /^User:ANONYMOUS may not .*Write/)
      const commands = names.flatMap((name) => named(findings, name).fix!.split('\n'))
      for (const command of commands) {
        const [program, ...args] = command.split(' ')
        assert.equal(program, 'kafka-acls')
        const { code, stderr } = await cluster().tool(aclTool, args)
        assert.equal(code, 0, stderr)
      }
      await waitFor(async () => {
        const after = await examine({ plan })
        return names.every((name) => named(after, name).health === 'ok')
      })
    })

    test('is a command that says so by its code, and by JSON', async () => {
      const shop: Workshop = await openWorkshop()
      let exitCode = 0
      const setExitCode = (code: number) => {
        exitCode = code
      }
      process.env.MILLRACE_ENV = 'kafka'
      const examined = async (servers: string) => {
        process.env.KAFKA_BOOTSTRAP_SERVERS = servers
        exitCode = 0
        const command = doctorCommand(setExitCode, shop.context)
        const report: { ok: boolean; checks: NamedFinding[] } = JSON.parse(
          await shop.run(command, '--json'),
        )
        assert.equal(report.ok, exitCode === 0)
        return report
      }
      const before = process.env.KAFKA_BOOTSTRAP_SERVERS
      try {
        const well = await examined(cluster().bootstrapServers)
        assert.match(named(well.checks, 'environment').saw, /^kafka, by the variables/)
        assert.equal(named(well.checks, 'cluster').health, 'ok')
        const away = await examined('127.0.0.1:1')
        assert.equal(away.ok, false)
        assert.match(named(away.checks, 'broker').saw, /127\.0\.0\.1:1: nothing listens there/)
      } finally {
        delete process.env.MILLRACE_ENV
        if (before === undefined) delete process.env.KAFKA_BOOTSTRAP_SERVERS
        else process.env.KAFKA_BOOTSTRAP_SERVERS = before
        await shop.close()
      }
    })
  },
  { settings, ownBrokers: true },
)

/** A broker takes up new rights a little later. */
async function waitFor(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 40; tries++) {
    if (await isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  assert.fail('it does not come about')
}
