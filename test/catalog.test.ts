/** Holds the catalog: whatever a room lists has a test that puts it under the room's law. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatParts } from '../src/formats/index.ts'
import { lookupParts } from '../src/lookups/index.ts'
import { estimatorNames } from '../src/models/index.ts'
import { sinkParts } from '../src/sinks/index.ts'
import { sourceParts } from '../src/sources/index.ts'
import { codeOnly, filesOf } from './house.ts'

/** Files of a room that call the suite. */
function callersOf(room: string, suite: string): string[] {
  const call = new RegExp(`^\\s*(?:await )?${suite}(?:<[^>]*>)?\\(`, 'm')
  return filesOf(`src/${room}/**/*.test.ts`).filter((file) => call.test(codeOnly(file)))
}

describe('catalog', () => {
  const rooms = [
    { room: 'sources', suite: 'sourceContract', parts: sourceParts },
    { room: 'sinks', suite: 'sinkContract', parts: sinkParts },
    { room: 'formats', suite: 'formatContract', parts: formatParts },
    { room: 'lookups', suite: 'lookupContract', parts: lookupParts },
  ]
  for (const { room, suite, parts } of rooms) {
    test(`every part of ${room} is under ${suite}`, () => {
      assert.ok(parts.length > 0)
      const covered = callersOf(room, suite)
      for (const part of parts) {
        const file = part.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
        const own = new RegExp(`/${file}(\\.[a-z-]+)*\\.test\\.ts$`)
        assert.ok(
          covered.some((file) => own.test(file)),
          `src/${room}/${file}.test.ts does not call ${suite}`,
        )
      }
    })

    test(`parts of ${room} have names, summaries and described options`, () => {
      const names = parts.map((part) => part.name)
      assert.deepEqual([...new Set(names)], names)
      for (const part of parts) {
        assert.match(part.summary, /^[A-Z].*\.$/s, `${part.name}: one sentence`)
        for (const [option, schema] of Object.entries(part.options.shape)) {
          assert.ok(schema.description, `${part.name}: option ${option} says what it means`)
        }
        assert.ok(part.options.safeParse(part.example).success, `${part.name}: its example`)
        assert.equal(
          part.options.safeParse({ ...part.example, noSuchOption: 1 }).success,
          false,
          `${part.name}: an unknown option is refused`,
        )
      }
    })
  }

  test('both logs are under logContract', () => {
    const covered = callersOf('log', 'logContract')
    for (const name of ['memory', 'embedded']) {
      assert.ok(
        covered.some((file) => file.includes(name)),
        `no test of the ${name} log calls logContract`,
      )
    }
  })

  test('every estimator is under textEstimatorContract', () => {
    const covered = callersOf('models', 'textEstimatorContract')
    for (const name of [...estimatorNames, 'compiled-scorer']) {
      assert.ok(
        covered.some((file) => file.includes(name)),
        `no test of ${name} calls textEstimatorContract`,
      )
    }
  })

  test('every store of artefacts is under artefactStoreContract', () => {
    const covered = callersOf('registry', 'artefactStoreContract')
    for (const name of ['store-directory', 'store-s3']) {
      assert.ok(
        covered.some((file) => file.includes(name)),
        `no test of ${name} calls artefactStoreContract`,
      )
    }
  })

  test("every suite is named 'contract: ROOM/PART'", () => {
    for (const file of filesOf('src/**/*.contract.ts')) {
      assert.match(codeOnly(file), /describe\(\s*`contract: /, file)
    }
  })
})
