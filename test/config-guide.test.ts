import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Config, Environment } from '../src/config/environment.ts'
import { chooseEnvironment } from '../src/config/environment.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const guide = join(root, 'docs', 'guide')
/** What a page's own commands run with is written behind the other one. */
const marker = '<!-- (?:checked by test/config-guide.test.ts|file: millrace.config.ts) -->'

/** The configurations that a page shows, in their order. */
function configsIn(page: string): string[] {
  const text = readFileSync(join(guide, page), 'utf8')
  const found = [...text.matchAll(new RegExp(`${marker}\n\`\`\`ts\n(.*?)\`\`\``, 'gs'))]
  const markers = [...text.matchAll(new RegExp(marker, 'g'))]
  assert.equal(found.length, markers.length, `${page}: a marker without a block`)
  return found.map((match) => match[1]!)
}

/** What each environment of a configuration is, as `--env` finds it; nothing is connected to. */
async function environmentsOf(code: string): Promise<Record<string, string>> {
  // Inside the repository, so that its imports resolve as a user's would.
  const folder = mkdtempSync(join(root, 'test', 'config-'))
  try {
    const file = join(folder, 'millrace.config.ts')
    writeFileSync(file, code)
    const { default: config } = (await import(file)) as { default: Config }
    const said: Record<string, string> = {}
    for (const name of Object.keys(config.environments)) {
      const environment = await chooseEnvironment({ name, app: folder, variables: {} })
      const { log, prefix, schemaRegistry, connections } = environment
      const logText = [textOf(log), prefix].filter((text) => text !== '').join('; prefix ')
      const registry = schemaRegistry && `registry with ${schemaRegistry.security}`
      const services = Object.entries(connections).map(
        ([key, { kind, security }]) => `${key}: ${kind} with ${security}`,
      )
      said[name] = [logText, ...(registry === undefined ? [] : [registry]), ...services].join('; ')
    }
    return said
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function textOf(log: Environment['log']): string {
  if (log.kind === 'embedded') return 'embedded'
  const ports = new Set(log.brokers.map((broker) => broker.replace(/^.*:/, '')))
  return `${log.by}: ${log.security}; ${log.brokers.length} on ${[...ports].join()}`
}

describe('configurations in the guide', () => {
  it('connect to each service in the way that choosing-kafka says', async () => {
    const said = await Promise.all(configsIn('choosing-kafka.md').map(environmentsOf))
    assert.deepEqual(said, [
      { local: 'embedded', confluent: 'confluentCloud: TLS, PLAIN; 1 on 9092; prefix shop' },
      {
        'msk-iam': 'msk: TLS, AWS IAM; 3 on 9098',
        'msk-scram': 'msk: TLS, SCRAM-SHA-512; 3 on 9096',
        'msk-tls': 'msk: mutual TLS; 3 on 9094',
        'msk-serverless': 'msk: TLS, AWS IAM; 1 on 9098',
      },
      { redpanda: 'selfManaged: TLS, SCRAM-SHA-256; 1 on 9092' },
      {
        plain: 'kafka: no encryption; 1 on 9092',
        scram: 'selfManaged: TLS, SCRAM-SHA-512; 3 on 9093',
        'mutual-tls': 'selfManaged: mutual TLS; 3 on 9093',
        oauth: 'selfManaged: TLS, OAUTHBEARER; 3 on 9093',
      },
    ])
  })

  it('keep environments apart as kafka.md says', async () => {
    const said = await Promise.all(configsIn('kafka.md').map(environmentsOf))
    assert.deepEqual(said, [
      {
        local: 'embedded',
        staging: 'kafka: no encryption; 1 on 9092; prefix staging',
        production: 'selfManaged: TLS, SCRAM-SHA-512; 3 on 9093; prefix shop',
      },
    ])
  })

  it('name a schema registry beside the log as schemas.md says', async () => {
    const said = await Promise.all(configsIn('schemas.md').map(environmentsOf))
    assert.deepEqual(said, [
      {
        local: 'embedded; registry with no password',
        production: 'confluentCloud: TLS, PLAIN; 1 on 9092; prefix shop; registry with a password',
      },
    ])
  })

  it('name connections of look-ups as time-and-state.md says', async () => {
    const said = await Promise.all(configsIn('time-and-state.md').map(environmentsOf))
    const services = 'crm: postgres with no encryption; rates: http with a token'
    assert.deepEqual(said, [{ local: `embedded; ${services}` }])
  })

  it('stand behind the marker: every block that defines one is checked', () => {
    for (const page of readdirSync(guide).filter((name) => name.endsWith('.md'))) {
      const blocks = readFileSync(join(guide, page), 'utf8').split('export default defineConfig(')
      assert.equal(blocks.length - 1, configsIn(page).length, page)
    }
  })
})
