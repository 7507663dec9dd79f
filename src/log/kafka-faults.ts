/** What a Kafka broker or the way to it answered when it did not do what was asked. */
import { protocolErrors } from '@platformatic/kafka'
import { messageOf } from '../core/errors.ts'

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

/** An error to throw for a code that stood in an answer. */
export function faultError(code: number, where: string): Error {
  const { id, canRetry, message } = byCode.get(code) ?? unknownCode(code)
  const fault: Fault = { id, canRetry, message }
  return Object.assign(new Error(`${where}: ${id} (${message})`), { [faultKey]: fault })
}

/** What an error thrown by a request means. */
export function faultOf(error: unknown): Fault {
  const found = (error as { [faultKey]?: Fault } | null)?.[faultKey]
  if (found !== undefined) return found
  const { code, errors } = error as { code?: unknown; errors?: readonly unknown[] }
  if (typeof code === 'string' && networkCodes.has(code)) {
    return { id: 'NETWORK', canRetry: true, message: wholeMessage(error) }
  }
  for (const inner of errors ?? []) {
    const { apiId, canRetry } = inner as { apiId?: unknown; canRetry?: unknown }
    if (typeof apiId === 'string') {
      return { id: apiId, canRetry: canRetry === true, message: messageOf(inner) }
    }
  }
  return { id: 'UNKNOWN', canRetry: false, message: wholeMessage(error) }
}

export const codeIs = (code: number, id: keyof typeof protocolErrors) =>
  code === protocolErrors[id]?.code

function unknownCode(code: number) {
  return { id: `ERROR_${code}`, canRetry: false, message: 'an error code that is not known here' }
}

/** With what caused it: 'Connection to ... failed' alone says little. */
function wholeMessage(error: unknown): string {
  const { cause } = error as { cause?: unknown }
  return cause === undefined ? messageOf(error) : `${messageOf(error)} ${messageOf(cause)}`
}
