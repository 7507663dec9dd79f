/** The doctor's words for a broker's certificate. */
import type { KafkaConnection } from '../log/kafka-client.ts'
import { nameOf, type Place } from '../log/kafka-probe.ts'
import type { CertificateProblem, CertificateSight } from '../log/kafka-probe-tls.ts'
import type { Finding } from './doctor-check.ts'

const dayMs = 24 * 60 * 60_000
const fewDays = 30

interface Words {
  readonly saw: string
  readonly fix: string
}

export function certificateFinding(
  seen: CertificateSight,
  place: Place,
  { tls }: Pick<KafkaConnection, 'tls'>,
  nowMs: number = Date.now(),
): Finding {
  const about = `${seen.protocol}, issued by ${seen.issuer}, for ${seen.names.join(', ') || seen.subject}`
  if (seen.problems.length > 0) {
    const name = nameOf(place, tls ?? {})
    const words = seen.problems.map((problem) => wordsOf(problem, seen, name, nowMs))
    return {
      health: 'fail',
      saw: words.map(({ saw }) => saw).join('; '),
      fix: words.map(({ fix }) => fix).join('\n'),
    }
  }
  const days = Math.floor((seen.validToMs - nowMs) / dayMs)
  const saw = `${about}, ${days} days left`
  if (days >= fewDays) return { health: 'ok', saw }
  return { health: 'warn', saw, fix: 'renew the certificate before clients are locked out' }
}

function wordsOf(
  problem: CertificateProblem,
  seen: CertificateSight,
  name: string,
  nowMs: number,
): Words {
  switch (problem.kind) {
    case 'expired': {
      const saw = `its certificate expired on ${day(seen.validToMs)}`
      return { saw, fix: `renew it on the broker ${ifClockIsWrong(nowMs)}` }
    }
    case 'not yet valid': {
      const saw = `its certificate is valid only from ${moment(seen.validFromMs)} on`
      return { saw, fix: `wait, or have it issued anew ${ifClockIsWrong(nowMs)}` }
    }
    case 'name': {
      const names = seen.names.join(', ') || `nobody (it has only ${seen.subject})`
      const saw = `the host name is not in its certificate: that is for ${names}, not for ${name}`
      const fix = `connect by one of those names, have it issued for ${name}, or say which name to expect: tls: { serverName }`
      return { saw, fix }
    }
    case 'authority': {
      const saw = `its certificate was issued by somebody who is not trusted here: ${seen.issuer} (${problem.code})`
      const fix =
        'give the certificate of that authority as a PEM file: KAFKA_SSL_CA, or tls: { ca } in millrace.config.ts; a broker has to send the certificates in between along with its own'
      return { saw, fix }
    }
    case 'other':
      return {
        saw: `its certificate, or one that it rests on, is not taken: ${problem.code}`,
        fix: 'look at the whole chain: openssl s_client -showcerts -connect HOST:PORT',
      }
  }
}

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)
const moment = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')

const ifClockIsWrong = (nowMs: number) =>
  `(the clock of this machine says ${moment(nowMs)} UTC; correct that if it is wrong)`
