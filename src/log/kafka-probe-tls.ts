/**
 * A broker's certificate as it shows it, with everything that is wrong with it and not only what
 * OpenSSL says first. The connection that looks takes any certificate, so nothing is sent on it.
 */
import { X509Certificate } from 'node:crypto'
import { checkServerIdentity, connect, getCACertificates, type TLSSocket } from 'node:tls'
import { codeIn, nameOf, type Place, probeTimeoutMs, type Tls, tlsFor } from './kafka-probe.ts'

export interface CertificateSight {
  /** `TLSv1.3`. */
  readonly protocol: string
  readonly subject: string
  readonly issuer: string
  /** Host names and addresses that it is for. */
  readonly names: readonly string[]
  readonly validFromMs: number
  readonly validToMs: number
  /** Without any the certificate is taken. */
  readonly problems: readonly CertificateProblem[]
}

export type CertificateProblem =
  | { readonly kind: 'expired' | 'not yet valid' | 'name' }
  /** Signed by somebody who is not trusted here; `code` is OpenSSL's word. */
  | { readonly kind: 'authority' | 'other'; readonly code: string }

export type TlsLook =
  | { readonly kind: 'seen'; readonly certificate: CertificateSight }
  /** It hung up or said something that is not TLS; `code` is what Node made of it. */
  | { readonly kind: 'not TLS'; readonly code: string }
  | { readonly kind: 'silent' }

/** OpenSSL's words for a chain that ends at nobody who is trusted. */
const authorityCodes = new Set([
  ...['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_UNTRUSTED'],
  ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  ...['UNABLE_TO_GET_ISSUER_CERT', 'CERT_SIGNATURE_FAILURE', 'INVALID_CA'],
])
/** They are said with the dates and names of the certificate itself. */
const toldOtherwise = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])

export function lookAtTls(
  place: Place,
  tls: Tls,
  { nowMs = Date.now(), timeoutMs = probeTimeoutMs } = {},
): Promise<TlsLook> {
  return new Promise((resolve) => {
    const options = { ...tlsFor(place, tls), timeout: timeoutMs, rejectUnauthorized: false }
    const socket = connect(place.port, place.host, options)
    const end = (look: TlsLook) => {
      socket.destroy()
      resolve(look)
    }
    socket.once('secureConnect', () => {
      end({ kind: 'seen', certificate: sightOf(socket, place, { tls, nowMs }) })
    })
    socket.once('timeout', () => end({ kind: 'silent' }))
    socket.once('error', (error) => end({ kind: 'not TLS', code: codeIn(error) }))
  })
}

function sightOf(
  socket: TLSSocket,
  place: Place,
  { tls, nowMs }: { readonly tls: Tls; readonly nowMs: number },
): CertificateSight {
  const name = nameOf(place, tls)
  const shown = socket.getPeerX509Certificate()
  if (shown === undefined) throw new Error('the broker showed no certificate')
  const { subject, issuer, subjectAltName, validFromDate, validToDate } = shown
  const names = (subjectAltName ?? '').split(', ').filter((one) => one !== '')
  const validFromMs = validFromDate.getTime()
  const validToMs = validToDate.getTime()
  const problems: CertificateProblem[] = []
  if (nowMs > validToMs) problems.push({ kind: 'expired' })
  if (nowMs < validFromMs) problems.push({ kind: 'not yet valid' })
  if (checkServerIdentity(name, shown.toLegacyObject()) !== undefined) {
    problems.push({ kind: 'name' })
  }
  const said = chainProblems(socket, problems.length > 0)
  problems.push(...said)
  // A date that is over is all that OpenSSL says then.
  if (said.length === 0 && !socket.authorized && !isTrusted(shown, tls)) {
    problems.push({ kind: 'authority', code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
  }
  return {
    protocol: socket.getProtocol() ?? 'TLS',
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    names: names.map((one) => one.replace(/^(DNS|IP Address):/, '')),
    ...{ validFromMs, validToMs, problems },
  }
}

function chainProblems(socket: TLSSocket, hasOthers: boolean): CertificateProblem[] {
  if (socket.authorized) return []
  // Node gives the code, whatever its types say.
  const said: unknown = socket.authorizationError
  const code = typeof said === 'string' ? said : codeIn(said)
  if (authorityCodes.has(code)) return [{ kind: 'authority', code }]
  const isTold = toldOtherwise.has(code) || code === 'ERR_TLS_CERT_ALTNAME_INVALID'
  return isTold && hasOthers ? [] : [{ kind: 'other', code }]
}

/** True when what the broker sent ends at an authority that is trusted here; dates do not matter. */
function isTrusted(shown: X509Certificate, { ca }: Tls): boolean {
  let last = shown
  while (last.issuerCertificate !== undefined && last.issuerCertificate !== last) {
    last = last.issuerCertificate
    if (last.checkIssued(last)) break
  }
  const trusted = ca === undefined ? getCACertificates() : pemsIn(`${ca}`)
  return trusted.some((pem) => {
    const authority = new X509Certificate(pem)
    if (authority.fingerprint256 === last.fingerprint256) return true
    return last.checkIssued(authority) && last.verify(authority.publicKey)
  })
}

const pemsIn = (text: string) => text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? []

/** `CN=kafka, O=Mill`, as OpenSSL prints it on several lines. */
const oneLine = (name: string): string => name.split('\n').join(', ')
