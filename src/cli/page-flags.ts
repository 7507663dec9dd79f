/** Where the page is served: flags of the commands that do it. */
import type { Command } from 'commander'
import { parseWhole } from './duration.ts'

export interface PageFlags {
  readonly port?: number
  readonly host?: string
}

/** A screen shows what is said to a person alone; a pipe, a file or a CI's log keeps it. */
export const mayShowToken = () => process.stderr.isTTY === true && process.env.CI === undefined

const environment = `
Environment:
  MILLRACE_TOKEN         the token that the page, the API and POST /topics want (16 characters or more)
  MILLRACE_CORS_ORIGINS  other sites whose pages may use the API: https://dash.example.org,... (default: none)`

export const withPageFlags = (command: Command) =>
  command
    .option(
      '--port <number>',
      'of the page; 0: any that is free (default: 4280, or the next where a run on the same directory has that)',
      parseWhole(0, 65_535),
    )
    .option(
      '--host <address>',
      'where the page is served (default: 127.0.0.1); elsewhere a token is wanted: MILLRACE_TOKEN, or the file token in MILLRACE_DIR',
    )
    .addHelpText('after', environment)
