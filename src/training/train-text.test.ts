import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codeOf, messageOf } from '../core/errors.ts'
import { artefactBytes } from '../models/artefact.ts'
import { type TrainingSettings, trainText } from './train-text.ts'
import { labelledMails } from './training-testing.ts'

const train = labelledMails(120)
const asked = labelledMails(60, 2)
const quick: TrainingSettings = { estimator: 'multinomial-nb' }

describe('training from texts', () => {
  test('learns as the settings say, and evaluates on the test rows', () => {
    const settings = {
      ...quick,
      options: { alpha: 0.3 },
      features: 'word:1-2',
      tfidf: false,
    } as const
    const { classifier, candidate, choice, report } = trainText(train, asked, settings)
    assert.equal(candidate.estimator, 'multinomial-nb')
    assert.deepEqual(classifier.model.estimator.options.alpha, 0.3)
    assert.equal(classifier.model.blocks[0]!.tfidf, null)
    assert.equal(choice, undefined)
    const answers = classifier.predict(asked.texts)
    const right = answers.filter(({ label }, row) => label === asked.labels[row]).length
    assert.equal(report!.accuracy, right / 60)
    assert.equal(trainText(train, undefined, quick).report, undefined)
  })

  test('weighs by tf-idf unless told otherwise', () => {
    assert.equal(
      trainText(train, undefined, quick).classifier.model.blocks[0]!.tfidf !== null,
      true,
    )
  })

  test('chooses by cross-validation without ever looking at the test rows', () => {
    const settings: TrainingSettings = { folds: 2, features: 'word:1-1', metric: 'accuracy' }
    const one = trainText(train, asked, settings)
    const other = trainText(train, labelledMails(60, 3), settings)
    assert.match(one.choice!.why, /: accuracy 0\.\d+ .* over 2 folds of the training rows/)
    assert.deepEqual(one.choice!.best.candidate, one.candidate)
    assert.ok(artefactBytes(one.classifier).equals(artefactBytes(other.classifier)))
    assert.notEqual(one.report!.accuracy, other.report!.accuracy)
  })

  test('chooses in the order of time where rows have times', () => {
    const timesMs = Float64Array.from(train.texts, (_, row) => row)
    const early = { texts: train.texts, labels: train.labels, timesMs }
    const { choice } = trainText(early, undefined, { folds: 3, features: 'word:1-1' })
    assert.equal(choice!.tried.length > 5, true)
    const still = { ...early, timesMs: timesMs.map(() => 7) }
    assert.throws(
      () => trainText(still, undefined, { folds: 3 }),
      (error) => /different times/.test(messageOf(error)),
    )
  })

  test('chooses also from very few rows, and where a fold has one label alone', () => {
    const few = { texts: train.texts.slice(0, 5), labels: ['s', 'h', 's', 'h', 's'] }
    const { choice } = trainText(few, undefined, { features: 'word:1-1' })
    assert.match(choice!.why, /over 3 folds/)
    const skewed = { texts: train.texts.slice(0, 20), labels: train.labels.slice(0, 20).fill('s') }
    skewed.labels[19] = 'h'
    assert.ok(trainText(skewed, undefined, { features: 'word:1-1' }).choice !== undefined)
    const timesMs = Float64Array.from(skewed.texts, (_, row) => row)
    const late = trainText({ ...skewed, timesMs }, undefined, { features: 'word:1-1' })
    assert.match(late.choice!.why, /over 5 folds/)
    const fewTimes = { ...few, timesMs: Float64Array.of(1, 1, 2, 2, 3) }
    const { choice: timed } = trainText(fewTimes, undefined, { features: 'word:1-1' })
    assert.match(timed!.why, /over 2 folds/)
  })

  test('can hash with every estimator that it chooses from', () => {
    const { choice } = trainText(train, undefined, { folds: 2, features: 'hashing-word:1-2' })
    assert.equal(new Set(choice!.tried.map(({ candidate }) => candidate.estimator)).size, 5)
  })

  test('refuses to evaluate more labels and rows than fit, before it learns', () => {
    const ids = train.texts.slice(0, 100).map((_, row) => `id${row}`)
    const rows = {
      texts: new Array<string>(2_000_000).fill('x'),
      labels: new Array<string>(2_000_000).fill('id0'),
    }
    assert.throws(
      () => trainText({ texts: train.texts.slice(0, 100), labels: ids }, rows, quick),
      (error) => codeOf(error) === 'EVALUATION_INVALID' && /an id\?/.test(messageOf(error)),
    )
  })

  test('answers unknown below the confidence asked for', () => {
    const { classifier, report } = trainText(train, asked, { ...quick, minConfidence: 0.8 })
    assert.equal(classifier.answersUnknown, true)
    assert.ok(report!.coverage!.coverage < 1)
  })

  test('warns of rows learnt by heart and of labels with one row', () => {
    const leaky = {
      texts: [...train.texts.slice(0, 5), ...asked.texts],
      labels: [...train.labels.slice(0, 5), ...asked.labels],
    }
    const odd = { texts: [...train.texts, 'x y'], labels: [...train.labels, 'other'] }
    const { warnings } = trainText(odd, leaky, quick)
    assert.match(warnings.join('\n'), /one row alone has the label 'other': hardly/)
    assert.match(warnings.join('\n'), /also learnt from: 5; the figures flatter/)
    assert.deepEqual(trainText(train, asked, quick).warnings, [])
  })

  test('refuses settings that there are not', () => {
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ estimatr: 'nb-svm' }, /training: unknown option 'estimatr'; did you mean 'estimator'/],
      [{ metric: 'f1' }, /metric is 'f1'; known: macroF1/],
      [{ estimator: 'linear-scv' }, /did you mean 'linear-svc'/],
      [{ options: { alpha: 1 } }, /the estimator is 'auto'; name one/],
      [{ ...quick, options: { alpa: 1 } }, /alpa/],
      [{ ...quick, features: 'words' }, /did you mean 'word'/],
      [{ folds: 1 }, /folds is 1/],
    ]
    for (const [settings, expected] of wrong) {
      assert.throws(
        () => trainText(train, undefined, settings),
        (error) => {
          assert.equal(codeOf(error), 'OPTIONS_INVALID', messageOf(error))
          assert.match(messageOf(error), expected)
          return true
        },
      )
    }
  })
})
