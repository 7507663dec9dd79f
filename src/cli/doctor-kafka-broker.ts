/** The doctor's words for one broker: is it there, is it who it says, does it let us in. */
import type { KafkaConnection } from '../log/kafka-client.ts'
import { type Place, placeText, type Reach, reach } from '../log/kafka-probe.ts'
import {
  type Advertised,
  type Greeting,
  greet,
  type Setback,
  signIn,
} from '../log/kafka-probe-greeting.ts'
import { type CertificateSight, lookAtTls } from '../log/kafka-probe-tls.ts'
import type { Finding, NamedFinding } from './doctor-check.ts'
import { certificateFinding } from './doctor-kafka-certificate.ts'

export interface BrokerSight {
  readonly findings: readonly NamedFinding[]
  /** What it said; undefined where it was not heard. */
  readonly greeting?: Greeting
  /** Where the brokers are to be found, as it says; undefined where it did not let us in. */
  readonly advertised?: readonly Advertised[]
}

export interface BrokerQuestion {
  readonly place: Place
  readonly connection: KafkaConnection
  /** The broker that advertises this place; undefined for one that the configuration names. */
  readonly advertisedBy?: number
}

/** Goes on as far as each step lets it. */
export async function lookAtBroker(question: BrokerQuestion): Promise<BrokerSight> {
  const { place, connection } = question
  const findings: NamedFinding[] = []
  const found = (name: string, { health, saw, fix }: Finding) => {
    const words = `${placeText(place)}: ${saw}`
    findings.push({ name, health, saw: words, ...(fix === undefined ? {} : { fix }) })
    return health !== 'fail'
  }
  if (!found('broker', reachFinding(question, await reach(place)))) return { findings }
  if (connection.tls !== undefined) {
    const certificate = await tlsFinding(question)
    if (!found('certificate', certificate)) return { findings }
  }
  const greeting = await greet(place, connection)
  if ('id' in greeting) {
    found('sign-in', await silenceFinding(question, greeting))
    return { findings }
  }
  const mechanism = mechanismFinding(connection, greeting)
  if (mechanism !== undefined) {
    found('sign-in', mechanism)
    return { findings, greeting }
  }
  const signed = await signIn(place, connection)
  if ('id' in signed) {
    found('sign-in', refusalFinding(connection, signed))
    return { findings, greeting }
  }
  found('sign-in', { health: 'ok', saw: signedIn(connection) })
  return { findings, greeting, advertised: signed }
}

const who = (nodeId: number) => `broker ${nodeId} tells clients to connect there`

function reachFinding({ place, advertisedBy }: BrokerQuestion, seen: Reach): Finding {
  const isTold = advertisedBy !== undefined
  const told = isTold ? `; ${who(advertisedBy)}` : ''
  const correct = isTold
    ? `correct advertised.listeners of broker ${advertisedBy}`
    : 'correct the name in the configuration'
  const health = 'fail'
  switch (seen.kind) {
    case 'reached': {
      const address = seen.address === place.host ? '' : ` (${seen.address})`
      return { health: 'ok', saw: `reached in ${seen.tookMs.toFixed(1)} ms${address}` }
    }
    case 'unresolved': {
      const saw = `the name has no address here (${seen.code})${told}`
      return { health, saw, fix: `make the name known here (DNS, /etc/hosts), or ${correct}` }
    }
    case 'silent': {
      const saw = `${seen.address} does not answer within ${seen.waitedMs / 1000} s${told}`
      const fix = 'a firewall or a security group may drop it: open the port for this machine'
      return { health, saw, fix }
    }
    case 'refused': {
      if (seen.code !== 'ECONNREFUSED') {
        const saw = `there is no way to ${seen.address} from here (${seen.code})${told}`
        return { health, saw, fix: `look at the network between here and there, or ${correct}` }
      }
      const saw = `nothing listens there (${seen.address} refused)${told}`
      return { health, saw, fix: `start the broker, or ${correct.replace('name', 'port')}` }
    }
  }
}

