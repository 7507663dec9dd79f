/** The command line: one file a command. Results go to stdout, words for people to stderr. */
import { Command, CommanderError } from 'commander'
import { codeOf, messageOf } from '../core/errors.ts'
import { environmentVariable } from '../pipeline/open-log.ts'
import { deadLettersCommand } from './dead-letters.ts'
import { doctorCommand } from './doctor.ts'
import { evaluateCommand } from './evaluate.ts'
import type { SetExitCode } from './exit-code.ts'
import { featuresCommand } from './features.ts'
import { groupsCommand } from './groups.ts'
import { initCommand } from './init.ts'
import { kafkaCommand } from './kafka.ts'
import { modelsCommand } from './models.ts'
import { processOutput } from './output.ts'
import { planCommand } from './plan.ts'
import { predictCommand } from './predict.ts'
import { runCommand } from './run.ts'
import { secureCommand } from './secure.ts'
import { serveCommand } from './serve.ts'
import { sqlCommand } from './sql.ts'
import { stateCommand } from './state.ts'
import { topicsCommand } from './topics.ts'
import { trainCommand } from './train.ts'
import { version } from './version.ts'

/** Exit codes: 0 done, 1 failed, 2 misused. */
const failed = 1
const misused = 2

/** Runs one command; `argv` is what comes after the program's name. Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode = 0
  // Set once for all commands: a reader that stops early (`| head`) is no failure.
  processOutput()
  const program = makeProgram((code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : misused
    return tellFailure(error)
  }
}

function makeProgram(setExitCode: SetExitCode): Command {
  const program = new Command('millrace')
    .description('Streaming machine learning: a durable log, models and exactly-once pipelines')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .option(
      '--env <name>',
      'the environment: where the log is (millrace.config.ts; default: local)',
    )
    .hook('preAction', (command) => {
      const { env } = command.opts<{ env?: string }>()
      // Read wherever a log is opened, in worker threads too.
      if (env !== undefined) process.env[environmentVariable] = env
    })
    .showSuggestionAfterError(true)
    .showHelpAfterError('(millrace --help lists all commands, with an example for each)')
    .addHelpText(
      'after',
      '\nExample:\n  millrace init my-app && cd my-app && npm install && npx millrace run app.ts',
    )
    .exitOverride()
  const commands = [
    initCommand(),
    runCommand(setExitCode),
    serveCommand(),
    planCommand(),
    trainCommand(),
    featuresCommand(setExitCode),
    evaluateCommand(),
    predictCommand(),
    modelsCommand(setExitCode),
    topicsCommand(),
    groupsCommand(),
    deadLettersCommand(),
    stateCommand(),
    sqlCommand(),
    kafkaCommand(),
    secureCommand(),
    doctorCommand(setExitCode),
  ]
  for (const command of commands) program.addCommand(inherit(command))
  return program
}

/** Subcommands throw like the program does, and suggest like it. */
function inherit(command: Command): Command {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .showHelpAfterError('(--help lists what there is, with an example)')
  for (const child of command.commands) inherit(child)
  return command
}

function tellFailure(error: unknown): number {
  const code = codeOf(error)
  if (code !== undefined) {
    process.stderr.write(
      `millrace: ${messageOf(error)}\n  (${code}, see docs/reference/errors.md)\n`,
    )
    return failed
  }
  const stack = error instanceof Error ? error.stack : undefined
  process.stderr.write(
    `millrace: this is a bug of Millrace or of the application\n${stack ?? error}\n`,
  )
  return failed
}
