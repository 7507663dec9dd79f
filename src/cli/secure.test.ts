import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readCertificates } from '../security/authority.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { secureCommand } from './secure.ts'

const passphrase = 'a passphrase, not a secret'

describe('millrace secure init', () => {
  let shop: Workshop
  let given: readonly string[]
  const run = (...words: string[]) =>
    shop.run(secureCommand(shop.context), 'init', ...words, ...given)

  before(async () => {
    shop = await openWorkshop()
    const file = join(shop.directory, 'passphrase')
    writeFileSync(file, `${passphrase}\n`)
    given = ['--passphrase-file', file]
  })
  after(() => shop.close())

  it('makes a folder a broker and a client, names as asked, and says how it goes on', async () => {
    const directory = join(shop.directory, 'one')
    const brokers = 'kafka-1.example.com:9093,10.0.0.2:9094'
    await run(directory, '--brokers', brokers, '--san', 'kafka.example.com', '--client', 'app')
    assert.match(shop.said.join('\n'), /kafka-storage\.sh @.*brokers\/2\/format\.args/)
    const [certificate] = readCertificates(
      'test',
      readFileSync(join(directory, 'brokers/2/certificate.pem'), 'utf8'),
    )
    assert.match(certificate!.subject, /CN=kafka-2/)
    const names = certificate!.toString('text')
    assert.match(names, /10\.0\.0\.2/)
    assert.match(names, /kafka\.example\.com/)
    const server = readFileSync(join(directory, 'brokers/2/server.properties'), 'utf8')
    assert.match(
      server,
      /^controller\.quorum\.voters=1@kafka-1\.example\.com:19093,2@10\.0\.0\.2:19094$/m,
    )
    assert.match(server, /^listeners=SASL_SSL:\/\/10\.0\.0\.2:9094,/m)
    for (const name of wanted)
      assert.match(server, new RegExp(`^${name.replaceAll('.', '\\.')}=.`, 'm'))
    const client = readFileSync(join(directory, 'clients/app/client.properties'), 'utf8')
    for (const name of wantedOfClients) assert.match(client, new RegExp(`^${name}=.`, 'm'))
    assert.equal(statSync(join(directory, 'ca/ca.key')).mode & 0o777, 0o600)
    assert.match(readFileSync(join(directory, 'ca/ca.key'), 'utf8'), /ENCRYPTED/)
  })

  it('says no word that is secret, and writes nothing over', async () => {
    const directory = join(shop.directory, 'two')
    const printed = await run(
      directory,
      '--brokers',
      'localhost:9093',
      '--client-auth',
      'required',
      '--json',
    )
    const { files } = JSON.parse(printed) as { files: string[] }
    assert.ok(files.includes('clients/producer/keystore.p12'))
    const password = readFileSync(join(directory, 'clients/producer/password'), 'utf8')
    const all = [printed, ...shop.said].join('\n')
    assert.ok(password.length >= 32 && !all.includes(password) && !all.includes(passphrase))
    await assert.rejects(run(directory, '--brokers', 'localhost:9093'), /is not empty/)
    writeFileSync(join(shop.directory, 'file'), '')
    const inFile = join(shop.directory, 'file', 'x')
    await assert.rejects(run(inFile, '--brokers', 'localhost:9093'), /SECURE|ENOTDIR/)
    assert.equal(readFileSync(join(directory, 'clients/producer/password'), 'utf8'), password)
  })

  for (const [words, said] of [
    [['--brokers', 'localhost'], /is no host:port/],
    [['--brokers', 'a:1,a:1'], /named twice/],
    [['--brokers', 'a:1', '--san', 'no name'], /no host name/],
    [['--brokers', 'a:1', '--client', 'admin'], /'admin' is there already/],
    [['--brokers', 'a:1', '--days', '0'], /whole number/],
    [['--brokers', 'a:1', '--key', 'dsa'], /Allowed choices are ec, rsa/],
  ] as const) {
    it(`refuses ${words.join(' ')}`, async () => {
      await assert.rejects(run(join(shop.directory, 'three'), ...words), said)
    })
  }
})

const wanted = [
  ...['listeners', 'advertised.listeners', 'ssl.keystore.location', 'ssl.keystore.password'],
  ...['ssl.keystore.type', 'ssl.truststore.location', 'ssl.truststore.password'],
  ...['ssl.truststore.type', 'security.inter.broker.protocol', 'ssl.client.auth', 'ssl.protocol'],
  ...['ssl.enabled.protocols', 'sasl.enabled.mechanisms', 'sasl.mechanism.inter.broker.protocol'],
  ...['listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config', 'authorizer.class.name'],
  ...['super.users', 'allow.everyone.if.no.acl.found'],
]
const wantedOfClients = [
  ...['security.protocol', 'sasl.mechanism', 'sasl.jaas.config', 'ssl.truststore.location'],
  ...['ssl.truststore.password', 'group.id'],
]