async function tlsFinding({ place, connection }: BrokerQuestion): Promise<Finding> {
  const look = await lookAtTls(place, connection.tls!)
  if (look.kind === 'seen') return certificateFinding(look.certificate, place, connection)
  const health = 'fail'
  if (look.kind === 'silent') {
    const fix = 'look whether the port is a listener of Kafka, and whether the broker stands still'
    return { health, saw: 'it takes the connection and says nothing to TLS', fix }
  }
  if (/ALERT/.test(look.code)) return clientCertificateFinding(look.code)
  const plain = await greet(place, { brokers: [], clientId: connection.clientId })
  if ('id' in plain) {
    const fix = 'look whether the port is a listener of Kafka with TLS'
    return { health, saw: `it does not speak TLS (${look.code || 'it hung up'})`, fix }
  }
  const fix =
    'use the port of the TLS listener; without encryption: KAFKA_SECURITY_PROTOCOL=PLAINTEXT or SASL_PLAINTEXT, in millrace.config.ts tls: false'
  return { health, saw: 'this listener speaks Kafka without TLS, and TLS was asked for', fix }
}

const clientCertificateFinding = (code: string): Finding => ({
  health: 'fail',
  saw: `it refuses the TLS handshake (${code}): it wants another certificate of ours, or any`,
  fix: 'give a client certificate that its authority signed: KAFKA_SSL_CERTIFICATE and KAFKA_SSL_KEY, or tls: { certificate, key }',
})

/** It was reached, and its certificate taken, but it did not answer. */
async function silenceFinding(question: BrokerQuestion, seen: Setback): Promise<Finding> {
  const { place, connection } = question
  const health = 'fail'
  if (connection.tls === undefined) {
    const look = await lookAtTls(place, {})
    if (look.kind === 'seen') {
      const saw = `this listener wants TLS (${namesOf(look.certificate)})`
      const fix =
        'KAFKA_SECURITY_PROTOCOL=SSL or SASL_SSL with KAFKA_SSL_CA, or selfManaged({ tls }) in millrace.config.ts'
      return { health, saw, fix }
    }
  } else if (/ALERT/.test(seen.code)) {
    return clientCertificateFinding(seen.code)
  }
  const fix = 'look whether the port is a listener of Kafka, and into the log of the broker'
  return { health, saw: `it does not answer as Kafka does: ${seen.message}`, fix }
}

const namesOf = ({ names }: CertificateSight) => `its certificate is for ${names.join(', ')}`

/** Undefined: the mechanism may be tried. */
function mechanismFinding(
  { sasl }: KafkaConnection,
  { mechanisms }: Greeting,
): Finding | undefined {
  const health = 'fail'
  if (sasl === undefined) {
    if (mechanisms === undefined) return undefined
    const saw = `it wants a user to sign in, by ${mechanisms.join(', ')}; none is configured`
    const fix =
      'KAFKA_SECURITY_PROTOCOL=SASL_SSL with KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, or sasl in millrace.config.ts'
    return { health, saw, fix }
  }
  if (mechanisms === undefined) {
    const fix = 'use the port of the listener with SASL, or configure no user'
    return { health, saw: 'nobody can sign in on this listener: it has no SASL', fix }
  }
  if (mechanisms.includes(sasl.mechanism)) return undefined
  const saw = `${sasl.mechanism} is not offered; offered: ${mechanisms.join(', ')}`
  return { health, saw, fix: 'choose one of these, or enable it: sasl.enabled.mechanisms' }
}

function refusalFinding({ sasl, tls }: KafkaConnection, seen: Setback): Finding {
  const health = 'fail'
  if (seen.id === 'AUTHENTICATION') {
    const saw = `the user or its password (or token) is not taken (${sasl?.mechanism})`
    const fix =
      'correct them; with SCRAM the user must have been made for this very mechanism (kafka-configs --describe --entity-type users)'
    return { health, saw, fix }
  }
  if (seen.id === 'ORDER') return { health, saw: seen.message }
  if (tls !== undefined && /ALERT/.test(seen.code)) return clientCertificateFinding(seen.code)
  const fix = 'look into the log of the broker: it says there why'
  return { health, saw: `it hangs up: ${seen.message}`, fix }
}

function signedIn({ sasl, tls }: KafkaConnection): string {
  if (sasl !== undefined) return `signed in by ${sasl.mechanism}`
  return tls === undefined ? 'nobody has to sign in' : 'let in without SASL'
}
