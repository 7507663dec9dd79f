/** `millrace features export|skew`: what a pipeline knows of its messages, reckoned anew from history. */
import { Command } from 'commander'
import { type ContextSource, processContext } from './context.ts'
import type { SetExitCode } from './exit-code.ts'
import { exportCommand } from './features-export.ts'
import { skewCommand } from './features-skew.ts'

export function featuresCommand(
  setExitCode: SetExitCode,
  context: ContextSource = processContext,
): Command {
  return new Command('features')
    .description("what a pipeline's steps add to messages, reckoned anew from all of history")
    .addCommand(exportCommand(context))
    .addCommand(skewCommand(setExitCode, context))
    .addHelpText(
      'after',
      '\nExample:\n  millrace features export app.ts score --output train.parquet',
    )
}
