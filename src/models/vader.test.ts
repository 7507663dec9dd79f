import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type MillraceError, orderOf } from '../core/errors.ts'
import { lexiconSentiment } from './vader.ts'

const fixture = JSON.parse(
  readFileSync(new URL('./fixtures/vader.json', import.meta.url), 'utf8'),
) as readonly (readonly [text: string, compound: number])[]

const model = lexiconSentiment()
const predict = (texts: readonly string[]) => {
  const answers = model.predict(texts)
  assert.ok(Array.isArray(answers))
  return answers
}

describe('lexiconSentiment', () => {
  it("says what Python's vaderSentiment says", () => {
    assert.ok(fixture.length > 900)
    const answers = predict(fixture.map(([text]) => text))
    const wrong = fixture.flatMap(([text, compound], index) =>
      answers[index]!.compound === compound ? [] : [[text, compound, answers[index]!.compound]],
    )
    assert.deepEqual(wrong, [])
  })

  it('labels by the bounds of its authors, with a score between 0 and 1', () => {
    const [good, bad, neither] = predict(['I love it!', 'this is horrible', 'the table is brown'])
    assert.deepEqual(neither, { label: 'neutral', score: 1, compound: 0 })
    assert.equal(good!.label, 'positive')
    assert.equal(good!.score, good!.compound)
    assert.equal(bad!.label, 'negative')
    assert.equal(bad!.score, -bad!.compound)
  })

  it('scoring changes nothing, and a batch answers as its texts would one by one', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(...fixture.map(([one]) => one)),
    )
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), (texts) => {
        const together = predict(texts)
        assert.deepEqual(
          [...texts].reverse().flatMap((one) => predict([one])),
          [...together].reverse(),
        )
        for (const { compound, score } of together) {
          assert.ok(compound >= -1 && compound <= 1 && score >= 0 && score <= 1)
          assert.ok(!Object.is(compound, -0))
        }
      }),
      { numRuns: 25 },
    )
    assert.deepEqual(predict([]), [])
  })

  it('takes a text of any length, and lone surrogates', () => {
    const marks = `a${'!'.repeat(200_000)}b${' '.repeat(200_000)}c`
    const [long, torn] = predict(['great '.repeat(20_000), 'great \ud800', marks])
    assert.equal(long!.compound, 1)
    assert.equal(torn!.label, 'positive')
  })

  it('refuses by name what is not a text, and goes on', () => {
    assert.throws(
      () => model.predict(['good', undefined, 3] as string[]),
      (error) =>
        orderOf(error) === 'refused' &&
        (error as MillraceError).refused.map(({ index }) => index).join() === '1,2',
    )
    assert.equal(predict(['good'])[0]!.label, 'positive')
  })
})
