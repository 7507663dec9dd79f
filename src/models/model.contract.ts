/**
 * The law of text models and of the estimators that learn them: one suite that each passes. Called
 * from the test of each as `textEstimatorContract({ name, estimator })`.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOf, type MillraceError, orderOf } from '../core/errors.ts'
import { artefactBytes, modelOfArtefact } from './artefact.ts'
import type { TextClassifier, TextEstimator } from './model.ts'

export interface TextEstimatorSubject {
  /** As in `contract: models/NAME`. */
  readonly name: string
  /** A new one each time, with settings that can learn two labels from twenty short texts. */
  estimator(): TextEstimator
}

const trainingTexts = Array.from({ length: 20 }, (_, index) =>
  index % 2 === 0
    ? `win a free prize now ${index} 😀 naïve`
    : `notes of the meeting on monday ${index}`,
)
const trainingLabels = trainingTexts.map((_, index) => (index % 2 === 0 ? 'spam' : 'ham'))

const askedTexts = [
  'win a prize',
  'the meeting on monday',
  '',
  'nothing known here',
  'WIN free ΟΔΟΣ İ \ud800 \u0000 👍🏽',
  'win '.repeat(10_000),
  'prize meeting',
]

export function textEstimatorContract(subject: TextEstimatorSubject): void {
  const fit = () => subject.estimator().fit(trainingTexts, trainingLabels, { seed: 7 })

  describe(`contract: models/${subject.name}`, () => {
    it('learns what separates the labels', () => {
      const answers = fit().predict(['free prize', 'meeting notes'])
      assert.deepEqual(
        answers.map(({ label }) => label),
        ['spam', 'ham'],
      )
    })

    it('names its labels sorted by code point, whatever their order was', () => {
      const labels = trainingLabels.map((label) => (label === 'ham' ? '\u{1f600}' : '\uff01'))
      const model = subject.estimator().fit(trainingTexts, labels)
      assert.deepEqual(model.labels, ['\uff01', '\u{1f600}'])
    })

    it('answers finite probabilities that add up to one, and the likeliest label', () => {
      const model = fit()
      const probabilities = model.predictProbabilities(askedTexts)
      assert.equal(probabilities.length, askedTexts.length * model.labels.length)
      for (const [row, { label, score }] of model.predict(askedTexts).entries()) {
        const start = row * model.labels.length
        const shares = [...probabilities.subarray(start, start + model.labels.length)]
        assert.ok(shares.every((share) => share >= 0 && share <= 1))
        assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-12)
        assert.equal(score, Math.max(...shares))
        assert.equal(label, model.labels[shares.indexOf(score)])
      }
    })

    it('scoring changes nothing, and a batch answers as its texts would one by one', () => {
      const model = fit()
      const together = model.predict(askedTexts)
      const alone = [...askedTexts].reverse().map((text) => model.predict([text])[0]!)
      assert.deepEqual(alone.reverse(), together)
      assert.deepEqual(model.predict(askedTexts), together)
      assert.deepEqual(model.predict([]), [])
    })

    it('refuses by name what is not a text, and goes on', () => {
      const model = fit()
      const mixed = ['win', undefined, 'win', 3, null] as string[]
      assert.throws(
        () => model.predict(mixed),
        (error) =>
          orderOf(error) === 'refused' &&
          (error as MillraceError).refused.map(({ index }) => index).join() === '1,3,4',
      )
      assert.throws(() => model.predictProbabilities(mixed))
      assert.deepEqual(model.predict(['win']), fit().predict(['win']))
    })

    it('the same texts, labels and seed give the same model, byte for byte', () => {
      const estimator = subject.estimator()
      const first = artefactBytes(fit())
      estimator.fit(['other words here', 'and there'], ['spam', 'ham'])
      const again = estimator.fit(trainingTexts, trainingLabels, { seed: 7 })
      assert.ok(artefactBytes(again).equals(first))
    })

    it('answers the same after it was saved and loaded', () => {
      const model = fit()
      const bytes = artefactBytes(model)
      const loaded = modelOfArtefact(bytes, 'here')
      assert.deepEqual(loaded.labels, model.labels)
      assert.deepEqual(
        loaded.predictProbabilities(askedTexts),
        model.predictProbabilities(askedTexts),
      )
      assert.ok(artefactBytes(loaded).equals(bytes))
    })

    it('takes terms that it never saw, in any order', () => {
      const model: TextClassifier = fit()
      const [plain, mixed] = model.predictProbabilities([
        'free prize win',
        'zzz win prize yyy free',
      ])
      assert.ok(Number.isFinite(plain) && Number.isFinite(mixed))
    })

    it('says what cannot be learnt from', () => {
      const rows: [string[], string[]][] = [
        [[], []],
        [
          ['aa bb', 'cc dd'],
          ['x', 'x'],
        ],
        [['aa bb', 'cc dd'], ['x']],
        [
          ['', '!'],
          ['x', 'y'],
        ],
        [
          ['aa bb', undefined as unknown as string],
          ['x', 'y'],
        ],
        [
          ['aa bb', 'cc dd'],
          ['x', undefined as unknown as string],
        ],
      ]
      for (const [texts, labels] of rows) {
        assert.throws(
          () => subject.estimator().fit(texts, labels),
          (error) => codeOf(error) === 'TRAINING_INVALID',
          JSON.stringify([texts, labels]),
        )
      }
    })
  })
}
