/**
 * What a broker says before anybody has signed in: which requests it knows, which features the
 * cluster has, and which SASL mechanisms this listener offers.
 */
import {
  apiVersionsV3,
  Connection,
  type ConnectionOptions,
  metadataV12,
  saslHandshakeV1,
} from '@platformatic/kafka'
import { withErrors } from './kafka-answer.ts'
import type { KafkaConnection } from './kafka-client.ts'
import { faultOf, orderIn } from './kafka-faults.ts'
import { codeIn, type Place, probeTimeoutMs, tlsFor } from './kafka-probe.ts'

export interface VersionRange {
  readonly min: number
  readonly max: number
}

export interface Greeting {
  /** By the key of the request. */
  readonly requests: ReadonlyMap<number, VersionRange>
  /** What the broker's software could do, and what the cluster has turned on, by name. */
  readonly supported: ReadonlyMap<string, number>
  readonly finalized: ReadonlyMap<string, number>
  /** Undefined: nobody needs to sign in by SASL here. */
  readonly mechanisms: readonly string[] | undefined
}

/** What can be told of an attempt that failed. */
export interface Setback {
  /** As `faultOf` has it: 'NETWORK', 'AUTHENTICATION', 'TLS', 'CONNECTION', 'ORDER', ... */
  readonly id: string
  readonly message: string
  /** Node's code, where it has one. */
  readonly code: string
}

const illegalSaslState = 34

export async function greet(
  place: Place,
  { clientId, tls, sasl }: KafkaConnection,
): Promise<Greeting | Setback> {
  const connection = connectionTo(place, clientId, tls === undefined ? {} : { tls })
  try {
    await connection.connect(place.host, place.port)
    const versions = await apiVersionsV3.api.async(connection, 'millrace', '1')
    const handshake = await withErrors(
      saslHandshakeV1.api.async(connection, sasl?.mechanism ?? 'PLAIN'),
    ).catch(() => undefined)
    const hasSasl = handshake !== undefined && handshake.errorCode !== illegalSaslState
    return {
      requests: new Map(
        versions.apiKeys.map((api) => [api.apiKey, { min: api.minVersion, max: api.maxVersion }]),
      ),
      supported: new Map(
        (versions.supportedFeatures ?? []).map(({ name, maxVersion }) => [name, maxVersion]),
      ),
      finalized: new Map(
        (versions.finalizedFeatures ?? []).map((one) => [one.name, one.maxVersionLevel]),
      ),
      mechanisms: hasSasl ? handshake.mechanisms : undefined,
    }
  } catch (error) {
    return setbackOf(error)
  } finally {
    await closed(connection)
  }
}

export interface Advertised extends Place {
  readonly nodeId: number
}

/** Signs in, and asks which brokers there are and where they tell clients to find them. */
export async function signIn(
  place: Place,
  { clientId, tls, sasl }: KafkaConnection,
): Promise<readonly Advertised[] | Setback> {
  const connection = connectionTo(place, clientId, {
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl }),
  })
  try {
    await connection.connect(place.host, place.port)
    const { brokers } = await metadataV12.api.async(connection, [], false, false)
    return brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port }))
  } catch (error) {
    return setbackOf(error)
  } finally {
    await closed(connection)
  }
}

function connectionTo(place: Place, clientId: string, options: ConnectionOptions): Connection {
  const connection = new Connection(clientId, {
    ...{ connectTimeout: probeTimeoutMs, requestTimeout: probeTimeoutMs, ...options },
    ...(options.tls === undefined ? {} : { tls: tlsFor(place, options.tls) }),
  })
  // Whoever waits for the connection hears of it too.
  connection.on('error', () => undefined)
  return connection
}

function setbackOf(error: unknown): Setback {
  const { id, message } = faultOf(error)
  const own = id === 'ORDER' ? orderIn(error, '') : undefined
  return { id, message: own?.message ?? message, code: codeIn(error) }
}

/** One that failed on its way has no end to wait for. */
async function closed(connection: Connection): Promise<void> {
  await connection.close().catch(() => undefined)
}
