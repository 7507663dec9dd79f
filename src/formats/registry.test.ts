import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { codeOf, type MillraceError, orderOf } from '../core/errors.ts'
import { SchemaRegistry, type SchemaRegistryOptions, type SchemaText } from './registry.ts'
import { TestRegistry } from './registry-testing.ts'

const text = '"string"'
const schema: SchemaText = { type: 'AVRO', text, references: [] }

describe('schema registry', () => {
  let server: TestRegistry
  before(async () => {
    server = await TestRegistry.start()
  })
  after(() => server.stop())
  beforeEach(() => server.clear())
  const client = (options: SchemaRegistryOptions = {}, more: object = {}) =>
    new SchemaRegistry({ urls: [server.url], ...more }, options)
  const caught = async (work: Promise<unknown>): Promise<MillraceError> => {
    const outcome = await work.then(
      () => assert.fail('it did not throw'),
      (error: unknown) => error,
    )
    return outcome as MillraceError
  }

  it('finds schemas by id, by subject, and says what is not there', async () => {
    const id = server.add('a/b-value', text)
    assert.deepEqual(await client().byId(id), { ...schema, id, imports: [] })
    assert.deepEqual(await client().latest('a/b-value'), { ...schema, id, imports: [] })
    assert.equal(await client().byId(99), undefined)
    assert.equal(await client().latest('other'), undefined)
    assert.equal(await client().idOf('a/b-value', schema), id)
    assert.equal(await client().idOf('a/b-value', { ...schema, text: '"int"' }), 'no version')
    assert.equal(await client().idOf('other', schema), 'no subject')
    assert.equal(await client().whyIncompatible('other', schema), undefined)
  })

  it('brings what a schema refers to, what others need first', async () => {
    const refer = (name: string) => [{ name, subject: name, version: 1 }]
    server.add('c', '"c"')
    server.add('b', '"b"', 'AVRO', refer('c'))
    const id = server.add('a', '"a"', 'AVRO', [...refer('b'), ...refer('c')])
    const found = await client().byId(id)
    assert.deepEqual(found?.imports, [
      { name: 'c', text: '"c"' },
      { name: 'b', text: '"b"' },
    ])
    server.add('x', '"x"', 'AVRO', refer('y'))
    server.add('y', '"y"', 'AVRO', refer('x'))
    assert.equal((await client().latest('x'))?.imports.length, 2)
    const lost = server.add('z', '"z"', 'AVRO', refer('gone'))
    assert.equal(codeOf(await caught(client().byId(lost))), 'SCHEMA_MISSING')
  })

  it('signs in, asking for the header each time, and tells it nobody', async () => {
    let count = 0
    const authorization = async () => `Bearer secret-${++count}`
    const registry = client({}, { authorization })
    await registry.byId(1)
    await registry.byId(1)
    assert.equal(server.headers.authorization, 'Bearer secret-2')
    for (const status of [401, 403, 500]) {
      server.instead = () => [status, { message: 'no' }]
      const error = await caught(registry.byId(1))
      assert.doesNotMatch(`${error.message} ${JSON.stringify(error)}`, /secret/)
      const expected = status === 500 ? 'SCHEMA_REGISTRY_AWAY' : 'SCHEMA_REGISTRY_UNUSABLE'
      assert.equal(codeOf(error), expected)
    }
  })

  it('asks to try later while nobody answers, or not in time, or too much at once', async () => {
    const closed = await TestRegistry.start()
    const { url } = closed
    await closed.stop()
    const error = await caught(new SchemaRegistry({ urls: [url] }).byId(1))
    assert.equal(orderOf(error), 'try-later')
    assert.match(error.message, /ECONNREFUSED/)
    const mute = await TestRegistry.start()
    mute.isMute = true
    const late = await caught(new SchemaRegistry({ urls: [mute.url] }, { timeoutMs: 20 }).byId(1))
    await mute.stop()
    assert.equal(orderOf(late), 'try-later')
    assert.match(late.message, /no answer in time/)
    server.instead = () => [429, { message: 'slow down' }]
    assert.equal(codeOf(await caught(client().byId(1))), 'SCHEMA_REGISTRY_AWAY')
  })

  it('takes the next address where one does not answer, and stays there', async () => {
    const closed = await TestRegistry.start()
    const urls = [closed.url, server.url]
    await closed.stop()
    const id = server.add('a-value', text)
    const registry = new SchemaRegistry({ urls })
    assert.equal((await registry.byId(id))?.id, id)
    assert.equal((await registry.byId(id))?.id, id)
    assert.equal(server.asked.length, 2)
  })

  it('does not take something else for a registry, nor a long answer', async () => {
    for (const instead of ['<html>hello</html>', '{"hello":1}', '[]', 'null']) {
      server.instead = () => instead
      const error = await caught(client().byId(1))
      assert.equal(codeOf(error), 'SCHEMA_REGISTRY_UNUSABLE', instead)
      assert.match(error.message, /address of its API/)
    }
    server.instead = () => JSON.stringify({ schema: 'x'.repeat(2000) })
    const error = await caught(client({ maxBytes: 1000 }).byId(1))
    assert.match(error.message, /longer than 1000 bytes/)
  })

  it('passes on why a schema is not taken', async () => {
    server.instead = () => [422, { error_code: 42201, message: 'no such type: nothing' }]
    const invalid = await caught(client().register('a', schema))
    assert.equal(codeOf(invalid), 'SCHEMA_INVALID')
    assert.match(invalid.message, /subject a: .*no such type: nothing/)
    server.instead = () => [409, { error_code: 409, message: 'FIELD_GONE' }]
    const incompatible = await caught(client().register('a', schema))
    assert.equal(codeOf(incompatible), 'SCHEMA_INCOMPATIBLE')
    assert.match(incompatible.message, /FIELD_GONE/)
  })

  it('trusts whom it is told to trust, and nobody else', async () => {
    const file = path.join(import.meta.dirname, '..', 'log', 'fixtures', 'certificates.json')
    const { key, ca, otherCa, good } = JSON.parse(readFileSync(file, 'utf8'))
    const secure = await TestRegistry.start({ cert: good, key })
    const id = secure.add('a', text)
    const urls = [secure.url]
    assert.equal((await new SchemaRegistry({ urls, tls: { ca } }).byId(id))?.id, id)
    for (const tls of [{}, { ca: otherCa }]) {
      const error = await caught(new SchemaRegistry({ urls, tls }).byId(id))
      assert.equal(codeOf(error), 'SCHEMA_REGISTRY_UNUSABLE')
      assert.match(error.message, /not trusted.*ca/)
    }
    const plainly = [server.url.replace('http:', 'https:')]
    const error = await caught(new SchemaRegistry({ urls: plainly }).byId(id))
    assert.match(error.message, /use http:/)
    await secure.stop()
  })

  it('ends what is under way when it is told to', async () => {
    const stopping = new AbortController()
    server.isMute = true
    const asking = caught(client({ signal: stopping.signal }).byId(1))
    stopping.abort()
    assert.equal(orderOf(await asking), 'try-later')
    server.isMute = false
  })
})
