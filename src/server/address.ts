/** Where the server listens, and the token that is wanted where others than this machine can ask. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, messageOf } from '../core/errors.ts'
import { isLoopback } from './door-address.ts'

export interface ServerToken {
  readonly value: string
  /** Where it comes from, for people: never the token itself. */
  readonly words: string
}

/** Shorter ones can be guessed. */
const leastCharacters = 16

export const isLoopbackHost = (host: string) => host === 'localhost' || isLoopback(host)

/**
 * MILLRACE_TOKEN where it is set; else, unless only this machine can ask, the one in `token` of the
 * state directory, made when it is missing and readable by its owner alone.
 * Throws `OPTIONS_INVALID` for a token that is short, `DIRECTORY_UNUSABLE`.
 */
export function serverToken(
  host: string,
  directory: string,
  environment: NodeJS.ProcessEnv,
): ServerToken | undefined {
  const named = environment.MILLRACE_TOKEN
  if (named !== undefined && named !== '') {
    return { value: checked('MILLRACE_TOKEN', named), words: '(with the token in MILLRACE_TOKEN)' }
  }
  if (isLoopbackHost(host)) return undefined
  const file = join(directory, 'token')
  return { value: checked(file, kept(directory, file)), words: `(with the token in ${file})` }
}

function kept(directory: string, file: string): string {
  try {
    mkdirSync(directory, { recursive: true })
    // Whoever is first makes it; all others read it.
    writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(file, error)
  }
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw unusable(file, error)
  }
}

const unusable = (file: string, error: unknown) =>
  fail('DIRECTORY_UNUSABLE', `${file}: the token cannot be kept there: ${messageOf(error)}`)

function checked(where: string, token: string): string {
  if (token.length >= leastCharacters && /^[\x21-\x7e]+$/.test(token)) return token
  throw fail(
    'OPTIONS_INVALID',
    `${where}: a token has at least ${leastCharacters} characters, none of them a blank`,
  )
}
