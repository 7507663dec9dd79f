/** A real broker starts with the files that are made, and lets in whom it should. */
import assert from 'node:assert/strict'
import { mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  jars,
  outcome,
  shortLived,
  startJava,
  whyNoJava,
} from '../../scripts/services/kafka/jars.ts'
import { freePorts } from '../../scripts/services/ports.ts'
import { systemClock } from '../core/clock.ts'
import { hostNameOf } from './host-name.ts'
import { secureCluster } from './secure-cluster.ts'
import { SecureFiles } from './secure-files.ts'

const why = whyNoJava()
const isCi = process.env.CI === 'true'
const skip = why !== undefined && !isCi ? `no Kafka: ${why}` : false
if (skip) console.error(`a secured Kafka: skipped: ${skip}`)
const folder = mkdtempSync(join(tmpdir(), 'millrace-secure-'))
const files = new SecureFiles(join(folder, 'secure'))
const upMs = 120_000

const tool = async (className: string, args: readonly string[], input?: string) => {
  const directory = await jars()
  const child = startJava({ directory, options: shortLived, className, args, logLevel: 'warn' })
  const { code, stdout, stderr } = await outcome(child, input)
  return { code, said: stdout + stderr }
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.end()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

/** Kafka's own tools, as one of the users. */
const as = (user: string, option = '--command-config') => [
  ...[option, files.place('clients', user, 'client.properties')],
]

describe('a secured Kafka', { skip }, () => {
  let broker: ReturnType<typeof startJava> | undefined
  let bootstrap: readonly string[] = []

  before(async () => {
    const [port = 0] = await freePorts(1)
    bootstrap = ['--bootstrap-server', `127.0.0.1:${port}`]
    await secureCluster(
      files,
      {
        brokers: [{ host: '127.0.0.1', port }],
        hosts: [hostNameOf('test', 'localhost')],
        ...{ days: 90, kind: 'ec', organization: 'Test', passphrase: 'of the authority' },
        ...{ clients: ['producer', 'consumer'], clientAuth: 'none' },
      },
      systemClock,
    )
    files.write()
    const formatted = await tool('kafka.tools.StorageTool', [
      `@${files.place('brokers/1/format.args')}`,
    ])
    assert.equal(formatted.code, 0, formatted.said)
    broker = startJava({
      directory: await jars(),
      options: [
        '-Xmx512m',
        `-Dlog4j2.configurationFile=${files.place('brokers/1/log4j2.properties')}`,
      ],
      className: 'kafka.Kafka',
      args: [files.place('brokers/1/server.properties')],
      log: openSync(join(folder, 'broker.log'), 'w'),
    })
    const untilMs = Date.now() + upMs
    while (!(await listens(port))) {
      const log = readFileSync(join(folder, 'broker.log'), 'utf8')
      assert.ok(broker.exitCode === null && Date.now() < untilMs, log.slice(-5000))
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  })

  after(() => {
    broker?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  it('has files that only their owner reads, and is not made twice in one place', () => {
    for (const path of files.paths) {
      assert.equal(statSync(files.place(path)).mode & 0o777, 0o600, path)
    }
    assert.throws(() => files.write(), /is not empty/)
  })

  it('lets the administrator do everything, a user only what an ACL grants', async () => {
    const topics = 'org.apache.kafka.tools.TopicCommand'
    const made = await tool(topics, ['--create', '--topic', 'posts', ...bootstrap, ...as('admin')])
    assert.equal(made.code, 0, made.said)
    const produce = () =>
      tool(
        'org.apache.kafka.tools.ConsoleProducer',
        ['--topic', 'posts', ...bootstrap, ...as('producer')],
        'hello\n',
      )
    const refused = await produce()
    assert.match(refused.said, /TopicAuthorizationException|Not authorized to access topics/)
    assert.match(
      readFileSync(files.place('brokers/1/authorizer.log'), 'utf8'),
      /User:producer.*Denied/,
    )
    const granted = await tool('org.apache.kafka.tools.AclCommand', [
      ...['--add', '--allow-principal', 'User:producer', '--producer', '--topic', 'posts'],
      ...[...bootstrap, ...as('admin')],
    ])
    assert.equal(granted.code, 0, granted.said)
    const sent = await produce()
    assert.doesNotMatch(sent.said, /Exception/)
    const offsets = await tool('org.apache.kafka.tools.GetOffsetShell', [
      ...['--topic', 'posts', ...bootstrap, ...as('admin')],
    ])
    assert.match(offsets.said, /posts:0:1/)
  })

  it('refuses who has a wrong password, and who does not know its authority', async () => {
    const properties = readFileSync(files.place('clients/producer/client.properties'), 'utf8')
    const topics = 'org.apache.kafka.tools.TopicCommand'
    const attempt = async (name: string, text: string) => {
      const other = new SecureFiles(join(folder, name))
      other.add('client.properties', text)
      other.write()
      const config = other.place('client.properties')
      return tool(topics, ['--list', ...bootstrap, '--command-config', config])
    }
    const wrong = properties.replace(/password="[^"]+"/, 'password="wrong"')
    assert.match(
      (await attempt('wrong', wrong)).said,
      /SaslAuthenticationException|Authentication failed/,
    )
    const untrusting = properties.replace(/^ssl\.truststore.*\n/gm, '')
    assert.match((await attempt('untrusting', untrusting)).said, /SSL handshake failed/)
  })

  it('shows no password in what the broker wrote down', () => {
    const log = readFileSync(join(folder, 'broker.log'), 'utf8')
    for (const user of ['admin', 'producer', 'consumer']) {
      assert.ok(!log.includes(readFileSync(files.place('clients', user, 'password'), 'utf8')))
    }
  })
})
