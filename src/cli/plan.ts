/** `millrace plan app.ts`: what would run, as text, JSON or a Mermaid flow chart. */
import { Command, Option } from 'commander'
import { loadApp } from '../pipeline/app.ts'
import { planOf } from '../pipeline/plan.ts'
import { planMermaid, planText } from '../pipeline/plan-text.ts'

export function planCommand(): Command {
  return new Command('plan')
    .description('print topics, steps and the delivery guarantee of each end; nothing is started')
    .argument('<app>', 'the application, a .ts or .js file')
    .addOption(
      new Option('--format <format>', 'how to print it')
        .choices(['text', 'json', 'mermaid'])
        .default('text'),
    )
    .option('--json', 'the same as --format json')
    .addHelpText('after', '\nExample:\n  millrace plan app.ts --format mermaid')
    .action(async (path: string, flags: { format: string; json?: boolean }) => {
      const plan = planOf((await loadApp(path)).pipelines)
      const format = flags.json ? 'json' : flags.format
      if (format === 'json') process.stdout.write(`${JSON.stringify(plan)}\n`)
      else process.stdout.write(`${format === 'mermaid' ? planMermaid(plan) : planText(plan)}\n`)
    })
}
