/**
 * `millrace doctor`: looks whether this machine, its state directory and the log are well, check by
 * check, whichever log the environment names.
 */
import { Command } from 'commander'
import type { Environment } from '../config/environment.ts'
import { messageOf } from '../core/errors.ts'
import { loadApp } from '../pipeline/app.ts'
import type { Definition } from '../pipeline/definition.ts'
import { environmentFor } from '../pipeline/open-log.ts'
import { type Plan, planOf } from '../pipeline/plan.ts'
import { type ContextSource, processContext } from './context.ts'
import type { Check, Finding, NamedFinding } from './doctor-check.ts'
import { directoryChecks } from './doctor-directory.ts'
import { logChecks } from './doctor-log.ts'
import { nodeChecks } from './doctor-node.ts'
import type { SetExitCode } from './exit-code.ts'

interface DoctorFlags {
  readonly json: boolean
  readonly write: boolean
}

export function doctorCommand(
  setExitCode: SetExitCode,
  context: ContextSource = processContext,
): Command {
  return new Command('doctor')
    .description('check this machine, the state directory and the log; nothing is changed')
    .argument(
      '[app]',
      'the application: what it looks up in is checked too, and on Kafka its topics and rights',
    )
    .option('--json', 'print the findings as one line of JSON', false)
    .option('--write', "on Kafka: measure the brokers' clock by an empty transaction", false)
    .addHelpText('after', '\nExamples:\n  millrace doctor\n  millrace doctor app.ts --env kafka')
    .action(async (app: string | undefined, { json, write }: DoctorFlags) => {
      const { output, directory } = context()
      const findings: NamedFinding[] = []
      for await (const finding of examineAll({ app, write, directory })) {
        findings.push(finding)
        if (!json) await output.print(lineOf(finding))
      }
      const isWell = findings.every((finding) => finding.health !== 'fail')
      if (json) await output.print(JSON.stringify({ ok: isWell, directory, checks: findings }))
      if (!isWell) setExitCode(1)
    })
}

interface Question {
  readonly app: string | undefined
  readonly write: boolean
  readonly directory: string
}

async function* examineAll(question: Question): AsyncGenerator<NamedFinding> {
  const { app, directory } = question
  yield* examine([...nodeChecks(), ...directoryChecks(directory)])
  let environment: Environment
  try {
    environment = await environmentFor(app)
  } catch (error) {
    yield { name: 'environment', health: 'fail', saw: messageOf(error) }
    return
  }
  if (environment.log.kind === 'embedded') yield* examine(logChecks(directory))
  else yield* examineKafka(environment, question)
  if (app !== undefined) yield* examineLookups(app, environment)
}

async function* examineLookups(
  app: string,
  environment: Environment,
): AsyncGenerator<NamedFinding> {
  let definitions: readonly Definition[]
  try {
    definitions = (await loadApp(app)).pipelines
  } catch (error) {
    // On Kafka its own checks have said so.
    if (environment.log.kind === 'kafka') return
    yield { name: 'application', health: 'fail', saw: messageOf(error) }
    return
  }
  if (definitions.every(({ steps }) => steps.every(({ kind }) => kind !== 'lookup'))) return
  // Loaded when it is used: most applications look nothing up.
  const { lookupFindings } = await import('./doctor-lookups.ts')
  yield* lookupFindings(definitions, environment)
}

async function* examine(checks: readonly Check[]): AsyncGenerator<NamedFinding> {
  for (const check of checks) yield { name: check.name, ...(await look(check)) }
}

/** A check that cannot be made has failed. */
async function look(check: Check): Promise<Finding> {
  try {
    return await check.run()
  } catch (error) {
    return { health: 'fail', saw: messageOf(error) }
  }
}

async function* examineKafka(
  { log, name, from, prefix, directory }: Environment,
  { app, write }: Question,
): AsyncGenerator<NamedFinding> {
  if (log.kind !== 'kafka') return
  const said = [`${name}, by ${from}`, log.security, ...(prefix === '' ? [] : [`prefix ${prefix}`])]
  yield { name: 'environment', health: 'ok', saw: `${said.join('; ')}; ${log.brokers.join(', ')}` }
  let plan: Plan | undefined
  try {
    plan = app === undefined ? undefined : planOf((await loadApp(app)).pipelines)
  } catch (error) {
    yield { name: 'application', health: 'fail', saw: messageOf(error) }
  }
  if (app === undefined) {
    const saw = 'none was named; millrace doctor app.ts checks its topics and rights too'
    yield { name: 'application', health: 'ok', saw }
  }
  try {
    const connection = await log.connection({ clientId: 'millrace-doctor', directory })
    // Loaded when it is used: most machines have no Kafka.
    const { kafkaFindings } = await import('./doctor-kafka.ts')
    yield* kafkaFindings({ connection, by: log.by, prefix, plan, write })
  } catch (error) {
    yield { name: 'connection', health: 'fail', saw: messageOf(error) }
  }
}

function lineOf({ name, health, saw, fix }: NamedFinding): string {
  const line = `${health.padEnd(5)} ${name.padEnd(16)} ${saw}`
  const indent = `\n${' '.repeat(23)}`
  return fix === undefined ? line : line + indent + fix.split('\n').join(indent)
}
