/** `millrace secure`: a secured Kafka of one's own. */
import { Command } from 'commander'
import { type ContextSource, processContext } from './context.ts'
import { secureInitCommand } from './secure-init.ts'

export function secureCommand(context: ContextSource = processContext): Command {
  return new Command('secure')
    .description('certificates, users and settings of a secured Kafka')
    .addCommand(secureInitCommand(context))
    .addHelpText(
      'after',
      '\nExample:\n  millrace secure init secure --brokers kafka-1.example.com:9093',
    )
}
