import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { evaluateClassifier, reportText } from './index.ts'
import { alignedLines, columnsOf, labelText } from './text-table.ts'

/** `counts[truth][answer]` rows, all as confident. */
function answersOf(labels: string[], counts: number[][], confidence = 0.8) {
  const truths: string[] = []
  const probabilities: number[] = []
  for (const [truth, row] of counts.entries()) {
    for (const [answer, count] of row.entries()) {
      for (let repeat = 0; repeat < count; repeat++) {
        truths.push(labels[truth]!)
        const rest = (1 - confidence) / (labels.length - 1)
        probabilities.push(...labels.map((_, label) => (label === answer ? confidence : rest)))
      }
    }
  }
  return { labels, truths, probabilities }
}

const rare = [
  [20, 5, 0],
  [3, 1200, 9],
  [1, 31, 250],
]

describe('evaluation: reportText', () => {
  it('shows figures, labels, mistakes and calibration', () => {
    const text = reportText(evaluateClassifier(answersOf(['fax', 'ham', 'spam'], rare)))
    const lines = text.split('\n')
    assert.equal(lines[0], '1,519 rows, 3 labels')
    assert.match(text, /^accuracy +0\.9677 +0\.9\d{3} to 0\.9\d{3}$/m)
    assert.match(text, /^ {2}of always the commonest label +0\.7979$/m)
    assert.match(text, /^macro F1 +0\.\d{4} +0\.\d{4} to 0\.\d{4}$/m)
    assert.match(text, /95 % of resamples/)
    const from = lines.findIndex((line) => line.startsWith('label '))
    assert.deepEqual(lines.slice(from, from + 7), [
      'label             precision  recall     F1  support',
      'ham                   0.971   0.990  0.980    1,212',
      'spam                  0.965   0.887  0.924      282',
      'fax                   0.833   0.800  0.816       25',
      '',
      'macro average         0.923   0.892  0.907    1,519',
      'weighted average      0.968   0.968  0.967    1,519',
    ])
    assert.match(
      text,
      /^largest confusions\n {2}spam taken for ham: 31\n {2}ham taken for spam: 9$/m,
    )
    assert.match(text, /^calibration: confidence is no probability.*; the model is too modest \(/m)
  })

  it('says what is calibrated, too sure, and not defined', () => {
    const even = [
      [80, 20],
      [20, 80],
    ]
    const text = (confidence: number) =>
      reportText(evaluateClassifier(answersOf(['a', 'b'], even, confidence)))
    assert.match(text(0.8), /calibration: confidence can be taken as it is \(/)
    assert.match(text(0.84), /confidence is a little off; the model is too sure of itself/)
    assert.match(text(0.88), /confidence is clearly off; the model is too sure of itself/)
    const nothing = reportText(evaluateClassifier(answersOf(['a', 'b'], [])))
    assert.match(nothing, /^0 rows, 0 labels$/m)
    assert.match(nothing, /^log loss +-$/m)
    assert.doesNotMatch(nothing, /NaN|undefined|null/)
  })

  it('names what was never learnt, what does not occur and what was not answered', () => {
    const given = answersOf(['a', 'b', 'c'], [[3], [0, 2]])
    const truths = given.truths.map((truth, row) => (row === 0 ? 'z' : truth))
    const predictions = ['a', 'unknown', 'a', 'b', 'b']
    const text = reportText(evaluateClassifier({ ...given, truths, predictions }))
    assert.match(text, /^1 row with labels that the model never learnt, counted as wrong: z$/m)
    assert.match(text, /^labels of the model that do not occur here: c$/m)
    assert.match(text, /^answered 4 of 5 rows \(80 %\), 75 % of those are right; the rest is 'un/m)
  })

  it('cuts a long table and says so', () => {
    const labels = Array.from({ length: 12 }, (_, label) => `label ${label}`)
    const counts = labels.map((_, truth) => labels.map((__, label) => +(label === truth)))
    const text = reportText(evaluateClassifier(answersOf(labels, counts)), { maxLabels: 10 })
    assert.match(text, /^\.\.\. and 2 rarer labels\n\nmacro average/m)
    assert.doesNotMatch(text, /label 11/)
  })

  it('stays aligned whatever the labels are', () => {
    const codePoint = fc.oneof(fc.nat({ max: 0x4ff }), fc.nat({ max: 0x10ffff }))
    const label = fc.oneof(
      fc.array(codePoint, { maxLength: 8 }).map((points) => String.fromCodePoint(...points)),
      fc.string({ maxLength: 90 }),
      fc.constantFrom(
        '👨‍👩‍👧 family',
        '❤️',
        '🇩🇪',
        '你好',
        'café',
        'cafe\u0301',
        'a\nb',
        '\u202eabc',
        '\ud800',
      ),
    )
    const labels = fc.uniqueArray(label, { minLength: 2, maxLength: 5 })
    fc.assert(
      fc.property(labels, (names) => {
        const counts = names.map((_, truth) => names.map((__, answer) => truth + 2 * answer))
        const report = evaluateClassifier({ ...answersOf(names, counts), resamples: 0 })
        const lines = reportText(report).split('\n')
        const from = lines.findIndex((line) => line.startsWith('label  '))
        const table = lines.slice(from, from + 1 + Object.keys(report.labels).length)
        assert.equal(new Set(table.map(columnsOf)).size, 1, table.join('\n'))
      }),
      { numRuns: 50 },
    )
  })
})

describe('evaluation: text of labels', () => {
  it('is as wide as a terminal shows it', () => {
    assert.deepEqual(
      ['', 'abc', 'cafe\u0301', '👨‍👩‍👧', '你好', 'ｈ', '❤️', '🇩🇪'].map(columnsOf),
      [0, 3, 4, 2, 4, 2, 2, 2],
    )
    assert.deepEqual(alignedLines([['你', '1'], ['abc', '10'], ['']]), ['你    1', 'abc  10', ''])
  })

  it('keeps both ends of a long one and shows what is invisible', () => {
    const long = `${'a'.repeat(500)}end`
    assert.equal(labelText(long), `${'a'.repeat(23)}…${'a'.repeat(20)}end`)
    assert.ok(columnsOf(labelText('你'.repeat(100))) <= 48)
    assert.equal(labelText('a\nb\u202e\ud800'), 'a\\u{a}b\\u{202e}\\u{d800}')
    assert.equal(labelText(''), "''")
    assert.equal(labelText('comp.graphics'), 'comp.graphics')
  })
})
