import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { openWorkshop, put, type Workshop } from './cli-testing.ts'
import { doctorCommand } from './doctor.ts'

interface Report {
  readonly ok: boolean
  readonly checks: readonly { name: string; health: string; saw: string; fix?: string }[]
}

describe('millrace doctor', () => {
  let shop: Workshop
  let exitCode = 0

  beforeEach(async () => {
    shop = await openWorkshop()
    exitCode = 0
  })
  afterEach(() => shop.close())

  const run = (...words: string[]) => {
    const setExitCode = (code: number) => {
      exitCode = code
    }
    return shop.run(doctorCommand(setExitCode, shop.context), ...words)
  }

  const examine = async (): Promise<Report> => JSON.parse(await run('--json'))

  async function find(name: string) {
    const report = await examine()
    const finding = report.checks.find((check) => check.name === name)
    assert.ok(finding, `${name} is among ${report.checks.map((check) => check.name).join(', ')}`)
    assert.equal(report.ok, exitCode === 0)
    return finding
  }

  const fill = () =>
    shop.log(async (log) => {
      await log.createTopic('orders', { partitions: 2 })
      await put(log, 'orders', 0, ['1', '2'])
      await put(log, 'orders', 1, ['3'])
    })

  const segment = () => {
    const folder = join(shop.directory, 'log', 'segments')
    const [topic] = readdirSync(folder)
    const files = readdirSync(join(folder, topic!))
    return join(folder, topic!, files[0]!)
  }

  test('finds a new directory and a used one well', async () => {
    assert.match((await find('log')).saw, /none yet/)
    await fill()
    const report = await examine()
    const bad = report.checks.filter((check) => check.health === 'fail')
    assert.deepEqual(bad, [])
    assert.equal(report.ok, true)
    assert.match((await find('newest batches')).saw, /2 partitions decode/)
    assert.match(await run(), /^ok +millrace +version/)
    assert.deepEqual(readdirSync(shop.directory), ['log'])
  })

  test('finds a segment that was cut', async () => {
    await fill()
    truncateSync(segment(), 100)
    const finding = await find('log segments')
    assert.equal(finding.health, 'fail')
    assert.match(finding.saw, /has 100 of \d+ bytes/)
    assert.ok(finding.fix)
    assert.equal(exitCode, 1)
  })

  test('finds bytes that were changed', async () => {
    await fill()
    writeFileSync(segment(), Buffer.alloc(10, 0xff), { flag: 'r+' })
    const finding = await find('newest batches')
    assert.equal(finding.health, 'fail')
    assert.match(finding.saw, /orders\/0/)
  })

  test('finds a file of another program or of a newer version', async () => {
    await fill()
    const path = join(shop.directory, 'log', 'millrace.db')
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version = 99')
    assert.match((await find('log format')).saw, /version 99/)
    assert.equal(exitCode, 1)
    database.exec('PRAGMA application_id = 7')
    assert.match((await find('log format')).saw, /another program/)
    assert.equal((await find('log index')).health, 'warn')
    database.close()
    writeFileSync(path, 'no database at all, but long enough to be one by size'.repeat(100))
    assert.equal((await find('log format')).health, 'fail')
  })

  test('finds members whose process is gone', async () => {
    await fill()
    const database = new DatabaseSync(join(shop.directory, 'log', 'millrace.db'))
    database.exec(`INSERT INTO groups (name) VALUES ('score');
      INSERT INTO members VALUES ('m', 1, 1, 'elsewhere', 1, '', 0, 0, 10000, NULL, 0, '[]')`)
    database.close()
    const finding = await find('members')
    assert.equal(finding.health, 'warn')
    assert.match(finding.saw, /1 dead \(groups score\)/)
    assert.equal(exitCode, 0)
  })

  test('finds a path that is no directory', async () => {
    const path = join(shop.directory, 'file')
    writeFileSync(path, '')
    const { output } = shop.context()
    const command = doctorCommand(
      () => {},
      () => ({ directory: path, output }),
    )
    const report: Report = JSON.parse(await shop.run(command, '--json'))
    const finding = report.checks.find((check) => check.name === 'directory')
    assert.match(finding!.saw, /is not a directory/)
  })

  test('opens what an application looks up in', async () => {
    // Inside the repository, so that its imports resolve as a user's would.
    const folder = mkdtempSync(join(import.meta.dirname, 'doctor-app-'))
    try {
      const app = join(folder, 'app.ts')
      const lookup = (connection: string) => `
        import { pipeline, topic } from 'millrace'
        import { http } from 'millrace/lookups'
        export const price = pipeline('price')
          .from(topic<{ currency: string }>('orders'))
          .lookup('rate', http({ ${connection} }), { by: (order) => order.currency })
          .to(topic('priced'))`
      writeFileSync(app, lookup(`url: 'https://rates.invalid/{key}?token=x'`))
      const well = await run(app)
      assert.match(well, /^ok +lookup rate +price: http https:.*\{key\}, ready to be asked$/m)
      assert.doesNotMatch(well, /token/)
      const other = join(folder, 'other.ts')
      writeFileSync(other, lookup(`connection: 'rates', url: '/{key}'`))
      assert.match(await run(other), /^fail +lookup rate +price: .* has no connection 'rates'/m)
      assert.equal(exitCode, 1)
      assert.match(await run(join(folder, 'none.ts')), /^fail +application +.*no such file/m)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
