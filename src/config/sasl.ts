/** Signing in to a broker by SASL: names with passwords, and tokens. */
import { z } from 'zod'
import { readText, secretOption, textOrSecret } from './check-options.ts'
import type { ConnectContext, SaslConnection, SaslMechanism } from './kafka-connection.ts'
import type { Secret } from './secret.ts'
import { readTls } from './tls.ts'
import { fetchWithCredentials, tokenKeeper } from './tokens.ts'

const withPassword = <const Mechanism extends SaslMechanism>(mechanism: Mechanism) =>
  z.strictObject({
    mechanism: z.literal(mechanism),
    username: textOrSecret,
    password: secretOption,
  })

const withToken = z.strictObject({
  mechanism: z.literal('OAUTHBEARER'),
  tokenEndpoint: z
    .string()
    .refine(isSecureAddress, 'give an address with https: (http: only on this machine)')
    .describe('Where tokens come from (OAuth 2.0, client credentials).'),
  clientId: textOrSecret,
  clientSecret: secretOption,
  scope: z.string().optional(),
  ca: textOrSecret.optional().describe('Whom to trust there: a PEM file, or its text.'),
  extensions: z
    .record(z.string().regex(/^[A-Za-z]+$/), z.string())
    .optional()
    .describe('SASL extensions, such as logicalCluster and identityPoolId of Confluent.'),
})

export const saslSchema = z.discriminatedUnion('mechanism', [
  withPassword('PLAIN'),
  withPassword('SCRAM-SHA-256'),
  withPassword('SCRAM-SHA-512'),
  withToken,
])

export type SaslOptions = z.input<typeof saslSchema>

export const passwordSasl = (
  mechanism: SaslMechanism,
  username: string | Secret,
  password: Secret,
): SaslConnection => ({
  mechanism,
  ...(typeof username === 'string' ? { shownUser: username } : {}),
  username: () => readText(username),
  password: () => password.read(),
})

export async function openSasl(
  sasl: z.output<typeof saslSchema>,
  { directory }: ConnectContext,
): Promise<SaslConnection> {
  if (sasl.mechanism !== 'OAUTHBEARER') {
    return passwordSasl(sasl.mechanism, sasl.username, sasl.password)
  }
  const { tokenEndpoint, clientId, clientSecret, scope, ca, extensions } = sasl
  const endpoint = new URL(tokenEndpoint)
  const material = ca === undefined ? undefined : await readTls('sasl', { ca }, directory)
  const token = tokenKeeper(async () =>
    fetchWithCredentials({
      ...{ endpoint, scope, ca: material?.ca },
      clientId: await readText(clientId),
      clientSecret: await clientSecret.read(),
    }),
  )
  const extra = extensions === undefined ? {} : { oauthBearerExtensions: extensions }
  return { mechanism: 'OAUTHBEARER', token, ...extra }
}

function isSecureAddress(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname } = new URL(address)
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  return protocol === 'https:' || (protocol === 'http:' && isHere)
}
