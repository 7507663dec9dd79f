/** Where the page is served: flags of the commands that do it. */
import type { Command } from 'commander'
import { parseWhole } from './duration.ts'

export interface PageFlags {
  readonly port?: number
  readonly host?: string
}

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
