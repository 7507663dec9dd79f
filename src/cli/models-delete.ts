/** `millrace models delete`: forgets one version that no alias points to. */
import { Command } from 'commander'
import { fail } from '../core/errors.ts'
import { parseReference } from '../registry/reference.ts'
import type { ContextSource } from './context.ts'
import { versionWords, withRegistry } from './model-registry.ts'
import { withChangeFlags } from './models-aliases.ts'

interface DeleteFlags {
  readonly expectRevision?: number
  readonly reason?: string
  readonly json: boolean
}

export function deleteCommand(context: ContextSource): Command {
  const command = new Command('delete')
    .description('delete a version and its artefact; the history stays')
    .argument('<version>', 'NAME:version')
  return withChangeFlags(command)
    .addHelpText('after', '\nExample:\n  millrace models delete topics:2')
    .action((reference: string, { expectRevision, reason, json }: DeleteFlags) => {
      const { name, version } = parseReference(reference)
      if (version === undefined) {
        throw fail(
          'NAME_INVALID',
          `delete: '${reference}' names no version; give one, as ${name}:2 (millrace models show ${name} lists them)`,
        )
      }
      const { output, ...here } = context()
      return withRegistry({ output, ...here }, async (registry) => {
        const options = { expectedRevision: expectRevision, reason, by: 'delete' }
        const { artefact, problem, ...deleted } = await registry.deleteVersion(
          name,
          version,
          options,
        )
        if (json) {
          const { number, version: hash } = deleted.version
          await output.print(JSON.stringify({ name, deleted: number, version: hash, artefact }))
        }
        const fate = {
          deleted: 'with its artefact',
          shared: 'its artefact stays: another model has it too',
          left: `its artefact could not be deleted, which is harmless: ${problem}`,
        }[artefact]
        output.say(`${versionWords(deleted.version)} deleted, ${fate}`)
      })
    })
}
