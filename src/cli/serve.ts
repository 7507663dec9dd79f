/** `millrace serve`: the page alone, on a state directory that other processes may work in. */
import { relative } from 'node:path'
import { Command } from 'commander'
import { systemClock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { type CommandContext, type ContextSource, hasLog, processContext } from './context.ts'
import { mayShowToken, type PageFlags, withPageFlags } from './page-flags.ts'
import { version } from './version.ts'

/** `stop` ends it; without one SIGINT and SIGTERM do. */
export function serveCommand(context: ContextSource = processContext, stop?: AbortSignal): Command {
  const command = new Command('serve').description(
    'serve the page, the API and metrics on a state directory, beside runs of other processes',
  )
  return withPageFlags(command)
    .addHelpText(
      'after',
      '\nThe same page comes with every millrace run; this one stays when runs end.\n\nExamples:\n  millrace serve\n  MILLRACE_TOKEN=... millrace serve --host 0.0.0.0 --port 8080',
    )
    .action(async (flags: PageFlags) => {
      const here = context()
      if (stop !== undefined) return serve(here, flags, stop)
      const interrupted = new AbortController()
      const onSignal = () => {
        if (interrupted.signal.aborted) process.exit(130)
        interrupted.abort()
      }
      process.on('SIGINT', onSignal)
      process.on('SIGTERM', onSignal)
      try {
        await serve(here, flags, interrupted.signal)
      } finally {
        process.off('SIGINT', onSignal)
        process.off('SIGTERM', onSignal)
      }
    })
}

async function serve(
  { directory, output }: CommandContext,
  { port, host }: PageFlags,
  stop: AbortSignal,
): Promise<void> {
  if (!hasLog(directory)) {
    const where = relative(process.cwd(), directory) || directory
    throw fail(
      'DIRECTORY_MISSING',
      `${where}: there is no state of Millrace yet; run an application first (millrace run app.ts), or name another directory with MILLRACE_DIR`,
    )
  }
  const { startServer } = await import('../server/start.ts')
  const serving = await startServer({
    ...{ directory, version: version(), clock: systemClock, port, host },
    mayShowToken: mayShowToken(),
    say: (words) => output.say(words),
  })
  try {
    if (!stop.aborted) {
      await new Promise<void>((resolve) => {
        stop.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  } finally {
    await serving.close()
  }
}
