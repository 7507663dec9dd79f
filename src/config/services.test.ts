import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { codeOf, messageOf } from '../core/errors.ts'
import { defineConfig, embedded } from './environment.ts'
import { secret } from './secret.ts'
import { http, postgres } from './services.ts'

const hidden = 'a-word-that-nobody-sees'
const names = ['TEST_SERVICE_SECRET', 'TEST_SERVICE_URL']
const at = { directory: '/nowhere' }

const invalid = (says: RegExp) => (error: unknown) => {
  assert.equal(codeOf(error), 'CONFIG_INVALID')
  assert.match(messageOf(error), says)
  assert.ok(!messageOf(error).includes(hidden), messageOf(error))
  return true
}

describe('connections to services', () => {
  beforeEach(() => {
    process.env.TEST_SERVICE_SECRET = hidden
    process.env.TEST_SERVICE_URL = `postgresql://me:${hidden}%21@db.internal:6432/crm`
  })
  afterEach(() => {
    for (const name of names) delete process.env[name]
  })

  const mine = secret('TEST_SERVICE_SECRET')

  it('http: send what is secret with each request, read anew, and print none of it', async () => {
    const choice = http({
      ...{ url: 'https://rates.internal/v1/', token: mine },
      headers: { 'X-Api-Key': mine, 'X-From': 'millrace' },
    })
    const opened = await choice.connection('connection rates', at)
    assert.equal(opened.url, 'https://rates.internal/v1')
    const headers = { 'X-Api-Key': hidden, 'X-From': 'millrace' }
    assert.deepEqual(await opened.headers(), { ...headers, Authorization: `Bearer ${hidden}` })
    process.env.TEST_SERVICE_SECRET = 'new'
    assert.equal((await opened.headers())['X-Api-Key'], 'new')
    const basic = http({ url: 'http://localhost', username: 'me', password: mine })
    const { Authorization } = await (await basic.connection('connection x', at)).headers()
    assert.equal(Authorization, `Basic ${Buffer.from('me:new').toString('base64')}`)
    for (const shown of [choice, opened]) {
      assert.ok(!`${inspect(shown, { depth: 9 })}${JSON.stringify(shown)}`.includes(hidden))
    }
    delete process.env.TEST_SERVICE_SECRET
    await assert.rejects(choice.connection('connection rates', at), { code: 'SECRET_MISSING' })
  })

  it('postgres: from an address that is a secret, or from its parts, and print none of it', async () => {
    const byUrl = postgres({ url: secret('TEST_SERVICE_URL'), tls: false })
    const { password, ...place } = await byUrl.connection('connection crm', at)
    assert.deepEqual(place, { host: 'db.internal', port: 6432, database: 'crm', user: 'me' })
    assert.equal(await password!(), `${hidden}!`)
    const parts = { host: '10.0.0.1', database: 'crm', user: 'me', password: mine }
    const opened = await postgres(parts).connection('connection crm', at)
    assert.equal(opened.port, 5432)
    assert.equal(await opened.password!(), hidden)
    assert.equal((opened.tls as { rejectUnauthorized: boolean }).rejectUnauthorized, true)
    assert.ok(!`${inspect(opened, { depth: 9 })}${JSON.stringify(opened)}`.includes(hidden))
    process.env.TEST_SERVICE_URL = hidden
    await assert.rejects(
      byUrl.connection('connection crm', at),
      invalid(/^connection crm: option 'url'/),
    )
  })

  it('refuse what is wrong, without repeating it', () => {
    const url = `https://me:${hidden}@host`
    assert.throws(() => http({ url }), invalid(/take username, password .* out of the address/))
    assert.throws(() => http({ url: 'host' }), invalid(/give http/))
    assert.throws(
      () => http({ url: 'http://h', token: hidden as never }),
      invalid(/name the secret/),
    )
    assert.throws(() => http({ url: 'http://h', username: 'me' }), invalid(/go together/))
    const address = `postgresql://me:${hidden}@host/db`
    assert.throws(() => postgres({ url: address }), invalid(/secret\('POSTGRES_URL'\)/))
    assert.throws(() => postgres({}), invalid(/give 'url', or 'host'/))
    assert.throws(() => postgres({ host: 'h' }), invalid(/needs 'database' and 'user'/))
    const log = embedded()
    const wrong = { environments: { local: { log, connections: { crm: 'host' as never } } } }
    assert.throws(() => defineConfig(wrong), invalid(/give postgres\(\) or http\(\)/))
  })
})
