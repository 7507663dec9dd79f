/** Answers that hold an error for a part of what was asked. */
import { fail } from '../core/errors.ts'
import { faultError, faultOf } from './kafka-faults.ts'

/** The answer, also where parts of it are errors: the caller looks at each part's code. */
export async function withErrors<Answer>(asking: Promise<Answer>): Promise<Answer> {
  try {
    return await asking
  } catch (error) {
    const { response } = error as { response?: Answer }
    if (response === undefined) throw error
    return response
  }
}

/** A fault to throw for a code in an answer; what no repeat can change is an order to a person. */
export function answerError(code: number, where: string, words?: string | null): Error {
  const cause = faultError(code, where)
  const { id, message } = faultOf(cause)
  const said = `${where}: ${id}: ${words ?? message}`
  if (id.endsWith('AUTHORIZATION_FAILED')) return fail('LOG_FORBIDDEN', said, { cause })
  if (id === 'INVALID_TOPIC_EXCEPTION') return fail('NAME_INVALID', said, { cause })
  if (refusedOptions.has(id)) return fail('OPTIONS_INVALID', said, { cause })
  return cause
}

const refusedOptions = new Set([
  'INVALID_CONFIG',
  'INVALID_PARTITIONS',
  'INVALID_REPLICATION_FACTOR',
  'POLICY_VIOLATION',
])
