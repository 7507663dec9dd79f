/** Where state lives: MILLRACE_DIR, `.millrace` in the working directory unless told otherwise. */
import { resolve } from 'node:path'

export function stateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment.MILLRACE_DIR
  return resolve(named === undefined || named === '' ? '.millrace' : named)
}
