import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeWorld } from '../fake-world.ts'
import { edgeDifference, edgesOf, unaccounted } from './balance.ts'
import { accuracyIn, isShareName, qualitiesOf, wordsOfName } from './figures.ts'

const score = new FakeWorld(40).state.pipelines.find(({ name }) => name === 'score')!

describe('web: balance', () => {
  it('adds up where nothing is lost', () => {
    assert.ok(score.steps.every((step) => unaccounted(step) === 0))
    assert.ok(edgesOf(score).every((edge) => edgeDifference(edge) === 0))
  })

  it('says how many are missing, and on which edge', () => {
    const steps = score.steps.map((step, index) =>
      index === 2 ? { ...step, in: step.in - 3 } : step,
    )
    assert.equal(unaccounted(steps[2]!), -3)
    const differences = edgesOf({ ...score, steps }).map(edgeDifference)
    assert.deepEqual(differences, [0, 3, 0, 0])
  })

  it('takes what enters at a later step from the first edge', () => {
    const [read, filter, ...others] = score.steps
    // Three replayed messages go in at the third step.
    const steps = [
      { ...read!, in: read!.in + 3, passed: read!.passed + 3, emitted: read!.emitted + 3 },
      filter!,
      ...others.map((step, index) => ({
        ...step,
        entered: index === 0 ? 3 : 0,
        in: step.in + 3,
        passed: step.passed + 3,
        emitted: step.emitted + 3,
      })),
    ]
    assert.ok(edgesOf({ ...score, steps }).every((edge) => edgeDifference(edge) === 0))
  })

  it('finds accuracy and its majority line among the figures', () => {
    assert.deepEqual(qualitiesOf({ accuracy: 1, majorityAccuracy: 0.5, balancedAccuracy: 1 }), [
      { name: '', accuracyKey: 'accuracy', majorityKey: 'majorityAccuracy' },
    ])
    assert.deepEqual(qualitiesOf({ 'quality.accuracy': 1 }), [
      { name: 'quality', accuracyKey: 'quality.accuracy', majorityKey: undefined },
    ])
    const [quality] = qualitiesOf({ accuracy: 0, majorityAccuracy: 0 })
    assert.equal(accuracyIn({ accuracy: 0, majorityAccuracy: 0 }, quality!), undefined)
    assert.deepEqual(accuracyIn({ accuracy: 0, majorityAccuracy: 0.5 }, quality!), {
      accuracy: 0,
      majority: 0.5,
    })
    assert.equal(wordsOfName('falsePositiveRate'), 'false positive rate')
    assert.equal(isShareName('macroF1') && !isShareName('count'), true)
  })
})
