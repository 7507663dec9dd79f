/** The named connections of an environment, as parts are given them: made ready when they are asked for. */
import type { Environment } from '../config/environment.ts'
import { codeOf, fail, messageOf, suggestion } from '../core/errors.ts'
import type { Definition } from './definition.ts'
import { environmentFor } from './open-log.ts'
import type { ConnectionOf } from './open-lookups.ts'

type Described = Pick<Environment, 'name' | 'from' | 'directory' | 'connections'>

export function connectionsOf(environment: Described): ConnectionOf {
  const { name: where, from, directory, connections } = environment
  const known = Object.keys(connections)
  return async (kind, name) => {
    const choice = Object.hasOwn(connections, name) ? connections[name] : undefined
    if (choice === undefined) {
      const hint = suggestion(name, known) || `it has ${known.join(', ') || 'none'}`
      const fix = `add connections: { ${name}: ${kind}({ ... }) } to it`
      const words = `environment ${where} (${from}) has no connection '${name}'; ${hint}; ${fix}`
      throw fail('CONFIG_INVALID', words)
    }
    if (choice.kind !== kind) {
      const words = `connection '${name}' of environment ${where} is ${choice.kind}(), and ${kind}() is needed`
      throw fail('CONFIG_INVALID', words)
    }
    return (await choice.connection(`connection ${name}`, { directory })) as never
  }
}

/** The environment of an application, which has all that its look-ups name. Throws `CONFIG_INVALID`, `SECRET_MISSING`. */
export async function environmentWith(
  app: string,
  definitions: readonly Definition[],
): Promise<Environment> {
  const environment = await environmentFor(app)
  const connection = connectionsOf(environment)
  for (const { name: pipeline, steps } of definitions) {
    for (const step of steps) {
      if (step.kind !== 'lookup' || step.lookup.connection === undefined) continue
      const { kind, name } = step.lookup.connection
      try {
        await connection(kind, name)
      } catch (error) {
        const words = `pipeline ${pipeline}, step '${step.name}': ${messageOf(error)}`
        throw fail(codeOf(error) ?? 'CONFIG_INVALID', words, { cause: error })
      }
    }
  }
  return environment
}

/** Of a run without an environment. */
export const noConnections: ConnectionOf = connectionsOf({
  ...{ name: 'none', from: 'this run was given none', directory: '.', connections: {} },
})
