/** `millrace kafka size`: what to know before a cluster is there. */
import { Command } from 'commander'
import { type ContextSource, processContext } from './context.ts'
import { sizeCommand } from './kafka-size.ts'

export function kafkaCommand(context: ContextSource = processContext): Command {
  return new Command('kafka')
    .description('how large a Kafka cluster has to be')
    .addCommand(sizeCommand(context))
    .addHelpText(
      'after',
      '\nExample:\n  millrace kafka size --messages-per-second 20000 --bytes 500 --retention 7d',
    )
}
