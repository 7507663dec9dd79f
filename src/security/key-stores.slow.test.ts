/** What is made here is opened by Java's keytool, by OpenSSL and by TLS itself. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { connect, createServer, type TlsOptions } from 'node:tls'
import { systemClock } from '../core/clock.ts'
import { certificatePem, issue, makeAuthority } from './authority.ts'
import { hostNameOf } from './host-name.ts'
import { keyStore, trustStore } from './key-stores.ts'
import { type KeyKind, keyKinds, keyToPem } from './keys.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-stores-'))
const password = 'a "strange" pass\\word'

const put = (name: string, content: string | Buffer): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** Throws with what the command said. */
const said = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

const list = (path: string): string => {
  const store = ['-storetype', 'PKCS12', '-keystore', path, '-storepass', password]
  return said('keytool', ['-J-Duser.language=en', '-list', '-v', ...store])
}

/** An authority, and a certificate of it with names of this machine. */
async function certified(kind: KeyKind) {
  const wish = { name: 'Test CA', organization: 'Mühle, "Rad" & Söhne', days: 30, kind }
  const authority = await makeAuthority(wish, systemClock)
  const hosts = ['127.0.0.1', 'localhost', '::1'].map((one) => hostNameOf('test', one))
  const own = { name: 'kafka-1', uses: ['server', 'client'] as const, days: 90, kind, hosts }
  const issued = await issue(authority, own, systemClock)
  return { authority, issued, chain: [issued.certificate, authority.certificate] }
}

describe('key stores and trust stores', () => {
  after(() => rmSync(folder, { recursive: true }))

  for (const kind of keyKinds) {
    it(`with a key of kind ${kind} are opened by keytool, OpenSSL and TLS`, async () => {
      const { authority, issued, chain } = await certified(kind)
      assert.deepEqual(issued.certificate.notAfter, authority.certificate.notAfter)
      const entry = { alias: 'kafka-1', privateKey: issued.privateKey, chain }
      const key = await keyStore(entry, password)
      const trusted = { alias: 'ca', certificate: authority.certificate }
      const trust = await trustStore([trusted], password)
      const [keyPath, trustPath] = [put(`${kind}.p12`, key), put(`${kind}-trust.p12`, trust)]

      const keyList = list(keyPath)
      assert.match(keyList, /Alias name: kafka-1/)
      assert.match(keyList, /Entry type: PrivateKeyEntry/)
      assert.match(keyList, /Certificate chain length: 2/)
      const trustList = list(trustPath)
      assert.match(trustList, /Alias name: ca/)
      assert.match(trustList, /Entry type: trustedCertEntry/)

      const open = ['pkcs12', '-in', keyPath, '-nodes', '-passin']
      const opened = said('openssl', [...open, `pass:${password}`])
      assert.match(opened, /BEGIN PRIVATE KEY/)
      assert.equal(opened.match(/BEGIN CERTIFICATE/g)?.length, 2)
      assert.notEqual(spawnSync('openssl', [...open, 'pass:no']).status, 0)
    })

    it(`certificates of kind ${kind} are verified by OpenSSL and by TLS`, async () => {
      const { authority, issued, chain } = await certified(kind)
      const ca = certificatePem(authority.certificate)
      const files = [put(`${kind}-ca.crt`, ca), put(`${kind}.crt`, certificatePem(chain[0]!))]
      const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', ...files]
      assert.match(said('openssl', verify), /OK/)
      const passphrase = 'open'
      const pem = { key: await keyToPem(issued.privateKey, passphrase), passphrase }
      assert.match(pem.key, /ENCRYPTED/)
      const entry = { alias: 'kafka-1', privateKey: issued.privateKey, chain }
      await handshake({ pfx: await keyStore(entry, password), passphrase: password }, ca)
      await handshake({ ...pem, cert: chain.map(certificatePem).join('') }, ca)
    })
  }
})

/** Fails where the client does not trust the server, or the name does not fit. */
function handshake(server: TlsOptions, ca: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const listening = createServer(server, (socket) => socket.end())
    listening.on('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = listening.address() as { port: number }
      const socket = connect({ port, host: '127.0.0.1', ca }, () => {
        socket.end()
        listening.close(() => resolve())
      })
      socket.on('error', reject).resume()
    })
  })
}
