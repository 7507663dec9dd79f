import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { confluentCloud, kafka, msk, selfManaged } from './connections.ts'
import type { KafkaChoice } from './kafka-connection.ts'
import type { SaslOptions } from './sasl.ts'
import { secret } from './secret.ts'
import type { TlsOptions } from './tls.ts'

const password = secret('TEST_KAFKA_PASSWORD')
const mskBroker = 'b-1.shop.abc123.c2.kafka.eu-west-1.amazonaws.com'

function refused(make: () => unknown, message: RegExp): void {
  assert.throws(make, { code: 'CONFIG_INVALID', message })
}

describe('connections', () => {
  let directory: string
  const open = (choice: KafkaChoice) => choice.connection({ clientId: 'shop', directory })
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-connections-'))
    writeFileSync(join(directory, 'ca.pem'), '-----BEGIN CERTIFICATE-----\nca\n')
    writeFileSync(join(directory, 'client.pem'), '-----BEGIN CERTIFICATE-----\nclient\n')
    writeFileSync(join(directory, 'client.key'), '-----BEGIN PRIVATE KEY-----\nhidden\n')
    writeFileSync(join(directory, 'client.p12'), 'pkcs12')
    process.env.TEST_KAFKA_PASSWORD = 'hidden'
  })
  after(() => {
    rmSync(directory, { recursive: true, force: true })
    delete process.env.TEST_KAFKA_PASSWORD
  })

  it('take brokers as a list or as one text, with the usual port where none is said', async () => {
    for (const brokers of ['a:1, b ,', ['a:1', 'b:9092'], 'PLAINTEXT://a:1,b']) {
      assert.deepEqual(await open(kafka({ brokers })), {
        brokers: ['a:1', 'b:9092'],
        clientId: 'shop',
      })
    }
    assert.deepEqual(kafka({ brokers: '[::1]:9093' }).brokers, ['[::1]:9093'])
    refused(() => kafka({ brokers: 'a b:1' }), /^kafka\(\): option 'brokers': 'a b:1' is not host/)
    refused(() => kafka({ brokers: [] }), /name at least one broker/)
    refused(() => kafka({ brokers: 'a:99999' }), /'a:99999' is not host:port/)
  })

  it('say which option is wrong, missing or unknown', () => {
    const wrong = (options: unknown) => () => kafka(options as { brokers: string })
    refused(wrong({}), /^kafka\(\): option 'brokers' is missing$/)
    refused(wrong({ broker: 'a' }), /unknown option 'broker', did you mean 'brokers'\?/)
    refused(
      () => selfManaged({ brokers: 'a', sasl: { mechanism: 'SCRAM' } as unknown as SaslOptions }),
      /^selfManaged\(\): option 'sasl.mechanism'/,
    )
    refused(
      () => selfManaged({ brokers: 'a', tls: { cert: 'x' } as unknown as TlsOptions }),
      /selfManaged\(\): .*cert/,
    )
  })

  it('take no password as text, and do not print it', () => {
    const apiSecret = 'hunter2' as unknown as typeof password
    refused(
      () => confluentCloud({ bootstrap: 'a', apiKey: 'k', apiSecret }),
      /^confluentCloud\(\): option 'apiSecret': name the secret, as secret\('NAME'\), instead of writing it here$/,
    )
    refused(
      () => selfManaged({ brokers: 'a', tls: { certificate: 'c', key: '-----BEGIN x' } }),
      /^(?!.*BEGIN).*name the key's file/,
    )
  })

  it('to Confluent Cloud are TLS with the key as user', async () => {
    const bootstrap = 'SASL_SSL://pkc-1.eu-west-1.aws.confluent.cloud:9092'
    const choice = confluentCloud({ bootstrap, apiKey: 'KEY', apiSecret: password })
    const { brokers, tls, sasl } = await open(choice)
    assert.deepEqual(brokers, ['pkc-1.eu-west-1.aws.confluent.cloud:9092'])
    assert.equal(tls?.rejectUnauthorized, true)
    assert.equal(sasl?.mechanism, 'PLAIN')
    assert.deepEqual([await sasl?.username?.(), await sasl?.password?.()], ['KEY', 'hidden'])
    assert.equal(choice.security, 'TLS, PLAIN')
  })

  it('to MSK know the ports and the region', async () => {
    const { brokers, sasl } = await open(
      msk({ brokers: mskBroker, auth: 'scram', username: 'shop', password }),
    )
    assert.deepEqual(brokers, [`${mskBroker}:9096`])
    assert.equal(sasl?.mechanism, 'SCRAM-SHA-512')
    refused(
      () => msk({ brokers: `${mskBroker}:9092`, auth: 'iam' }),
      /9092 is the port without encryption; 'iam' is on 9098, or 9198/,
    )
    refused(() => msk({ brokers: `${mskBroker}:9098`, auth: 'tls', tls: {} }), /port auth 'iam'/)
    refused(() => msk({ brokers: 'a' } as unknown as Parameters<typeof msk>[0]), /'auth' is one of/)
  })

  it('to MSK with IAM sign in with a token of the region that the names say', async () => {
    const asked: unknown[] = []
    const signer = {
      generateAuthToken: async (options: unknown) => {
        asked.push(options)
        return { token: 'signed', expiryTime: Date.now() + 900_000 }
      },
    }
    const serverless = 'boot-x.c1.kafka-serverless.us-east-1.amazonaws.com:9098'
    const { sasl, tls } = await open(msk({ brokers: serverless, auth: 'iam' }, async () => signer))
    assert.deepEqual([await sasl?.token?.(), await sasl?.token?.()], ['signed', 'signed'])
    assert.deepEqual(asked, [{ region: 'us-east-1' }])
    assert.ok(tls)
    const absent = msk({ brokers: mskBroker, auth: 'iam' }, () => Promise.reject(new Error('no')))
    const unsigned = await open(absent)
    await assert.rejects(unsigned.sasl!.token!(), {
      code: 'DEPENDENCY_MISSING',
      message: /npm install aws-msk-iam-sasl-signer-js/,
    })
  })

  it('read certificates from files, texts and secrets, and print none of it', async () => {
    const tls = { ca: 'ca.pem', certificate: 'client.pem', key: 'client.key', passphrase: password }
    const choice = selfManaged({ brokers: 'a', tls })
    assert.equal(choice.security, 'mutual TLS')
    const connection = await open(choice)
    assert.match(connection.tls!.ca!, /\nca\n/)
    assert.match(connection.tls!.key!, /hidden/)
    assert.equal(connection.tls!.passphrase, 'hidden')
    for (const printed of [JSON.stringify(connection), inspect(connection, { depth: 9 })]) {
      assert.doesNotMatch(printed, /hidden/)
      assert.match(printed, /passphrase/)
    }
    const inline = await open(selfManaged({ brokers: 'a', tls: { ca: '-----BEGIN CERTIFICATE-' } }))
    assert.equal(inline.tls!.ca, '-----BEGIN CERTIFICATE-')
    const pkcs12 = { pkcs12: 'client.p12', passphrase: password }
    const { tls: packed } = await open(selfManaged({ brokers: 'a', tls: pkcs12 }))
    assert.equal(packed!.pfx!.toString(), 'pkcs12')
    await assert.rejects(open(selfManaged({ brokers: 'a', tls: { ca: 'none.pem' } })), {
      code: 'CONFIG_INVALID',
      message: /selfManaged\(\), option 'ca': .*ENOENT/,
    })
    await assert.rejects(open(selfManaged({ brokers: 'a', tls: { ca: 'client.p12' } })), /not PEM/)
  })

  it('go without encryption only where that is said', async () => {
    assert.ok((await open(selfManaged({ brokers: 'a' }))).tls)
    const sasl = { mechanism: 'SCRAM-SHA-256', username: 'shop', password } as const
    const open256 = await open(selfManaged({ brokers: 'a', tls: false, sasl }))
    assert.equal(open256.tls, undefined)
    assert.equal(open256.sasl?.mechanism, 'SCRAM-SHA-256')
    const token = { mechanism: 'OAUTHBEARER', clientId: 'c', clientSecret: password } as const
    refused(
      () => selfManaged({ brokers: 'a', sasl: { ...token, tokenEndpoint: 'http://idp/token' } }),
      /'sasl.tokenEndpoint': give an address with https/,
    )
  })
})
