import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import { createMemoryLog } from '../log/memory.ts'
import { artefactBytes } from '../models/artefact.ts'
import { textClassifier } from '../models/text-classifier.ts'
import { Registry } from '../registry/registry.ts'
import { openDirectoryStore } from '../registry/store-directory.ts'
import { classifier } from './model-use.ts'
import { openModels, type TrainedModel, trainMissing } from './models.ts'
import { pipeline } from './pipeline.ts'
import { topic } from './topic.ts'

/** A model of its own for each word, which it takes for spam. */
const learn = (word: string) =>
  textClassifier().fit([`${word} win`, 'notes meeting'], ['spam', 'ham'])

const texts = topic<{ text: string }>('texts')
const using = (reference: string, word?: string) =>
  pipeline('p')
    .from(texts)
    .predict(
      'mood',
      classifier(reference, {
        labels: ['ham', 'spam'],
        ...(word === undefined
          ? {}
          : { train: async () => ({ classifier: learn(word), details: { word } }) }),
      }),
      { input: (value) => value.text },
    )
    .to(topic('answers'))['~pipeline']

interface World {
  readonly registry: Registry
  readonly directory: string
  readonly said: string[]
  train(reference: string, word?: string, fresh?: boolean): Promise<TrainedModel>
  /** The word that the model which a pipeline would open knows as spam. */
  opens(reference: string): Promise<string>
  /** What a pipeline whose classifier explains itself answers to a text. */
  opensExplained(reference: string, text: string): Promise<unknown[]>
}

async function withWorld(work: (world: World) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-models-'))
  const log = createMemoryLog()
  const said: string[] = []
  const progress = (line: string) => said.push(line)
  const clock = systemClock
  const store = openDirectoryStore(join(directory, 'models'))
  try {
    await work({
      registry: new Registry({ log, store, clock }),
      ...{ directory, said },
      async train(reference, word, fresh = false) {
        const options = { log, directory, clock, fresh, progress }
        return (await trainMissing([using(reference, word)], options))[0]!
      },
      async opens(reference) {
        const models = await openModels(using(reference), log, directory, clock)
        const words = ['one', 'two', 'three']
        const answers = (await models.get('mood')!.predict(words)) as { score: number }[]
        const scores = answers.map(({ score }) => score)
        return words[scores.indexOf(Math.max(...scores))]!
      },
      async opensExplained(reference, text) {
        const use = classifier(reference, { labels: ['ham', 'spam'], explain: 3 })
        const definition = pipeline('p')
          .from(texts)
          .predict('mood', use, { input: (value) => value.text })
          .to(topic('answers'))['~pipeline']
        const models = await openModels(definition, log, directory, clock)
        return models.get('mood')!.predict([text])
      },
    })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const unknown = (promise: Promise<unknown>, words: RegExp) =>
  assert.rejects(promise, (error: Error) => {
    assert.match(error.message, words)
    return codeOf(error) === 'MODEL_UNKNOWN'
  })

describe('models of a pipeline', () => {
  it('are trained once, and again when all starts over', () =>
    withWorld(async ({ train, opens, registry }) => {
      const first = await train('spam', 'one')
      assert.deepEqual([first.isNew, first.details], [true, { word: 'one' }])
      const again = await train('spam', 'two')
      assert.deepEqual(again, { ...first, isNew: false })
      assert.equal((await train('spam', 'two', true)).isNew, true)
      assert.equal(await opens('spam'), 'two')
      assert.equal((await train('spam', 'one', true)).version, first.version)
      assert.equal(await opens('spam'), 'one', 'what was trained last, though it was known')
      assert.equal((await registry.showModel('spam')).versionCount, 2)
      assert.equal(await opens('spam:2'), 'two')
      assert.equal(await opens(`spam:${first.version.slice(0, 8)}`), 'one')
    }))

  it('follow the champion, whatever is trained', () =>
    withWorld(async ({ train, opens, registry, said }) => {
      await train('spam', 'one')
      await registry.setAlias('spam', 'champion', '1')
      const trained = await train('spam', 'two', true)
      assert.deepEqual([trained.isNew, trained.details], [false, { word: 'one' }])
      assert.deepEqual(said, ["model spam: version 2 was trained, 'champion' points to 1"])
      assert.equal(await opens('spam'), 'one')
    }))

  it('get the alias that they name, until somebody else moves it', () =>
    withWorld(async ({ train, opens, registry }) => {
      await train('spam@challenger', 'one')
      assert.equal(await opens('spam@challenger'), 'one')
      await train('spam@challenger', 'two', true)
      assert.equal(await opens('spam@challenger'), 'two')
      await registry.setAlias('spam', 'challenger', '1', { by: 'promote' })
      await train('spam@challenger', 'three', true)
      assert.equal(await opens('spam@challenger'), 'one')
      await registry.removeAlias('spam', 'challenger')
      await unknown(train('spam@challenger', 'two'), /no alias 'challenger'/)
    }))

  it('get an alias also where a run died between training and setting it', () =>
    withWorld(async ({ train, opens, registry }) => {
      await registry.register('spam', artefactBytes(learn('one')))
      await train('spam@champion', 'one')
      assert.equal(await opens('spam'), 'one')
      assert.equal((await registry.showModel('spam')).versionCount, 1)
    }))

  it('are trained again where the artefact is missing or damaged', () =>
    withWorld(async ({ train, opens, directory, said }) => {
      const { version } = await train('spam', 'one')
      const path = join(directory, 'models', `${version}.model`)
      for (const damage of [() => rm(path), () => writeFile(path, 'half')]) {
        await damage()
        assert.equal((await train('spam', 'one')).isNew, true)
        assert.equal(await opens('spam'), 'one')
      }
      assert.match(said.join('\n'), /missing or damaged/)
    }))

  it('are refused where nobody can train them, with what is there', () =>
    withWorld(async ({ train, opens }) => {
      await unknown(train('spam'), /none of that name; there are: none; train it first, or give/)
      await train('spam', 'one')
      await unknown(train('spma'), /did you mean 'spam'/)
      await unknown(train('spam:7', 'one', true), /no version '7'/)
      await unknown(opens('spam@champion'), /no alias 'champion'/)
      await assert.rejects(train('spam mer', 'one'), { code: 'NAME_INVALID' })
    }))

  it('that explain add the terms that speak for the answer', () =>
    withWorld(async ({ train, opensExplained }) => {
      await train('spam', 'one')
      const [answer] = await opensExplained('spam', 'one win, at the meeting')
      assert.deepEqual(answer, { ...(answer as object), label: 'spam', terms: ['one', 'win'] })
      const refused = () => classifier('spam', { labels: ['ham', 'spam'], explain: 0 })
      assert.throws(refused, { code: 'OPTIONS_INVALID', message: /explain .* 1 to 100, not 0/ })
    }))
})
