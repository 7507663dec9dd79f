import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createMemoryLog } from '../log/memory.ts'
import { Registry, registryTopic, sha256 } from './index.ts'
import {
  appendRaw,
  artefact,
  hashOf,
  refused,
  registerSome,
  withRegistry,
} from './registry-testing.ts'

describe('registry: versions', () => {
  it('is empty before the first model', () =>
    withRegistry(async ({ registry, log }) => {
      assert.deepEqual(await registry.listModels(), [])
      await refused('MODEL_UNKNOWN', registry.resolve('spam'))
      await refused('MODEL_UNKNOWN', registry.showModel('spam'))
      assert.equal(await log.topic(registryTopic), undefined, 'looking makes nothing')
    }))

  it('keeps what is said of a version, as plain data, and numbers them', () =>
    withRegistry(async ({ registry, log, store }) => {
      const facts = {
        estimator: 'multinomial-nb(alpha=0.1)',
        featureSchema: ['word:1-2, tf-idf'],
        metrics: { macroF1: 0.93 },
        data: { files: [{ name: 'a.csv', sha256: 'ab' }] },
        seeds: { split: 7 },
        recipe: { estimator: 'multinomial-nb', nested: { alpha: 0.1, gone: undefined } },
      }
      const first = await registry.register('spam', artefact(1), facts)
      assert.equal(first.version, hashOf(1))
      assert.deepEqual(first.labels, ['ham', 'spam'], 'the artefact says them')
      assert.match(first.libraryVersion, /^\d+\.\d+\.\d+/)
      assert.deepEqual(first.recipe, { estimator: 'multinomial-nb', nested: { alpha: 0.1 } })
      await registry.register('spam', artefact(2))
      const again = new Registry({ log, store })
      assert.deepEqual(await again.resolve('spam:1'), first)
      const { versions, newest, versionCount } = await again.showModel('spam')
      assert.deepEqual(
        versions.map(({ number }) => number),
        [2, 1],
      )
      assert.deepEqual([newest.number, versionCount], [2, 2])
      assert.equal((await log.topic(registryTopic))!.cleanup, 'compact')
      assert.deepEqual(await log.groups(), [], 'a turn leaves no group behind')
    }))

  it('refuses facts of another shape, before and after they were written', () =>
    withRegistry(async ({ registry, log }) => {
      const wrong = { labels: 'spam' as unknown as string[] }
      const message = await refused(
        'OPTIONS_INVALID',
        registry.register('spam', artefact(1), wrong),
      )
      assert.match(message, /'labels'/)
      assert.deepEqual(await registry.listModels(), [])
      await registry.register('spam', artefact(1))
      const { version } = await registry.resolve('spam')
      const entry = { name: 'spam', version, number: 1, registeredAtMs: 5, metrics: null }
      await appendRaw(log, `version/spam/${version}`, entry)
      assert.match(await refused('MODEL_DAMAGED', registry.listModels()), /key 'version\/spam/)
    }))

  it('keeps nothing of a model of which there is too much to say', () =>
    withRegistry(async ({ registry, store }) => {
      const labels = Array.from({ length: 100_000 }, (_, index) => `label${index}`)
      const message = await refused(
        'OPTIONS_INVALID',
        registry.register('s', artefact(1), { labels }),
      )
      assert.match(message, /100000 labels: is the label column an id/)
      assert.deepEqual(await store.list(), [])
    }))

  it('refuses a change of another shape', () =>
    withRegistry(async ({ registry, log }) => {
      await registry.register('spam', artefact(1))
      await appendRaw(log, 'change/spam/1', { revision: 1, alias: 3, version: {}, atMs: 'x' })
      assert.match(await refused('MODEL_DAMAGED', registry.resolve('spam')), /key 'change\/spam/)
    }))

  it('keeps the first entry of bytes that are registered again, which are then the newest', () =>
    withRegistry(async ({ registry }) => {
      const first = await registry.register('spam', artefact(1), { details: { rows: 3 } })
      await registry.register('spam', artefact(2))
      const again = await registry.register('spam', artefact(1), { details: { rows: 4 } })
      assert.deepEqual(again, first)
      assert.equal((await registry.resolve('spam')).number, 1, 'it was registered last')
      assert.equal((await registry.showModel('spam')).versionCount, 2)
      assert.equal((await registry.register('other', artefact(1))).number, 1)
    }))

  it('gives the model back', () =>
    withRegistry(async ({ registry }) => {
      await registry.register('spam', artefact(1))
      const { classifier, version } = await registry.load('spam')
      assert.equal(classifier.predict(['win a prize'])[0]!.label, 'spam')
      assert.equal(version.number, 1)
    }))

  it('refuses what is no artefact before anything is kept', () =>
    withRegistry(async ({ registry, store, log }) => {
      const bytes = artefact(1)
      for (const wrong of [
        Buffer.alloc(0),
        Buffer.from('{"not": "ours"}'),
        bytes.subarray(0, 40),
      ]) {
        await refused('MODEL_DAMAGED', registry.register('spam', wrong))
      }
      const facts = { details: { big: 1n } }
      await refused('OPTIONS_INVALID', registry.register('spam', bytes, facts))
      assert.deepEqual(await store.list(), [])
      assert.equal(await log.topic(registryTopic), undefined)
    }))

  it('never half loads an artefact that was cut, altered or exchanged', () =>
    withRegistry(async ({ registry, directory }) => {
      const { version } = await registry.register('spam', artefact(1))
      const path = join(directory, `${version}.model`)
      const bytes = artefact(1)
      for (let at = 0; at < bytes.length; at += 97) {
        const altered = Buffer.from(bytes)
        altered[at]! ^= 1
        for (const wrong of [altered, bytes.subarray(0, at)]) {
          await writeFile(path, wrong)
          await refused('MODEL_DAMAGED', registry.load('spam'))
        }
      }
      await writeFile(path, artefact(2))
      await refused('MODEL_DAMAGED', registry.load('spam'))
      await registry.register('spam', bytes)
      assert.equal((await registry.load('spam')).version.version, version, 'registering repairs')
    }))
})

describe('registry: references', () => {
  it('resolves a name, an alias, a number and the first digits of a hash', () =>
    withRegistry(async ({ registry }) => {
      await registerSome(registry, 'spam', 3)
      const numberOf = async (reference: string) => (await registry.resolve(reference)).number
      assert.equal(await numberOf('spam'), 3)
      await registry.setAlias('spam', 'champion', '1')
      await registry.setAlias('spam', 'challenger', hashOf(2).slice(0, 8))
      assert.equal(await numberOf('spam'), 1)
      assert.equal(await numberOf('spam@champion'), 1)
      assert.equal(await numberOf('spam@challenger'), 2)
      assert.equal(await numberOf('spam:3'), 3)
      assert.equal(await numberOf(`spam:${hashOf(3)}`), 3)
      assert.equal(await numberOf(`spam:${hashOf(3).slice(0, 6).toUpperCase()}`), 3)
    }))

  it('lists what first digits may mean, a number among them', () =>
    withRegistry(async ({ registry, log }) => {
      const [one, two] = [`1234${'a'.repeat(60)}`, `1234${'b'.repeat(60)}`]
      for (const [number, version] of [
        [1, one],
        [2, two],
        [5555, `9${'c'.repeat(63)}`],
        [6, `5555${'d'.repeat(60)}`],
      ] as const) {
        await appendRaw(log, `version/spam/${version}`, { name: 'spam', version, number })
      }
      assert.match(
        await refused('MODEL_UNKNOWN', registry.resolve('spam:1234')),
        /'1234' may be 2 \(1234b+\), 1 \(1234a+\)$/,
      )
      assert.equal((await registry.resolve('spam:1234b')).number, 2)
      assert.match(
        await refused('MODEL_UNKNOWN', registry.resolve('spam:5555')),
        /may be 5555 .*, 6 /,
      )
      assert.match(await refused('MODEL_UNKNOWN', registry.resolve('spam:99')), /no version '99'/)
    }))

  it('names the nearest where there is none', () =>
    withRegistry(async ({ registry }) => {
      await registerSome(registry, 'spam-filter', 1)
      await registry.setAlias('spam-filter', 'champion', '1')
      const hint = async (reference: string) =>
        refused('MODEL_UNKNOWN', registry.resolve(reference))
      assert.match(await hint('spam-fliter'), /did you mean 'spam-filter'/)
      assert.match(await hint('spam-filter@chmapion'), /did you mean 'champion'/)
      assert.match(await hint('spam-filter@staging'), /there are: champion/)
      assert.match(await hint('zzz'), /there are: spam-filter/)
    }))

  it('refuses hostile names, aliases and versions, and shows them harmlessly', () =>
    withRegistry(async ({ registry, directory }) => {
      const hostile = [
        '',
        '.',
        '..',
        '../x',
        'a/b',
        'a b',
        'a\n',
        '\u001b[31m',
        'ü',
        'a'.repeat(250),
      ]
      for (const name of hostile) {
        const message = await refused('NAME_INVALID', registry.register(name, artefact(1)))
        assert.doesNotMatch(message, /\p{Cc}/u)
        await refused('NAME_INVALID', registry.showModel(name))
      }
      assert.deepEqual(await readdir(directory), [])
      await registerSome(registry, '__proto__', 1)
      assert.equal((await registry.resolve('__proto__')).number, 1)
      for (const alias of ['', 'Champion', '1st', 'a_b', 'a@b', 'a\n', '-x', 'a'.repeat(65)]) {
        await assert.rejects(async () => registry.setAlias('__proto__', alias, '1'), {
          code: 'NAME_INVALID',
        })
        await refused('NAME_INVALID', registry.resolve(`__proto__@${alias}`))
      }
      for (const version of ['', '0', '-1', '1.5', '1e3', 'abc', 'ghij', '12345678901'.repeat(7)]) {
        await refused('NAME_INVALID', registry.resolve(`__proto__:${version}`))
      }
    }))
})

describe('registry: entries of others and of older versions', () => {
  const old = (name: string, number: number) => ({
    ...{ name, version: hashOf(number), registeredAtMs: 5 },
    details: { rows: number },
  })

  it('reads what an older Millrace registered, and writes it anew with the next change', () =>
    withRegistry(async ({ registry, store }) => {
      const log = createMemoryLog()
      registry = new Registry({ log, store })
      for (const one of [1, 2]) {
        await store.put(artefact(one))
        await appendRaw(log, 'spam', old('spam', one))
      }
      const { versions } = await registry.showModel('spam')
      assert.deepEqual(
        versions.map(({ version, number, details }) => [version, number, details]),
        [[hashOf(2), 1, { rows: 2 }]],
      )
      assert.equal((await registry.load('spam')).version.number, 1)
      await registry.setAlias('spam', 'champion', '1')
      await registry.register('spam', artefact(3))
      await log.maintain()
      const after = await registry.showModel('spam')
      assert.deepEqual(
        after.versions.map(({ version, number }) => [version, number]),
        [
          [hashOf(3), 2],
          [hashOf(2), 1],
        ],
      )
      assert.equal((await registry.resolve('spam')).registeredAtMs, 5)
    }))

  it('takes an old entry that was deleted as gone', () =>
    withRegistry(async ({ registry, log }) => {
      await appendRaw(log, 'spam', old('spam', 1))
      await appendRaw(log, 'spam', null)
      assert.deepEqual(await registry.listModels(), [])
    }))

  it('passes over what others keep in the topic', () =>
    withRegistry(async ({ registry, log }) => {
      await registerSome(registry, 'spam', 1)
      for (const key of ['rollout/spam', 'rollout/spam/3/x', 'version/spam/x/y', 'no json', null]) {
        await appendRaw(log, key, 'not json')
      }
      assert.equal((await registry.listModels()).length, 1)
    }))

  it('stops at an entry of its own that cannot be read', async () => {
    const hash = 'a'.repeat(64)
    for (const [key, value] of [
      [`version/spam/${hash}`, 'not json'],
      [`version/spam/${hash}`, { name: 'other', version: hash, number: 1 }],
      [`version/spam/${hash}`, { name: 'spam', version: hash }],
      ['change/spam/1', { revision: 2 }],
      ['latest/spam', 'null'],
    ] as const) {
      await withRegistry(async ({ registry, log }) => {
        await appendRaw(log, key, value)
        const message = await refused('MODEL_DAMAGED', registry.listModels())
        assert.match(message, /offset 0 of millrace.registry/)
      })
    }
  })

  it('uses the same artefact for the same bytes', () =>
    withRegistry(async ({ registry, directory }) => {
      await registry.register('spam', artefact(1))
      await registry.register('other', artefact(1))
      assert.deepEqual(await readdir(directory), [`${sha256(artefact(1))}.model`])
    }))
})
