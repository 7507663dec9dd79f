/** For tests of the commands about models: small labelled data, and a model learnt from it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Mail, mails } from '../training/training-testing.ts'
import type { Workshop } from './cli-testing.ts'
import { trainCommand } from './train.ts'

export { mails }

/** Writes mails as CSV (id, body, kind) into the workshop's directory, and gives the path. */
export function writeMails(shop: Workshop, name: string, rows: readonly Mail[]): string {
  const path = join(shop.directory, name)
  const lines = rows.map(({ id, body, kind }) => `${id},"${body}",${kind}`)
  writeFileSync(path, ['id,body,kind', ...lines, ''].join('\n'))
  return path
}

/** Trains on a file of mails, and gives what `--json` prints. */
export async function trainMails(shop: Workshop, name: string, path: string, ...more: string[]) {
  const flags = more.includes('--estimator') ? more : ['--estimator', 'multinomial-nb', ...more]
  const columns = ['--text', 'body', '--label', 'kind']
  const command = trainCommand(shop.context)
  const printed = await shop.run(command, name, '--data', path, ...columns, ...flags, '--json')
  return JSON.parse(printed) as { readonly version: string; readonly number: number }
}
