/**
 * What tests on a real schema registry are written with: one for all suites of a test process, and the
 * rule for machines that have none: a loud word that nothing was tried, a failure where CI=true.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  type SchemaRegistryService,
  startSchemaRegistry,
  whyNoSchemaRegistry,
} from '../../scripts/services/schema-registry.ts'

export type { SchemaRegistryService } from '../../scripts/services/schema-registry.ts'

/** A suite on a registry of its own. `define` declares its tests; the registry is there once they run. */
export function withSchemaRegistry(
  name: string,
  define: (registry: () => SchemaRegistryService) => void,
): void {
  describe(name, () => {
    const why = whyNoSchemaRegistry()
    if (why !== undefined) {
      it('is not tried', (test) => reportMissing(name, why, (words) => test.diagnostic(words)))
      return
    }
    let service: SchemaRegistryService | undefined
    before(async () => {
      service = await startSchemaRegistry()
    })
    after(() => service?.stop())
    define(() => {
      assert.ok(service !== undefined, 'the registry is there when tests run, not before')
      return service
    })
  })
}

/** Throws where CI=true. */
function reportMissing(name: string, why: string, tell: (words: string) => void): void {
  const words = `SKIPPED: ${why}, so '${name}' was NOT tried on a schema registry`
  console.error(words)
  tell(words)
  assert.ok(process.env.CI !== 'true', words)
}
