import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { chooseEnvironment, type EnvironmentQuestion, findConfig } from './environment.ts'
import { defineConfig, embedded, kafka, msk, secret, selfManaged } from './index.ts'
import { kafkaFromVariables } from './variables.ts'

const config = new URL('./index.ts', import.meta.url).href

describe('environments', () => {
  let root: string
  let count = 0
  /** A folder with this configuration, and an application two folders below. */
  function application(text: string | undefined): string {
    const folder = join(root, String(count++))
    const app = join(folder, 'apps', 'shop')
    mkdirSync(app, { recursive: true })
    if (text !== undefined) writeFileSync(join(folder, 'millrace.config.ts'), text)
    return join(app, 'app.ts')
  }
  const choose = (app: string, rest: Partial<EnvironmentQuestion> = {}) =>
    chooseEnvironment({ app, variables: {}, ...rest })
  const written = (environments: string) => `
    import { defineConfig, embedded, kafka, secret, selfManaged } from '${config}'
    export default defineConfig({ environments: ${environments} })`
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-environment-'))
  })
  after(() => rmSync(root, { recursive: true, force: true }))

  it('are read from the nearest file at or above the application', async () => {
    const app = application(
      written(`{ local: { log: embedded() },
        kafka: { log: kafka({ brokers: 'a:1' }), prefix: 'app1' } }`),
    )
    const chosen = await choose(app, { name: 'kafka' })
    assert.deepEqual([chosen.name, chosen.prefix, chosen.log.kind], ['kafka', 'app1', 'kafka'])
    assert.equal(join(chosen.directory, 'millrace.config.ts'), findConfig(app))
    assert.match(chosen.from, /millrace\.config\.ts$/)
    assert.equal((await choose(app)).log.kind, 'embedded')
  })

  it('are local without a file, and kafka by variables', async () => {
    const app = application(undefined)
    const local = await choose(app)
    assert.deepEqual([local.name, local.log, local.prefix], ['local', { kind: 'embedded' }, ''])
    const variables = { KAFKA_BOOTSTRAP_SERVERS: 'a:1,b:2', MILLRACE_PREFIX: 'p' }
    const { log, prefix, from } = await choose(app, { name: 'kafka', variables })
    assert.ok(log.kind === 'kafka')
    assert.deepEqual([log.brokers, prefix], [['a:1', 'b:2'], 'p'])
    assert.equal(from, 'the variables KAFKA_*')
    await assert.rejects(choose(app, { name: 'kafka' }), {
      code: 'CONFIG_INVALID',
      message: /KAFKA_BOOTSTRAP_SERVERS is not set/,
    })
  })

  it('may leave the cluster to variables, and say what these do not', async () => {
    const app = application(
      `import { defineConfig, kafkaByVariables } from '${config}'
      const log = kafkaByVariables({ createTopics: true })
      export default defineConfig({ environments: { kafka: { log }, own: { log, prefix: 'o' } } })`,
    )
    assert.equal((await choose(app)).log.kind, 'embedded', 'variables are not asked for')
    await assert.rejects(choose(app, { name: 'kafka' }), /KAFKA_BOOTSTRAP_SERVERS is not set/)
    const variables = { KAFKA_BOOTSTRAP_SERVERS: 'a:1', MILLRACE_PREFIX: 'p' }
    const { log, prefix } = await choose(app, { name: 'kafka', variables })
    assert.ok(log.kind === 'kafka' && log.topics.isWanted)
    assert.deepEqual([log.brokers, prefix], [['a:1'], 'p'])
    assert.equal((await choose(app, { name: 'own', variables })).prefix, 'o')
  })

  it('that nobody described are refused, with the nearest name', async () => {
    const app = application(written(`{ production: { log: embedded() } }`))
    await assert.rejects(choose(app, { name: 'prodution' }), {
      code: 'CONFIG_INVALID',
      message: /^environment prodution: .*did you mean 'production'\?$/,
    })
    await assert.rejects(choose(app, { name: 'toString' }), { code: 'CONFIG_INVALID' })
  })

  it('say the file and the place of what is wrong in it', async () => {
    const wrong: [string, RegExp][] = [
      ['export const x = 1', /millrace\.config\.ts: add export default defineConfig/],
      ['export default { environment: {} }', /unknown option 'environment', did you mean/],
      ['syntax error', /millrace\.config\.ts: /],
      ['export default { environments: { a: { log: 1 } } }', /'environments\.a\.log': give embed/],
      ['export default { environments: { a: {} } }', /option 'environments\.a\.log' is missing/],
      [
        written(`{ a: { log: kafka({ brokers: 'a', createTopic: true }) } }`),
        /mean 'createTopics'/,
      ],
      [written(`{ a: { log: kafka({ brokers: 'a', replicationFactor: 0 }) } }`), /'replicationFac/],
      [written(`{ a: { log: kafka({ broker: 'a' }) } }`), /config\.ts: kafka\(\): .*'brokers'/],
      [written(`{ a: { log: embedded(), prefx: 'x' } }`), /unknown option 'prefx' in 'environm/],
      [written(`{ a: { log: embedded(), prefix: 'a b' } }`), /'environments\.a\.prefix': use lett/],
    ]
    for (const [text, message] of wrong) {
      await assert.rejects(choose(application(text)), { code: 'CONFIG_INVALID', message })
    }
  })

  it('print no secret, whatever prints them', () => {
    process.env.TEST_ENVIRONMENT_SECRET = 'hidden'
    try {
      const password = secret('TEST_ENVIRONMENT_SECRET')
      const sasl = { mechanism: 'SCRAM-SHA-512', username: 'u', password } as const
      const all = defineConfig({
        environments: {
          local: { log: embedded() },
          own: { log: selfManaged({ brokers: 'a', sasl }) },
          aws: { log: msk({ brokers: 'a', auth: 'scram', username: 'u', password }) },
          plain: { log: kafka({ brokers: 'a' }) },
        },
      })
      assert.doesNotMatch(JSON.stringify(all), /hidden/)
    } finally {
      delete process.env.TEST_ENVIRONMENT_SECRET
    }
  })
})

