import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { neededRequests, releaseOf, unknownRequests } from './kafka-probe-versions.ts'

const greeting = (lower: readonly number[] = []) => ({
  requests: new Map(
    Object.values(neededRequests).map(({ key, version }) => {
      return [key, { min: 0, max: lower.includes(key) ? version - 1 : version }]
    }),
  ),
  ...{ supported: new Map(), finalized: new Map(), mechanisms: undefined },
})

describe('what a broker has to know', () => {
  test('is every request that the log makes', () => {
    const files = globSync('kafka*.ts', { cwd: import.meta.dirname }).filter(
      (file) => !/probe|test/.test(file),
    )
    const imported = files.flatMap((file) => {
      const text = readFileSync(`${import.meta.dirname}/${file}`, 'utf8')
      return [...text.matchAll(/\b([a-z]\w+V\d+)\.api\b/g)].map((match) => match[1]!)
    })
    assert.ok(imported.length > 20)
    const known = Object.keys(neededRequests)
    assert.deepEqual(
      [...new Set(imported)].filter((name) => !known.includes(name)),
      [],
    )
    const own = ['fetch', 'produce']
    assert.deepEqual(
      known.filter((name) => !imported.includes(name) && !own.includes(name)),
      [],
    )
  })

  test('is named where a broker is too old for it', () => {
    assert.deepEqual(unknownRequests(greeting()), [])
    const { key, version } = neededRequests.joinGroupV9!
    const lacking = { name: 'JoinGroup', version, upTo: version - 1 }
    assert.deepEqual(unknownRequests(greeting([key])), [lacking])
    const without = greeting()
    without.requests.delete(key)
    assert.deepEqual(unknownRequests(without), [{ ...lacking, upTo: undefined }])
  })

  test('a release is told by the level of its metadata', () => {
    const told = [undefined, 14, 15, 19, 25, 30, 31].map(releaseOf)
    assert.deepEqual(told, [undefined, '3.6', '3.7', '3.7', '4.0', '4.3', '4.3 or newer'])
  })
})
