/**
 * A certificate authority: makes certificates for brokers and clients, also from requests that somebody
 * else made (RFC 5280, RFC 2986), by `@peculiar/x509`.
 */

import type { Clock } from '../core/clock.ts'
import { fail, messageOf } from '../core/errors.ts'
import { type HostName, sanOf } from './host-name.ts'
import { type CryptoKey, type KeyKind, keyAlgorithms, makeKeys } from './keys.ts'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from './x509.ts'

const dayMs = 24 * 3_600_000
/** Clocks of other machines may be behind a little. */
const clockSkewMs = 3_600_000

export type CertificateUse = 'server' | 'client'

export interface Authority {
  readonly certificate: X509Certificate
  readonly privateKey: CryptoKey
}

export interface Issued {
  readonly certificate: X509Certificate
  readonly privateKey: CryptoKey
}

export interface CertificateWish {
  /** The common name; of a client it is whom brokers take it for. */
  readonly name: string
  readonly organization?: string | undefined
  readonly hosts?: readonly HostName[]
  readonly uses: readonly CertificateUse[]
  readonly days: number
  readonly kind: KeyKind
}

export interface AuthorityWish {
  readonly name: string
  readonly organization?: string | undefined
  readonly days: number
  readonly kind: KeyKind
}

/** One that signs itself, and nothing but certificates of brokers and clients. */
export async function makeAuthority(wish: AuthorityWish, clock: Clock): Promise<Authority> {
  const keys = await makeKeys(wish.kind)
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...{ serialNumber: newSerialNumber(), name: subjectOf(wish), keys },
    ...validity(clock, wish.days),
    signingAlgorithm: keyAlgorithms[wish.kind],
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate, privateKey: keys.privateKey }
}

/** A new key with a certificate of the authority; it is never valid for longer than the authority. */
export async function issue(
  authority: Authority,
  wish: CertificateWish,
  clock: Clock,
): Promise<Issued> {
  const keys = await makeKeys(wish.kind)
  const certificate = await sign(authority, wish, keys.publicKey, clock)
  return { certificate, privateKey: keys.privateKey }
}

/** A certificate for a key that is somebody else's. */
export async function sign(
  authority: Authority,
  wish: Omit<CertificateWish, 'kind'>,
  publicKey: CryptoKey,
  clock: Clock,
): Promise<X509Certificate> {
  const { notBefore, notAfter } = validity(clock, wish.days)
  const last = authority.certificate.notAfter
  return X509CertificateGenerator.create({
    ...{ serialNumber: newSerialNumber(), subject: subjectOf(wish), publicKey, notBefore },
    notAfter: notAfter < last ? notAfter : last,
    issuer: authority.certificate.subject,
    signingKey: authority.privateKey,
    signingAlgorithm: { ...authority.privateKey.algorithm, hash: 'SHA-256' },
    extensions: [
      ...extensionsOf(wish),
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.certificate),
    ],
  })
}

/** A request for a certificate from another authority: a company's, or a public one. */
export async function makeRequest(
  wish: Omit<CertificateWish, 'days'>,
): Promise<{ readonly request: string; readonly privateKey: CryptoKey }> {
  const keys = await makeKeys(wish.kind)
  const request = await Pkcs10CertificateRequestGenerator.create({
    ...{ name: subjectOf(wish), keys, signingAlgorithm: keyAlgorithms[wish.kind] },
    extensions: extensionsOf(wish),
  })
  return { request: `${request.toString('pem')}\n`, privateKey: keys.privateKey }
}

/** Throws `CERTIFICATE_INVALID`. */
export async function readRequest(where: string, pem: string): Promise<Pkcs10CertificateRequest> {
  try {
    const request = new Pkcs10CertificateRequest(pem)
    if (await request.verify()) return request
  } catch (error) {
    throw fail(
      'CERTIFICATE_INVALID',
      `${where}: this is no certificate request (${messageOf(error)})`,
    )
  }
  throw fail('CERTIFICATE_INVALID', `${where}: the request is not signed by its own key`)
}

/** Certificates one after the other in a PEM text. Throws `CERTIFICATE_INVALID`. */
export function readCertificates(where: string, pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0)
    throw fail('CERTIFICATE_INVALID', `${where}: it holds no certificate in PEM`)
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch (error) {
      const which = blocks.length === 1 ? '' : `certificate ${index + 1} of ${blocks.length}: `
      throw fail('CERTIFICATE_INVALID', `${where}: ${which}unreadable (${messageOf(error)})`)
    }
  })
}

export const certificatePem = (certificate: X509Certificate): string =>
  `${certificate.toString('pem')}\n`

function extensionsOf({ hosts = [], uses }: Pick<CertificateWish, 'hosts' | 'uses'>): Extension[] {
  const usages = uses.map((use) =>
    use === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth,
  )
  const flags = KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment
  const names = hosts.length === 0 ? [] : [new SubjectAlternativeNameExtension(hosts.map(sanOf))]
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(flags, true),
    new ExtendedKeyUsageExtension(usages),
    ...names,
  ]
}

/** From the widest to the narrowest, as usual; texts of it (RFC 2253) begin with the name. */
function subjectOf({ name, organization }: Pick<AuthorityWish, 'name' | 'organization'>): string {
  const parts = [...(organization === undefined ? [] : [{ O: [organization] }]), { CN: [name] }]
  return new Name(parts).toString()
}

function validity(clock: Clock, days: number): { notBefore: Date; notAfter: Date } {
  const nowMs = clock.now()
  return { notBefore: new Date(nowMs - clockSkewMs), notAfter: new Date(nowMs + days * dayMs) }
}

/** Positive and of 16 random bytes, as RFC 5280 wants it. */
function newSerialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return Buffer.from(bytes).toString('hex')
}
