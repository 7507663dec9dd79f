/** Tokens for SASL/OAUTHBEARER: fetched when a connection needs one, renewed before they run out. */
import { request as plainRequest, type RequestOptions } from 'node:http'
import { request as secureRequest } from 'node:https'
import { type Clock, systemClock } from '../core/clock.ts'
import { codeOf, fail, messageOf } from '../core/errors.ts'

export interface Token {
  readonly text: string
  /** Milliseconds since the epoch. */
  readonly expires: number
}

export type FetchToken = () => Promise<Token>

/**
 * A connection signs in anew after four fifths of what its token had left. By then the token must be
 * another one, so it counts as old before.
 */
const oldAfter = 0.75
const tries = 3
const firstWaitMs = 200
const answerMs = 10_000
const maxAnswerBytes = 256 * 1024
/** Where an answer does not say how long its token is good for. */
const assumedSeconds = 300

/**
 * Gives tokens: the one at hand while it is young, else a new one. Calls at the same time share one
 * request. While none is to be had, one that still holds is given out.
 */
export function tokenKeeper(fetchToken: FetchToken, clock: Clock = systemClock) {
  let current: Token | undefined
  let fetched = 0
  let renewing: Promise<Token> | undefined

  async function renew(): Promise<Token> {
    try {
      const token = await withTries(fetchToken, clock)
      fetched = clock.now()
      current = token
      return token
    } catch (error) {
      if (current !== undefined && clock.now() < current.expires) return current
      throw error
    } finally {
      renewing = undefined
    }
  }

  return async (): Promise<string> => {
    if (current !== undefined) {
      const lasts = current.expires - fetched
      if (clock.now() < fetched + lasts * oldAfter) return current.text
    }
    renewing ??= renew()
    return (await renewing).text
  }
}

async function withTries(fetchToken: FetchToken, clock: Clock): Promise<Token> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetchToken()
    } catch (error) {
      if (attempt === tries || codeOf(error) !== 'TOKEN_UNREACHABLE') throw error
      await clock.sleep(firstWaitMs * 2 ** (attempt - 1))
    }
  }
}

export interface ClientCredentials {
  readonly endpoint: URL
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string | undefined
  /** PEM text of whom to trust, where it is not a public authority. */
  readonly ca: string | undefined
}

/** OAuth 2.0, client credentials grant. Throws `TOKEN_REFUSED`, `TOKEN_UNREACHABLE`. */
export async function fetchWithCredentials(
  credentials: ClientCredentials,
  clock: Clock = systemClock,
): Promise<Token> {
  const { endpoint, scope } = credentials
  const where = `token endpoint ${endpoint.origin}${endpoint.pathname}`
  const asked = clock.now()
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scope !== undefined) body.set('scope', scope)
  let answer: Answer
  try {
    answer = await post(credentials, body.toString())
  } catch (error) {
    throw fail('TOKEN_UNREACHABLE', `${where}: ${messageOf(error)}`, { waitMs: 1000 })
  }
  const { status, fields } = answer
  const said = [fields.error, fields.error_description].filter((one) => typeof one === 'string')
  const words = hide(said.join(', ').slice(0, 300), credentials.clientSecret)
  if (status >= 500 || status === 429) {
    throw fail('TOKEN_UNREACHABLE', `${where} answered ${status} ${words}`, { waitMs: 1000 })
  }
  const { access_token: text, expires_in: seconds } = fields
  if (status !== 200 || typeof text !== 'string' || text === '') {
    throw fail('TOKEN_REFUSED', `${where} answered ${status} ${words || 'without a token'}`)
  }
  const lasts = Number(seconds) > 0 ? Number(seconds) : assumedSeconds
  return { text, expires: asked + lasts * 1000 }
}

interface Answer {
  readonly status: number
  readonly fields: Record<string, unknown>
}

function post({ endpoint, clientId, clientSecret, ca }: ClientCredentials, body: string) {
  const user = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`
  const options: RequestOptions & { ca?: string } = {
    method: 'POST',
    timeout: answerMs,
    headers: {
      authorization: `Basic ${Buffer.from(user).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
      accept: 'application/json',
    },
    ...(ca === undefined ? {} : { ca }),
  }
  const request = endpoint.protocol === 'http:' ? plainRequest : secureRequest
  return new Promise<Answer>((resolve, reject) => {
    const sent = request(endpoint, options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('error', reject)
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > maxAnswerBytes) response.destroy(new Error('its answer is too long'))
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, fields: parsed(text) }))
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${answerMs / 1000} s`)))
    sent.on('error', reject)
    sent.end(body)
  })
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

const hide = (text: string, hidden: string) => text.replaceAll(hidden, '(not shown)')

/** The package's own functions, as far as they are used. */
interface MskSigner {
  generateAuthToken(options: { region: string }): Promise<SignedToken>
  generateAuthTokenFromProfile(options: {
    region: string
    awsProfileName: string
  }): Promise<SignedToken>
  generateAuthTokenFromRole(options: {
    region: string
    awsRoleArn: string
    awsRoleSessionName: string
  }): Promise<SignedToken>
}

interface SignedToken {
  readonly token: string
  readonly expiryTime: number
}

const signerPackage = 'aws-msk-iam-sasl-signer-js'

export interface MskIdentity {
  readonly region: string
  readonly profile: string | undefined
  readonly roleArn: string | undefined
}

/** Tokens for MSK with IAM, signed with the credentials that AWS's own tools would use. */
export async function fetchFromMskSigner(
  { region, profile, roleArn }: MskIdentity,
  load: () => Promise<unknown> = () => import(signerPackage),
): Promise<Token> {
  let signer: MskSigner
  try {
    signer = (await load()) as MskSigner
  } catch (error) {
    const hint = `auth 'iam' needs a package: npm install ${signerPackage}`
    throw fail('DEPENDENCY_MISSING', `msk(): ${hint}`, { cause: error })
  }
  try {
    const signed = await signedBy(signer, { region, profile, roleArn })
    return { text: signed.token, expires: signed.expiryTime }
  } catch (error) {
    const isRefused = (error as { name?: unknown } | null)?.name === 'CredentialsProviderError'
    const code = isRefused ? 'TOKEN_REFUSED' : 'TOKEN_UNREACHABLE'
    throw fail(code, `msk(): AWS gave no credentials for ${region}: ${messageOf(error)}`)
  }
}

function signedBy(signer: MskSigner, { region, profile, roleArn }: MskIdentity) {
  if (roleArn !== undefined) {
    const awsRoleSessionName = 'millrace'
    return signer.generateAuthTokenFromRole({ region, awsRoleArn: roleArn, awsRoleSessionName })
  }
  return profile === undefined
    ? signer.generateAuthToken({ region })
    : signer.generateAuthTokenFromProfile({ region, awsProfileName: profile })
}
