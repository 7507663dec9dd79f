import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { certificates, servePlain, serveTls, type TestServer } from './kafka-probe-testing.ts'
import { lookAtTls } from './kafka-probe-tls.ts'

const { ca } = certificates

describe("a look at a broker's certificate", () => {
  const servers: TestServer[] = []

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })

  const serving = async (...args: Parameters<typeof serveTls>) => {
    const server = await serveTls(...args)
    servers.push(server)
    return server
  }

  const problemsOf = async (name: Parameters<typeof serveTls>[0], tls: object, host?: string) => {
    const { port } = await serving(name)
    const look = await lookAtTls({ host: host ?? '127.0.0.1', port }, tls)
    assert.ok(look.kind === 'seen', look.kind)
    return look.certificate.problems.map((one) => ('code' in one ? [one.kind, one.code] : one.kind))
  }

  test('a good one has no problem, by address and by name', async () => {
    assert.deepEqual(await problemsOf('good', { ca }), [])
    assert.deepEqual(await problemsOf('good', { ca }, 'localhost'), [])
  })

  test('says who issued it, for whom and until when', async () => {
    const look = await lookAtTls(await serving('good'), { ca })
    assert.ok(look.kind === 'seen')
    const { subject, issuer, names, validToMs, protocol } = look.certificate
    assert.deepEqual(
      [subject, issuer, names],
      ['CN=broker', 'CN=mill CA', ['localhost', '127.0.0.1']],
    )
    assert.equal(validToMs, Date.UTC(2199, 0, 1))
    assert.equal(protocol, 'TLSv1.3')
  })

  test('finds an authority that is not trusted', async () => {
    const [problem, ...others] = await problemsOf('good', { ca: certificates.otherCa })
    assert.deepEqual(others, [])
    assert.equal(problem![0], 'authority')
    assert.equal((await problemsOf('good', {}))[0]![0], 'authority')
  })

  test('finds a name that is not in it, unless the name to expect is said', async () => {
    assert.deepEqual(await problemsOf('otherName', { ca }), ['name'])
    assert.deepEqual(await problemsOf('otherName', { ca, servername: 'kafka.example.com' }), [])
    assert.deepEqual(await problemsOf('good', { ca, servername: 'kafka.example.com' }), ['name'])
  })

  test('finds dates that are over or to come', async () => {
    assert.deepEqual(await problemsOf('expired', { ca }), ['expired'])
    assert.deepEqual(await problemsOf('early', { ca }), ['not yet valid'])
  })

  test('finds all that is wrong with one', async () => {
    const problems = await problemsOf('expiredByOther', { ca })
    assert.deepEqual(problems.flat().slice(0, 3), ['expired', 'name', 'authority'])
  })

  test('tells who does not speak TLS from who says nothing', async () => {
    const plain = await servePlain((socket) => socket.once('data', () => socket.destroy()))
    const still = await servePlain((socket) => socket.resume())
    servers.push(plain, still)
    assert.equal((await lookAtTls(plain, { ca })).kind, 'not TLS')
    assert.equal((await lookAtTls(still, { ca }, { timeoutMs: 50 })).kind, 'silent')
  })
})
