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
import { keyKinds, keyToPem } from './keys.ts'

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

describe('key stores and trust stores', () => {
  after(() => rmSync(folder, { recursive: true }))

  for (const kind of keyKinds) {
    it(`with a key of kind ${kind} are opened by keytool, OpenSSL and TLS`, async () => {
      const wish = { name: 'Test CA', organization: 'Mühle, "Rad" & Söhne', days: 30, kind }
      const authority = await makeAuthority(wish, systemClock)
      const issued = await issue(
        authority,
        {
          ...{ name: 'kafka-1', uses: ['server', 'client'], days: 90, kind },
          hosts: ['127.0.0.1', 'localhost', '::1'].map((one) => hostNameOf('test', one)),
        },
        systemClock,
      )
      assert.deepEqual(issued.certificate.notAfter, authority.certificate.notAfter)
      const chain = [issued.certificate, authority.certificate]
      const key = await keyStore(
        { alias: 'kafka-1', privateKey: issued.privateKey, chain },
        password,
      )
      const trust = await trustStore(
        [{ alias: 'ca', certificate: authority.certificate }],
        password,
      )
      const [keyPath, trustPath] = [put(`${kind}.p12`, key), put(`${kind}-trust.p12`, trust)]

      const list = (path: string) =>
        said('keytool', [
          '-J-Duser.language=en',
          '-list',
          '-v',
          '-storetype',
          'PKCS12',
          '-keystore',
          path,
          '-storepass',
          password,
        ])
      const keyList = list(keyPath)
      assert.match(keyList, /Alias name: kafka-1/)
      assert.match(keyList, /Entry type: PrivateKeyEntry/)
      assert.match(keyList, /Certificate chain length: 2/)
      const trustList = list(trustPath)
      assert.match(trustList, /Alias name: ca/)
      assert.match(trustList, /Entry type: trustedCertEntry/)

      const opened = said('openssl', [
        'pkcs12',
        '-in',
        keyPath,
        '-passin',
        `pass:${password}`,
        '-nodes',
      ])
      assert.match(opened, /BEGIN PRIVATE KEY/)
      assert.equal(opened.match(/BEGIN CERTIFICATE/g)?.length, 2)
      const wrong = spawnSync('openssl', ['pkcs12', '-in', keyPath, '-passin', 'pass:no', '-nodes'])
      assert.notEqual(wrong.status, 0)

      const ca = put(`${kind}-ca.crt`, certificatePem(authority.certificate))
      const leaf = put(`${kind}.crt`, certificatePem(issued.certificate))
      assert.match(
        said('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', ca, leaf]),
        /OK/,
      )

      const ca64 = certificatePem(authority.certificate)
      const passphrase = 'open'
      const pem = { key: await keyToPem(issued.privateKey, passphrase), passphrase }
      assert.match(pem.key, /ENCRYPTED/)
      const certificates = chain.map(certificatePem).join('')
      await handshake({ pfx: key, passphrase: password }, ca64)
      await handshake({ ...pem, cert: certificates }, ca64)
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