describe('kafkaFromVariables', () => {
  const base = { KAFKA_BOOTSTRAP_SERVERS: 'a:1' }
  const context = { clientId: 'c', directory: '/' }

  it('knows the four ways to secure a cluster', async () => {
    const user = { KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_MECHANISM: 'scram-sha-512' }
    const ways: [Record<string, string>, string][] = [
      [{}, 'no encryption'],
      [{ KAFKA_SECURITY_PROTOCOL: 'SSL' }, 'TLS'],
      [{ KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT', ...user }, 'no encryption, SCRAM-SHA-512'],
      [{ KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ...user }, 'TLS, SCRAM-SHA-512'],
    ]
    for (const [variables, security] of ways) {
      const choice = kafkaFromVariables({ ...base, ...variables })
      assert.equal(choice.security, security)
      const { tls, sasl } = await choice.connection(context)
      assert.equal(tls !== undefined, / TLS|^TLS/.test(security))
      assert.equal(await sasl?.username?.(), security.includes('SCRAM') ? 'u' : undefined)
    }
  })

  it('says whether topics are made, and with how many copies', async () => {
    const topics = (variables: Record<string, string>, given = {}) =>
      kafkaFromVariables({ ...base, ...variables }, given).topics
    assert.deepEqual(topics({}), { isWanted: false, replicationFactor: undefined })
    const both = { KAFKA_CREATE_TOPICS: 'true', KAFKA_REPLICATION_FACTOR: '3' }
    assert.deepEqual(topics(both), { isWanted: true, replicationFactor: 3 })
    const given = { createTopics: true, replicationFactor: 2 }
    assert.deepEqual(topics({}, given), { isWanted: true, replicationFactor: 2 })
    assert.equal(topics({ KAFKA_CREATE_TOPICS: 'false' }, given).isWanted, false)
    const secured = { KAFKA_SECURITY_PROTOCOL: 'SSL', ...both }
    assert.deepEqual(topics(secured), { isWanted: true, replicationFactor: 3 })
  })

  it('names the variable that is missing or wrong', () => {
    const sasl = { ...base, KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' }
    const wrong: [Record<string, string>, RegExp][] = [
      [{ ...base, KAFKA_SECURITY_PROTOCOL: 'SASL_SSI' }, /PROTOCOL is 'SASL_SSI'; did you mean/],
      [{ ...sasl, KAFKA_SASL_MECHANISM: 'GSSAPI' }, /^KAFKA_SASL_MECHANISM is 'GSSAPI'; it is one/],
      [sasl, /^KAFKA_SASL_USERNAME is not set$/],
      [{ ...base, KAFKA_CREATE_TOPICS: 'yes' }, /^KAFKA_CREATE_TOPICS is 'YES'; it is one of/],
      [{ ...base, KAFKA_REPLICATION_FACTOR: '0' }, /^KAFKA_REPLICATION_FACTOR is '0'; give a/],
      [{ ...sasl, KAFKA_SASL_MECHANISM: 'OAUTHBEARER' }, /OAUTH_TOKEN_ENDPOINT is not set/],
    ]
    for (const [variables, message] of wrong) {
      assert.throws(() => kafkaFromVariables(variables), { code: 'CONFIG_INVALID', message })
    }
  })
})
