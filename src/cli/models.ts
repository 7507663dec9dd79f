/** `millrace models list|show|promote|rollback|alias|unalias|delete|reproduce`: what is registered. */
import { Command } from 'commander'
import { type ContextSource, processContext } from './context.ts'
import type { SetExitCode } from './exit-code.ts'
import { aliasCommand, promoteCommand, rollbackCommand, unaliasCommand } from './models-aliases.ts'
import { deleteCommand } from './models-delete.ts'
import { listCommand } from './models-list.ts'
import { reproduceCommand } from './models-reproduce.ts'
import { showCommand } from './models-show.ts'

export function modelsCommand(
  setExitCode: SetExitCode,
  context: ContextSource = processContext,
): Command {
  return new Command('models')
    .description('list, show, promote, roll back, delete and reproduce model versions')
    .addCommand(listCommand(context))
    .addCommand(showCommand(context))
    .addCommand(promoteCommand(context))
    .addCommand(rollbackCommand(context))
    .addCommand(aliasCommand(context))
    .addCommand(unaliasCommand(context))
    .addCommand(deleteCommand(context))
    .addCommand(reproduceCommand(setExitCode, context))
    .addHelpText(
      'after',
      `
A model is named NAME, NAME@alias or NAME:version (its number, or the first digits of its hash).
NAME alone is the alias 'champion' where that is set, else the version registered last.

Example:
  millrace models promote topics:3 --reason 'better on the June rows'`,
    )
}
