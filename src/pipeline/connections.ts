/** The named connections of an environment, as parts are given them: made ready when they are asked for. */
import type { Environment } from '../config/environment.ts'
import { fail, suggestion } from '../core/errors.ts'
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

/** Of a run without an environment. */
export const noConnections: ConnectionOf = connectionsOf({
  ...{ name: 'none', from: 'this run was given none', directory: '.', connections: {} },
})
