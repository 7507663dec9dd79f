/** What a Kafka broker or the way to it answered when it did not do what was asked. */
import { protocolErrors } from '@platformatic/kafka'
import { codeOf, fail, messageOf } from '../core/errors.ts'

/** An error of the protocol by its name, as Kafka's documentation has it. */
export interface Fault {
  /** 'ILLEGAL_GENERATION' and so on; 'NETWORK' where no answer came; 'UNKNOWN' for anything else. */
  readonly id: string
  /** The same request may succeed a little later, perhaps at another broker. */
  readonly canRetry: boolean
  readonly message: string
}

const faultKey = '~fault'
const byCode = new Map(Object.values(protocolErrors).map((error) => [error.code, error]))
/** They say nothing of the request: the way there failed. */
const networkCodes = new Set(['PLT_KFK_NETWORK', 'PLT_KFK_TIMEOUT'])
/** Node's words for a certificate that it does not take. */
const untrusted = new Set([
  ...['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED'],
  ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_UNTRUSTED'],
  ...['UNABLE_TO_GET_ISSUER_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_NOT_YET_VALID'],
])

/** An error to throw for a code that stood in an answer. */
export function faultError(code: number, where: string): Error {
  const { id, canRetry, message } = byCode.get(code) ?? unknownCode(code)
  const fault: Fault = { id, canRetry, message }
  return Object.assign(new Error(`${where}: ${id} (${message})`), { [faultKey]: fault })
}

/**
 * What an error thrown by a request means. An order of Millrace's own on the way there (a secret that
 * is missing) comes first: it is thrown again by whoever asks `orderIn`.
 */
export function faultOf(error: unknown): Fault {
  const found = (error as { [faultKey]?: Fault } | null)?.[faultKey]
  if (found !== undefined) return found
  const chain = causesOf(error)
  const codes = chain.map(codeIn)
  const message = wholeMessage(chain)
  if (codes.some((code) => untrusted.has(code))) return { id: 'TLS', canRetry: false, message }
  if (codes.includes('PLT_KFK_AUTHENTICATION')) {
    return { id: 'AUTHENTICATION', canRetry: false, message }
  }
  // The library's word for what no waiting helps against: a broker that wants TLS, an unknown mechanism.
  if (codes.includes('PLT_KFK_USER')) return { id: 'CONNECTION', canRetry: false, message }
  if (chain.some((one) => codeOf(one) !== undefined)) {
    return { id: 'ORDER', canRetry: false, message }
  }
  const answered = ((error as { errors?: readonly unknown[] } | null)?.errors ?? []).flatMap(
    (one) => {
      const { apiId: id, canRetry } = one as { apiId?: unknown; canRetry?: unknown }
      return typeof id === 'string'
        ? { id, canRetry: canRetry === true, message: messageOf(one) }
        : []
    },
  )
  // Of what was left undone because of another part, that other part says why.
  const telling = answered.find(({ id }) => id !== 'OPERATION_NOT_ATTEMPTED') ?? answered[0]
  if (telling !== undefined) return telling
  if (codes.some((code) => networkCodes.has(code)))
    return { id: 'NETWORK', canRetry: true, message }
  return { id: 'UNKNOWN', canRetry: false, message }
}

/** A fault of the way to the cluster, or of who goes it, as an order; undefined for any other. */
export function orderIn(error: unknown, where: string): Error | undefined {
  const own = causesOf(error).find((one) => codeOf(one) !== undefined)
  if (own !== undefined) return own as Error
  const { id, message } = faultOf(error)
  const details = { cause: error }
  if (id === 'TLS') return fail('LOG_UNTRUSTED', `${where}: ${message}`, details)
  if (id === 'AUTHENTICATION' || id === 'CONNECTION') {
    return fail('LOG_FORBIDDEN', `${where}: ${message}`, details)
  }
  if (id.endsWith('AUTHORIZATION_FAILED')) {
    return fail('LOG_FORBIDDEN', `${where}: ${id}: ${message}`, details)
  }
  return undefined
}

export const codeIs = (code: number, id: keyof typeof protocolErrors) =>
  code === protocolErrors[id]?.code

function unknownCode(code: number) {
  return { id: `ERROR_${code}`, canRetry: false, message: 'an error code that is not known here' }
}

/** An error, what caused it, and so on; errors that stand for several, with each of them. */
function causesOf(error: unknown): readonly unknown[] {
  const found: unknown[] = []
  const waiting = [error]
  while (waiting.length > 0 && found.length < 20) {
    const next = waiting.shift()
    if (typeof next !== 'object' || next === null) continue
    found.push(next)
    const { cause, errors } = next as { cause?: unknown; errors?: unknown }
    waiting.push(cause, ...(Array.isArray(errors) ? errors : []))
  }
  return found
}

const codeIn = (error: unknown): string => {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

/** With what caused it: 'Connection to ... failed' alone says little. */
function wholeMessage(chain: readonly unknown[]): string {
  return [...new Set(chain.map(messageOf))].filter((words) => words !== '').join(' ')
}
