/**
 * A process for tests that kill or race: registers artefacts one after the other, or moves an alias
 * again and again. Tells what is done on stdout, a JSON line each. Arguments as JSON.
 */
import { codeOf } from '../core/errors.ts'
import { openEmbeddedLog } from '../log/embedded.ts'
import { Registry } from './registry.ts'
import { artefact } from './registry-testing.ts'
import { openDirectoryStore } from './store-directory.ts'

export interface ChildOptions {
  readonly directory: string
  readonly store: string
  readonly does: 'register' | 'race'
  /** Of the first artefact; how many changes to win. */
  readonly from: number
  readonly count: number
}

const { directory, store, does, from, count } = JSON.parse(process.argv[2]!) as ChildOptions
const tell = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`)
const log = await openEmbeddedLog({ directory, maintain: false })
const registry = new Registry({ log, store: openDirectoryStore(store) })

tell({ ready: true })
for (let done = 0; done < count; ) {
  if (does === 'register') {
    const { version } = await registry.register('spam', artefact(from + done))
    tell({ registered: version })
    done++
  } else {
    const { revision, aliases, versions } = await registry.showModel('spam')
    const others = versions.filter((one) => one.version !== aliases[0]?.version)
    const { version } = others[(revision + from) % others.length]!
    try {
      const change = await registry.setAlias('spam', 'champion', version, {
        expectedRevision: revision,
      })
      tell({ won: change.revision, previous: change.previous })
      done++
    } catch (error) {
      if (codeOf(error) !== 'REGISTRY_CONFLICT') throw error
      tell({ lost: revision })
    }
  }
}
await log.close()
