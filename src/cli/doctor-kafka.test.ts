import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import type { KafkaConnection } from '../log/kafka-client.ts'
import { placeText } from '../log/kafka-probe.ts'
import {
  certificates,
  type FakeBroker,
  serveKafka,
  servePlain,
  serveTls,
  type TestServer,
} from '../log/kafka-probe-testing.ts'
import { neededRequests } from '../log/kafka-probe-versions.ts'
import { clockFinding, kafkaFindings } from './doctor-kafka.ts'
import { certificateFinding } from './doctor-kafka-certificate.ts'
import { type Grantor, grants } from './doctor-kafka-grant.ts'

const all = Object.values(neededRequests).map(({ key, version }) => [key, version] as const)
const requests = [...all, [17, 1], [18, 4], [36, 2]] as const
const sasl = { mechanism: 'SCRAM-SHA-512', username: 'mill', password: 'hush' } as const

describe('the doctor at brokers', () => {
  const servers: TestServer[] = []

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })

  const kept = async (starting: Promise<TestServer>) => {
    const server = await starting
    servers.push(server)
    return server
  }

  /** What was wrong, a line each. */
  async function wrongWith(place: TestServer, security: Partial<KafkaConnection> = {}) {
    const connection = { brokers: [placeText(place)], clientId: 'doctor', ...security }
    const question = { connection, by: 'kafka', prefix: '', write: false }
    const findings = await Array.fromAsync(kafkaFindings(question))
    const wrong = findings.filter(({ health }) => health === 'fail')
    for (const { fix } of wrong) assert.ok(fix, 'what to do is said')
    return wrong.map(({ name, saw }) => `${name}: ${saw}`)
  }

  const kafka = (broker: Partial<FakeBroker> = {}) => kept(serveKafka({ requests, ...broker }))

  test('nobody listens', async () => {
    const server = await kafka()
    await server.close()
    const [only, ...others] = await wrongWith(server)
    assert.match(only!, /^broker: 127\.0\.0\.1:\d+: nothing listens there/)
    assert.deepEqual(others, [])
  })

  test('an advertised listener that cannot be resolved', async () => {
    const advertised = { host: 'broker-7.invalid', port: 9092 }
    const [first, second] = await wrongWith(await kafka({ advertised }))
    assert.match(first!, /^broker: broker-7\.invalid:9092: the name has no address here/)
    assert.match(first!, /broker 7 tells clients to connect there/)
    assert.match(second!, /^cluster: not looked at/)
  })

  test('an advertised listener where nobody is', async () => {
    const [first] = await wrongWith(await kafka({ advertised: { host: '127.0.0.1', port: 1 } }))
    assert.match(first!, /127\.0\.0\.1:1: nothing listens there .*; broker 7 tells/)
  })

  test('a mechanism that is not offered', async () => {
    const server = await kafka({ mechanisms: ['PLAIN', 'OAUTHBEARER'] })
    const [first] = await wrongWith(server, { sasl })
    assert.match(first!, /SCRAM-SHA-512 is not offered; offered: PLAIN, OAUTHBEARER/)
  })

  test('a user where none is asked for, and none where one is', async () => {
    assert.match((await wrongWith(await kafka(), { sasl }))[0]!, /it has no SASL/)
    const server = await kafka({ mechanisms: ['PLAIN'] })
    assert.match((await wrongWith(server))[0]!, /it wants a user to sign in, by PLAIN/)
  })

  test('TLS where there is none, and none where there is', async () => {
    const { ca } = certificates
    assert.match((await wrongWith(await kafka(), { tls: { ca } }))[0]!, /without TLS/)
    const hangsUp = { ALPNProtocols: ['kafka'] }
    const server = await kept(serveTls('good', hangsUp))
    assert.match((await wrongWith(server))[0]!, /this listener wants TLS/)
  })

  test('no Kafka at all', async () => {
    const server = await kept(servePlain((socket) => socket.once('data', () => socket.destroy())))
    assert.match((await wrongWith(server))[0]!, /^sign-in: .*it does not answer as Kafka does/)
    const [first] = await wrongWith(server, { tls: {} })
    assert.match(first!, /^certificate: .*it does not speak TLS/)
  })

  test('a certificate that is not taken ends it there: nobody signs in', async () => {
    const server = await kept(serveTls('expiredByOther'))
    const [first, ...others] = await wrongWith(server, { sasl, tls: { ca: certificates.ca } })
    assert.match(first!, /^certificate: .*expired on 2020-01-01/)
    assert.match(first!, /the host name is not in its certificate/)
    assert.match(first!, /not trusted here: CN=other CA/)
    assert.deepEqual(others, [])
  })

  test('requests that a broker is too old for', async () => {
    const old = requests.map(([key, max]) => [key, key === 11 ? 7 : max] as const)
    const wrong = await wrongWith(await kafka({ requests: old }))
    assert.match(wrong.join('\n'), /version: .*not known: JoinGroup 9 \(knows up to 7\)/)
  })
})

describe("the doctor's words", () => {
  const day = 24 * 60 * 60_000
  const sight = {
    ...{ protocol: 'TLSv1.3', subject: 'CN=broker', issuer: 'CN=mill CA', names: ['localhost'] },
    ...{ validFromMs: 0, validToMs: 100 * day, problems: [] },
  }
  const place = { host: 'localhost', port: 1 }

  test('a certificate that soon expires', () => {
    assert.equal(certificateFinding(sight, place, {}, 50 * day).health, 'ok')
    const soon = certificateFinding(sight, place, {}, 90 * day)
    assert.equal(soon.health, 'warn')
    assert.match(soon.saw, /10 days left/)
  })

  test('a clock is blamed for no more than is sure', () => {
    assert.equal(clockFinding(3_000, 1_500).health, 'ok')
    assert.match(clockFinding(-10_000, 100).saw, /9\.9 s behind ours/)
    assert.equal(clockFinding(10_000, 100).health, 'warn')
    assert.equal(clockFinding(600_000, 100).health, 'fail')
  })

  test('a right is granted by the command of the cluster', () => {
    const lacks = [
      { resource: { kind: 'topic', name: 'mails' }, operations: ['Read', 'DescribeConfigs'] },
      { resource: { kind: 'topic', name: 'spam' }, operations: ['Read', 'DescribeConfigs'] },
      { resource: { kind: 'transactional-id', begin: 'score.' }, operations: ['Write'] },
    ] as const
    const by = (grantor: Partial<Grantor>) =>
      grants(lacks, {
        ...{ by: 'selfManaged', mechanism: 'SCRAM-SHA-512', bootstrap: 'b:1', isSecured: true },
        ...{ principal: 'User:the mill', ...grantor },
      }).split('\n')
    const [topics, ids, ...others] = by({})
    const start = `kafka-acls --bootstrap-server b:1 --command-config ADMIN.properties --add --allow-principal 'User:the mill'`
    assert.equal(
      topics,
      `${start} --operation Read --operation DescribeConfigs --topic mails --topic spam`,
    )
    const pattern = '--resource-pattern-type prefixed'
    assert.equal(ids, `${start} --operation Write --transactional-id score. ${pattern}`)
    assert.deepEqual(others, [])
    assert.match(
      by({ by: 'confluentCloud' })[0]!,
      /--operations read,describe-configs --topic mails$/,
    )
    assert.match(
      by({ by: 'msk', mechanism: 'OAUTHBEARER' })[2]!,
      /kafka-cluster:AlterTransactionalId on transactional-id\/CLUSTER\/ID\/score\.\*/,
    )
  })
})
