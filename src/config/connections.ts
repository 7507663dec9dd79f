/**
 * Connections to Kafka that a person fills in, not assembles: one function for each way to have a
 * cluster. Each checks what it was given at once and gives a description.
 */
import { z } from 'zod'
import { fail } from '../core/errors.ts'
import { checkOptions, secretOption, textOrSecret } from './check-options.ts'
import type {
  ConnectContext,
  KafkaChoice,
  KafkaConnection,
  SaslConnection,
  TopicMaking,
  TopicMakingOptions,
  VariablesChoice,
} from './kafka-connection.ts'
import { openSasl, passwordSasl, type SaslOptions, saslSchema } from './sasl.ts'
import { readTls, type TlsOptions, tlsSchema } from './tls.ts'
import { fetchFromMskSigner, tokenKeeper } from './tokens.ts'

const plainPort = 9092

/** `host:port` each, from a list or from one text with commas; `defaultPort` where it says none. */
function brokersOption(defaultPort: number) {
  return z.union([z.string(), z.array(z.string())]).transform((given, context) => {
    const all = (typeof given === 'string' ? given.split(',') : given)
      // Confluent's page shows them with the protocol in front.
      .map((one) => one.trim().replace(/^[A-Z_]+:\/\//, ''))
      .filter((one) => one !== '')
      .map((one) => (/:\d+$/.test(one) ? one : `${one}:${defaultPort}`))
    const wrong = all.find((one) => !isPlace(one))
    if (wrong !== undefined || all.length === 0) {
      const said = wrong === undefined ? 'name at least one broker' : `'${wrong}' is not host:port`
      context.issues.push({ code: 'custom', message: said, input: given })
    }
    return all
  })
}

function isPlace(text: string): boolean {
  const port = Number(/:(\d+)$/.exec(text)?.[1])
  const host = text.replace(/:\d+$/, '')
  return port >= 1 && port <= 65_535 && /^(\[[\da-fA-F:.]+\]|[\w.-]+)$/.test(host)
}

export type Brokers = string | readonly string[]

/** Kafka keeps it in 16 bits. */
const mostCopies = 32_767

const topicShape = {
  createTopics: z.boolean().optional(),
  replicationFactor: z.int().min(1).max(mostCopies).optional(),
}

/** Kafka as the variables KAFKA_* describe it; what is given here holds where they say nothing. */
export function kafkaByVariables(options: TopicMakingOptions = {}): VariablesChoice {
  const topics = checkOptions('kafkaByVariables()', z.strictObject(topicShape), options)
  return { kind: 'kafka-variables', topics }
}

export interface KafkaOptions extends TopicMakingOptions {
  readonly brokers: Brokers
}

/** A cluster without encryption and passwords: on this machine, or in a network of its own. */
export function kafka(options: KafkaOptions): KafkaChoice {
  const schema = z.strictObject({ brokers: brokersOption(plainPort), ...topicShape })
  const { brokers, ...topics } = checkOptions('kafka()', schema, options)
  return choice('kafka', brokers, { topics })
}

export interface ConfluentCloudOptions extends TopicMakingOptions {
  /** `pkc-xxxxx.REGION.PROVIDER.confluent.cloud:9092`, as the cluster's settings show it. */
  readonly bootstrap: string
  readonly apiKey: z.input<typeof textOrSecret>
  readonly apiSecret: z.input<typeof secretOption>
}

/** Confluent Cloud: TLS, and an API key of the cluster. */
export function confluentCloud(options: ConfluentCloudOptions): KafkaChoice {
  const schema = z.strictObject({
    bootstrap: brokersOption(plainPort),
    apiKey: textOrSecret,
    apiSecret: secretOption,
    ...topicShape,
  })
  const checked = checkOptions('confluentCloud()', schema, options)
  const { bootstrap, apiKey, apiSecret, ...topics } = checked
  const sasl = async () => passwordSasl('PLAIN', apiKey, apiSecret)
  return choice('confluentCloud', bootstrap, { tls: {}, sasl, mechanism: 'PLAIN', topics })
}

const mskPorts = { iam: 9098, scram: 9096, tls: 9094 } as const
/** The same from outside the cluster's network. */
const mskPublicPorts = { iam: 9198, scram: 9196, tls: 9194 } as const

const mskSchema = (auth: keyof typeof mskPorts) => {
  const brokers = brokersOption(mskPorts[auth])
  const shared = { brokers, auth: z.literal(auth), ...topicShape }
  if (auth === 'scram') {
    return z.strictObject({ ...shared, username: textOrSecret, password: secretOption })
  }
  if (auth === 'tls') return z.strictObject({ ...shared, tls: tlsSchema })
  const text = z.string().min(1).optional()
  return z.strictObject({ ...shared, region: text, profile: text, roleArn: text })
}

export type MskOptions = TopicMakingOptions & MskSignIn

type MskSignIn =
  | {
      readonly brokers: Brokers
      readonly auth: 'iam'
      /** Default: what the brokers' names say. */
      readonly region?: string
      /** A profile of ~/.aws; default: AWS's own order of places. */
      readonly profile?: string
      /** A role to take on first. */
      readonly roleArn?: string
    }
  | {
      readonly brokers: Brokers
      readonly auth: 'scram'
      readonly username: z.input<typeof textOrSecret>
      readonly password: z.input<typeof secretOption>
    }
  | { readonly brokers: Brokers; readonly auth: 'tls'; readonly tls: TlsOptions }

/** Amazon MSK, provisioned, serverless or express. `load` is for tests: the signer's package. */
export function msk(options: MskOptions, load?: () => Promise<unknown>): KafkaChoice {
  const where = 'msk()'
  const auth = options?.auth
  if (!Object.hasOwn(mskPorts, String(auth))) {
    throw fail('CONFIG_INVALID', `${where}: option 'auth' is one of 'iam', 'scram' and 'tls'`)
  }
  const checked = checkOptions(where, mskSchema(auth) as z.ZodType<MskOptions>, options)
  const brokers = checked.brokers as readonly string[]
  checkMskPorts(brokers, auth)
  const topics = checked
  if (checked.auth === 'tls') return choice('msk', brokers, { tls: checked.tls, topics })
  if (checked.auth === 'scram') {
    const { username, password } = checked
    const mechanism = 'SCRAM-SHA-512'
    const sasl = async () => passwordSasl(mechanism, username, password)
    return choice('msk', brokers, { tls: {}, sasl, mechanism, topics })
  }
  const region = checked.region ?? regionOf(brokers)
  const identity = { region, profile: checked.profile, roleArn: checked.roleArn }
  const token = tokenKeeper(() => fetchFromMskSigner(identity, load))
  const sasl = async (): Promise<SaslConnection> => ({ mechanism: 'OAUTHBEARER', token })
  return choice('msk', brokers, { tls: {}, sasl, mechanism: 'AWS IAM', topics })
}

/** MSK serves each kind of sign-in on a port of its own; with another one it only hangs up. */
function checkMskPorts(brokers: readonly string[], auth: keyof typeof mskPorts): void {
  const served = new Map<number, string>([[plainPort, 'without encryption']])
  for (const ports of [mskPorts, mskPublicPorts]) {
    for (const [name, port] of Object.entries(ports)) served.set(port, `auth '${name}'`)
  }
  for (const broker of brokers) {
    const what = served.get(Number(broker.slice(broker.lastIndexOf(':') + 1)))
    if (what === undefined || what === `auth '${auth}'`) continue
    const right = `${mskPorts[auth]}, or ${mskPublicPorts[auth]} from outside its network`
    throw fail('CONFIG_INVALID', `msk(): ${broker} is the port ${what}; '${auth}' is on ${right}`)
  }
}

/** `b-1.name.id.c2.kafka.eu-west-1.amazonaws.com`, `boot-id.c1.kafka-serverless.us-east-1...` */
function regionOf(brokers: readonly string[]): string {
  const found = brokers.map((one) => /\.kafka(?:-serverless)?\.([a-z\d-]+)\.amazonaws\./.exec(one))
  const region = found.find((match) => match !== null)?.[1] ?? process.env.AWS_REGION
  if (region !== undefined && region !== '') return region
  const what = 'the brokers do not have the names that AWS gave them'
  throw fail('CONFIG_INVALID', `msk(): option 'region' is missing, and ${what}`)
}

export interface SelfManagedOptions extends TopicMakingOptions {
  readonly brokers: Brokers
  /** Default: true, with the authorities that the world trusts. False: no encryption. */
  readonly tls?: boolean | TlsOptions
  readonly sasl?: SaslOptions
}

/** A cluster that you or somebody else runs, with its own certificates and passwords. */
export function selfManaged(options: SelfManagedOptions): KafkaChoice {
  const schema = z.strictObject({
    brokers: brokersOption(plainPort),
    tls: z.union([z.boolean(), tlsSchema]).default(true),
    sasl: saslSchema.optional(),
    ...topicShape,
  })
  const { brokers, tls, sasl, ...topics } = checkOptions('selfManaged()', schema, options)
  return choice('selfManaged', brokers, {
    topics,
    ...(tls === false ? {} : { tls: tls === true ? {} : tls }),
    ...(sasl === undefined
      ? {}
      : { sasl: (context) => openSasl(sasl, context), mechanism: sasl.mechanism }),
  })
}

interface Details {
  readonly topics: TopicMakingOptions
  readonly tls?: TlsOptions
  readonly sasl?: (context: ConnectContext) => Promise<SaslConnection>
  /** For people. */
  readonly mechanism?: string
}

function choice(by: string, brokers: readonly string[], details: Details): KafkaChoice {
  const { tls, sasl, mechanism } = details
  const { createTopics: isWanted = false, replicationFactor } = details.topics
  const topics: TopicMaking = { isWanted, replicationFactor }
  const isMutual = tls?.certificate !== undefined || tls?.pkcs12 !== undefined
  const said = [tls === undefined ? 'no encryption' : isMutual ? 'mutual TLS' : 'TLS']
  if (mechanism !== undefined) said.push(mechanism)
  return {
    kind: 'kafka',
    by,
    brokers,
    security: said.join(', '),
    topics,
    async connection(context): Promise<KafkaConnection> {
      return {
        brokers,
        clientId: context.clientId,
        ...(tls === undefined ? {} : { tls: await readTls(`${by}()`, tls, context.directory) }),
        ...(sasl === undefined ? {} : { sasl: await sasl(context) }),
      }
    },
  }
}
