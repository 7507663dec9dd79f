import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { artefactBytes, describeArtefact, modelOfArtefact } from './artefact.ts'
import { decodeArtefact, encodeArtefact, formatVersion, type Sections } from './artefact-format.ts'
import { CompiledTextClassifier } from './compiled-scorer.ts'
import type { LinearEstimator } from './linear.ts'
import type { Link } from './link.ts'
import { textClassifier } from './text-classifier.ts'

const texts = ['win a prize 😀 ΟΔΟΣ 𐐀𐐀', 'notes of the meeting', 'prize win \ud800']
const labels = ['spam', 'ham', 'spam']
const fit = () =>
  textClassifier({
    clean: ['urls'],
    features: [
      { ngramRange: [1, 2] },
      { analyzer: 'char_wb', ngramRange: [2, 3] },
      { vectorizer: 'hashing', nFeatures: 64, alternateSign: false },
    ],
    tfidf: true,
    minConfidence: 0.1,
  }).fit(texts, labels)

function refuses(bytes: Buffer, about: string, words = /./) {
  assert.throws(
    () => modelOfArtefact(bytes, 'here.model'),
    (error: Error) => codeOf(error) === 'MODEL_DAMAGED' && words.test(error.message),
    about,
  )
}

describe('models: artefacts', () => {
  it('gives a model back that says the same, whatever its link and corrections', () => {
    const links: Link[] = [
      { kind: 'softmax', scale: 2.5 },
      { kind: 'one-vs-rest' },
      { kind: 'sigmoid', slopes: Float64Array.of(1.5), offsets: Float64Array.of(-0.2) },
      {
        kind: 'isotonic',
        lines: [{ x: Float64Array.of(-1, 0, 2), y: Float64Array.of(0.1, 0.4, 0.9) }],
      },
    ]
    for (const link of links) {
      const model = new CompiledTextClassifier({
        ...fit().model,
        link,
        priors: Float64Array.of(0.3, 0.7),
      })
      const loaded = modelOfArtefact(artefactBytes(model), 'here')
      assert.deepEqual(loaded.predictProbabilities(texts), model.predictProbabilities(texts))
      assert.deepEqual(loaded.model, model.model)
    }
  })

  it('says what a model is, and who trained it on what is part of it', () => {
    const training = { rows: 3, nested: { b: 1, a: 2 } }
    const bytes = artefactBytes(fit(), { training })
    const reordered = { nested: { a: 2, b: 1 }, rows: 3 }
    assert.ok(artefactBytes(fit(), { training: reordered }).equals(bytes))
    assert.ok(!artefactBytes(fit()).equals(bytes))
    const header = describeArtefact(bytes, 'here')
    assert.equal(header.kind, 'linear-text-classifier')
    assert.deepEqual(header.labels, ['ham', 'spam'])
    assert.deepEqual(header.training, training)
    assert.match(String(header.libraryVersion), /^\d+\.\d+\.\d+/)
  })

  it('is never half loaded', () => {
    const bytes = artefactBytes(fit())
    for (let end = 0; end < bytes.length; end += 5) refuses(bytes.subarray(0, end), `cut at ${end}`)
    refuses(Buffer.concat([bytes, Buffer.alloc(8)]), 'longer')
    refuses(Buffer.from('{"not": "ours"}'), 'JSON')
    const strange = Buffer.from('{"sections":[null]}     ')
    const lengths = Buffer.from(Uint32Array.of(formatVersion, strange.length).buffer)
    refuses(Buffer.concat([Buffer.from('MILLRACE'), lengths, strange]), 'no section')
    const other = Buffer.from(bytes)
    other.writeUInt32LE(99, 8)
    refuses(other, 'newer', /a newer Millrace wrote it .*upgrade/)
    other.writeUInt32LE(1, 8)
    refuses(other, 'older', /an older Millrace wrote it .*train it again/)
  })

  it('either loads or says that it is damaged, whichever bit is another', () => {
    const bytes = artefactBytes(fit())
    for (let at = 0; at < bytes.length; at += 3) {
      const altered = Buffer.from(bytes)
      altered[at]! ^= 1 << (at % 8)
      try {
        modelOfArtefact(altered, 'here').predict(texts)
      } catch (error) {
        assert.equal(codeOf(error), 'MODEL_DAMAGED', `byte ${at}: ${error}`)
      }
    }
  })

  it('checks what the header and the sections say against each other', () => {
    const { header, sections } = decodeArtefact(artefactBytes(fit()), 'here')
    const parameters = header.parameters as Record<string, unknown>
    const [counts, ...others] = parameters.blocks as Record<string, unknown>[]
    const withParameters = (changed: object) => ({
      ...header,
      parameters: { ...parameters, ...changed },
    })
    const notFinite = Float64Array.from(sections.coefficients as Float64Array)
    notFinite[3] = Number.NaN
    const wrong: [Record<string, unknown>, Sections][] = [
      [{ ...header, kind: 'tree' }, sections],
      [{ ...header, labels: ['ham'] }, sections],
      [{ ...header, labels: ['ham', 'spam', 'x'] }, sections],
      [{ ...header, parameters: {} }, sections],
      [
        withParameters({ blocks: [{ ...counts, options: { analyzer: 'x' } }, ...others] }),
        sections,
      ],
      [withParameters({ blocks: [{ ...counts, vectorizer: 'x' }, ...others] }), sections],
      [withParameters({ blocks: others }), sections],
      [withParameters({ clean: ['no such step'] }), sections],
      [withParameters({ link: { kind: 'softmax', scale: 0 } }), sections],
      [withParameters({ link: { kind: 'isotonic' } }), sections],
      [withParameters({ scoreKind: 'x' }), sections],
      [header, { ...sections, coefficients: notFinite }],
      [header, { ...sections, 'block0.idf': Float64Array.of(1) }],
      [header, { ...sections, 'block0.termEnds': Uint32Array.of(1, 2) }],
      [header, { ...sections, 'block0.termUnits': Uint16Array.of(97) }],
      [header, { ...sections, 'block2.buckets': Uint32Array.of(3, 2) }],
      [header, {}],
    ]
    for (const [index, [head, parts]] of wrong.entries()) {
      refuses(encodeArtefact(head, parts), `case ${index}`)
    }
    assert.ok(modelOfArtefact(encodeArtefact(header, sections), 'here'))
  })

  it('takes only values that a training can have left', () => {
    const { header, sections } = decodeArtefact(artefactBytes(fit()), 'here')
    const parameters = header.parameters as Record<string, unknown>
    const [counts, characters, hashing] = parameters.blocks as { options: object }[]
    const withParameters = (changed: object) => ({
      ...header,
      parameters: { ...parameters, ...changed },
    })
    const counting = (options: object) =>
      withParameters({
        blocks: [{ ...counts, options: { ...counts!.options, ...options } }, characters, hashing],
      })
    const nFeatures = 2 ** 31 - 2
    const tooMany = { ...hashing, options: { ...hashing!.options, nFeatures } }
    const huge = new Float64Array(sections.coefficients!.length).fill(1e300)
    const headers = [
      { ...header, labels: ['spam', 'ham'] },
      { ...header, labels: ['ham', 'ham'] },
      withParameters({ minConfidence: 7 }),
      withParameters({ binarize: -1 }),
      withParameters({ blocks: [counts, characters, tooMany] }),
      ...[5, [1, 1e9], [1, 1, 1], '11'].map((ngramRange) => counting({ ngramRange })),
      ...['5', { share: 2 }, true].map((minDf) => counting({ minDf })),
      ...['x', 3].map((lowercase) => counting({ lowercase })),
    ]
    for (const wrong of headers) refuses(encodeArtefact(wrong, sections), JSON.stringify(wrong))
    const parts: Sections[] = [
      { coefficients: huge },
      { trainingPriors: Float64Array.of(0, 1) },
      { trainingPriors: Float64Array.of(1, 1) },
    ]
    for (const wrong of parts) {
      refuses(encodeArtefact(header, { ...sections, ...wrong }), Object.keys(wrong).join())
    }
  })

  it('refuses to save weights that no estimator of ours learnt', () => {
    const other = {
      labels: ['x', 'y'],
      answersUnknown: false,
      predict: () => [],
      predictProbabilities: () => new Float64Array(),
    }
    assert.throws(
      () => artefactBytes(other),
      (error) => codeOf(error) === 'OPTIONS_INVALID',
    )
    const broken: LinearEstimator = {
      name: 'broken',
      options: {},
      fitWeights: (matrix, given) => ({
        labels: [...new Set(given)].sort(),
        coefficients: new Float64Array(2 * matrix.columns).fill(Number.NaN),
        intercepts: new Float64Array(2),
        scoreKind: 'softmax',
        binarize: null,
      }),
    }
    assert.throws(
      () => textClassifier({ estimator: broken }).fit(texts, labels),
      (error) => codeOf(error) === 'TRAINING_INVALID',
    )
  })
})
