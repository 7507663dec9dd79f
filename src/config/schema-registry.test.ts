import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { chooseEnvironment, defineConfig, embedded } from './environment.ts'
import { schemaRegistry, schemaRegistryFromVariables } from './schema-registry.ts'
import { secret } from './secret.ts'

const directory = '/'
const url = 'https://registry.internal:8081'

/** With variables of this process as they are for one test only. */
async function withVariables(variables: Record<string, string>, work: () => Promise<void>) {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, variables)
  try {
    await work()
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

describe('schemaRegistry()', () => {
  it('takes addresses, one or several', async () => {
    for (const [given, urls] of [
      [`${url}/`, [url]],
      [`${url}, http://other:8081/apis/ccompat/v7//`, [url, 'http://other:8081/apis/ccompat/v7']],
      [
        [url, 'http://b'],
        [url, 'http://b'],
      ],
    ] as const) {
      const connection = await schemaRegistry({ url: given }).connection({ directory })
      assert.deepEqual(connection, { urls })
    }
  })

  it('signs in with a password or a token, and prints neither', () =>
    withVariables({ TEST_REGISTRY_SECRET: 's3cret:ü' }, async () => {
      const password = secret('TEST_REGISTRY_SECRET')
      const basic = schemaRegistry({ url, username: 'key', password })
      const bearer = schemaRegistry({ url, token: password })
      const expected = Buffer.from('key:s3cret:ü').toString('base64')
      for (const [choice, header] of [
        [basic, `Basic ${expected}`],
        [bearer, 'Bearer s3cret:ü'],
      ] as const) {
        const connection = await choice.connection({ directory })
        assert.equal(await connection.authorization!(), header)
        assert.doesNotMatch(`${inspect(choice, { depth: 9 })} ${inspect(connection)}`, /s3cret/)
      }
    }))

  it('refuses what cannot be meant, without repeating a password in an address', () => {
    const refused = (options: object, says: RegExp) =>
      assert.throws(
        () => schemaRegistry(options as never),
        (error) => {
          assert.match((error as Error).message, says)
          assert.doesNotMatch((error as Error).message, /s3cret/)
          return true
        },
      )
    refused({ url: 'https://me:s3cret@registry' }, /take username and password out of the address/)
    refused({ url: 'registry:8081' }, /http\(s\):/)
    refused({ url: '' }, /name at least one/)
    refused({ url: `${url}?a=1` }, /'\?'/)
    refused({ url, username: 'a' }, /go together/)
    refused({ url, username: 'a', password: 's3cret' }, /secret\('NAME'\)/)
    refused({ url, username: 'a', password: secret('A'), token: secret('B') }, /not both/)
    refused({ urls: url }, /unknown option 'urls', did you mean 'url'/)
  })
})

describe('the schema registry of an environment', () => {
  const app = import.meta.dirname

  it('is the one that variables name, where the configuration names none', async () => {
    const variables = { SCHEMA_REGISTRY_URL: url }
    const { schemaRegistry: found } = await chooseEnvironment({ app, variables })
    assert.deepEqual(found?.urls, [url])
    const none = await chooseEnvironment({ app, variables: {} })
    assert.equal(none.schemaRegistry, undefined)
  })

  it('is described by variables with a password or a token', async () => {
    const said = (more: Record<string, string>) =>
      schemaRegistryFromVariables({ SCHEMA_REGISTRY_URL: url, ...more })?.security
    assert.equal(said({}), 'no password')
    assert.equal(said({ SCHEMA_REGISTRY_USERNAME: 'a' }), 'a password')
    assert.equal(said({ SCHEMA_REGISTRY_TOKEN_FILE: '/x' }), 'a token')
    assert.equal(schemaRegistryFromVariables({}), undefined)
    const lonely = () => said({ SCHEMA_REGISTRY_PASSWORD: 'b' })
    assert.throws(lonely, /SCHEMA_REGISTRY_USERNAME is not/)
  })

  it('stands beside the log', () => {
    const described = { log: embedded(), schemaRegistry: schemaRegistry({ url }) }
    assert.ok(defineConfig({ environments: { local: described } }))
    const wrong = { log: embedded(), schemaRegistry: { url } as never }
    const defining = () => defineConfig({ environments: { local: wrong } })
    assert.throws(defining, /give schemaRegistry\(\)/)
  })
})
