/** The doctor's checks of this machine: Node, and DuckDB's library. */
import { messageOf } from '../core/errors.ts'
import type { Check } from './doctor-check.ts'
import { version } from './version.ts'

/** As bin/millrace.js asks for before anything else. */
const neededNode = [24, 12] as const

export function nodeChecks(): Check[] {
  return [
    {
      name: 'millrace',
      run: () => ({ health: 'ok', saw: `version ${version()}` }),
    },
    {
      name: 'node',
      run() {
        const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
        const isNew = major > neededNode[0] || (major === neededNode[0] && minor >= neededNode[1])
        const saw = `version ${process.versions.node} (${process.execPath})`
        if (isNew) return { health: 'ok', saw }
        return { health: 'fail', saw, fix: `install Node ${neededNode.join('.')} or newer` }
      },
    },
    {
      name: 'duckdb',
      async run() {
        const startedAt = performance.now()
        try {
          const { version: duckdbVersion } = await import('@duckdb/node-api')
          const loadMs = Math.round(performance.now() - startedAt)
          return { health: 'ok', saw: `${duckdbVersion()}, loaded in ${loadMs} ms` }
        } catch (error) {
          const fix =
            'the duckdb sink and millrace sql need it: install again, optional dependencies included'
          return { health: 'fail', saw: `does not load: ${messageOf(error)}`, fix }
        }
      },
    },
  ]
}
