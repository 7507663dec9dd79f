/**
 * The doctor's checks of the systems that an application looks up in: each look-up is opened as a run
 * would do it, so secrets are read, and a database is asked whether it has the table and its columns.
 */
import type { Environment } from '../config/environment.ts'
import { systemClock } from '../core/clock.ts'
import { messageOf, orderOf } from '../core/errors.ts'
import { connectionsOf } from '../pipeline/connections.ts'
import type { Definition } from '../pipeline/definition.ts'
import type { NamedFinding } from './doctor-check.ts'

export async function* lookupFindings(
  definitions: readonly Definition[],
  environment: Environment,
): AsyncGenerator<NamedFinding> {
  const connection = connectionsOf(environment)
  for (const { name: pipeline, steps } of definitions) {
    for (const step of steps) {
      if (step.kind !== 'lookup') continue
      const name = `lookup ${step.name}`
      const where = `${pipeline}: ${step.lookup.place}`
      const signal = new AbortController().signal
      try {
        const opened = await step.lookup.open({ clock: systemClock, signal, connection })
        await opened.close()
        yield { name, health: 'ok', saw: `${where}, ready to be asked` }
      } catch (error) {
        const isAway = orderOf(error) === 'try-later'
        const fix = isAway
          ? 'a run waits for it and loses nothing; look whether it runs, and at the network'
          : 'correct the connection in the configuration, or the look-up in the application'
        yield { name, health: 'fail', saw: `${where}: ${messageOf(error)}`, fix }
      }
    }
  }
}
