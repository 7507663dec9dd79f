/**
 * Key stores and trust stores in PKCS #12 (RFC 7292) that Java and OpenSSL open: AES-256 by PBES2, and
 * a MAC with SHA-256, by `pkijs`.
 */

import { BmpString, ObjectIdentifier, OctetString } from 'asn1js'
import {
  Attribute,
  AuthenticatedSafe,
  CertBag,
  Certificate,
  PFX,
  PKCS8ShroudedKeyBag,
  PrivateKeyInfo,
  SafeBag,
  SafeContents,
} from 'pkijs'
import { type CryptoKey, pkcs8Of } from './keys.ts'
import type { X509Certificate } from './x509.ts'

/** What `keytool` of Java 17 writes itself. */
const iterations = 10_000
const hash = 'SHA-256'
const encryption = { name: 'AES-CBC', length: 256 } as const

const shroudedKeyBag = '1.2.840.113549.1.12.10.1.2'
const certificateBag = '1.2.840.113549.1.12.10.1.3'
const friendlyName = '1.2.840.113549.1.9.20'
const localKeyId = '1.2.840.113549.1.9.21'
/** Oracle's: without it Java does not take a certificate of a PKCS #12 store for a trusted one. */
const trustedKeyUsage = '2.16.840.1.113894.746875.1.1'
const anyExtendedKeyUsage = '2.5.29.37.0'

export interface KeyEntry {
  readonly alias: string
  readonly privateKey: CryptoKey
  /** The key's own certificate first, then those that signed it. */
  readonly chain: readonly X509Certificate[]
}

/** A key with its certificates. */
export async function keyStore(
  { alias, privateKey, chain }: KeyEntry,
  password: string,
): Promise<Buffer> {
  const id = new Attribute({
    type: localKeyId,
    values: [new OctetString({ valueHex: idOf(chain[0]!) })],
  })
  const key = new SafeBag({
    ...{ bagId: shroudedKeyBag, bagValue: await shrouded(privateKey, password) },
    bagAttributes: [named(alias), id],
  })
  const certificates = chain.map((certificate, index) =>
    bagOf(certificate, index === 0 ? [named(alias), id] : []),
  )
  return sealed([[key], certificates], password)
}

/** Certificates that are trusted, each under a name of its own. */
export function trustStore(
  trusted: readonly { readonly alias: string; readonly certificate: X509Certificate }[],
  password: string,
): Promise<Buffer> {
  const usage = new Attribute({
    type: trustedKeyUsage,
    values: [new ObjectIdentifier({ value: anyExtendedKeyUsage })],
  })
  const bags = trusted.map(({ alias, certificate }) => bagOf(certificate, [named(alias), usage]))
  return sealed([bags], password)
}

async function shrouded(privateKey: CryptoKey, password: string): Promise<PKCS8ShroudedKeyBag> {
  const bag = new PKCS8ShroudedKeyBag({
    parsedValue: PrivateKeyInfo.fromBER(bufferOf(await pkcs8Of(privateKey))),
  })
  // Typed as private by the library, documented as the way to do it.
  await (bag as unknown as { makeInternalValues(by: object): Promise<void> }).makeInternalValues({
    ...{ password: bufferOf(Buffer.from(password)), contentEncryptionAlgorithm: encryption },
    ...{ hmacHashAlgorithm: hash, iterationCount: iterations },
  })
  return bag
}

const bagOf = (certificate: X509Certificate, bagAttributes: Attribute[]) =>
  new SafeBag({
    bagId: certificateBag,
    bagValue: new CertBag({ parsedValue: Certificate.fromBER(certificate.rawData) }),
    ...(bagAttributes.length === 0 ? {} : { bagAttributes }),
  })

const named = (alias: string) =>
  new Attribute({ type: friendlyName, values: [new BmpString({ value: alias })] })

const idOf = (certificate: X509Certificate) =>
  bufferOf(Buffer.from(certificate.serialNumber, 'hex'))

/** Keys are encrypted by themselves; all other contents as a whole. */
async function sealed(contents: readonly SafeBag[][], password: string): Promise<Buffer> {
  const isKeys = (bags: readonly SafeBag[]) => bags[0]!.bagId === shroudedKeyBag
  const by = { password: bufferOf(Buffer.from(password)) }
  const safe = new AuthenticatedSafe({
    parsedValue: {
      safeContents: contents.map((safeBags) => ({
        privacyMode: isKeys(safeBags) ? 0 : 1,
        value: new SafeContents({ safeBags }),
      })),
    },
  })
  await safe.makeInternalValues({
    safeContents: contents.map((bags) =>
      isKeys(bags)
        ? {}
        : {
            ...{ ...by, contentEncryptionAlgorithm: encryption },
            ...{ hmacHashAlgorithm: hash, iterationCount: iterations },
          },
    ),
  })
  const store = new PFX({ parsedValue: { integrityMode: 0, authenticatedSafe: safe } })
  await store.makeInternalValues({
    ...{ ...by, iterations, pbkdf2HashAlgorithm: { name: hash }, hmacHashAlgorithm: hash },
  })
  return Buffer.from(store.toSchema().toBER())
}

/** The library takes array buffers of just these bytes. */
function bufferOf(bytes: Buffer): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length)
  new Uint8Array(copy).set(bytes)
  return copy
}
