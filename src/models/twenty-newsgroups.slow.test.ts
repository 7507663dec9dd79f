/** 20 Newsgroups, the official split: the figures that scikit-learn gives, from real texts. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { textClassifier } from './index.ts'

const directory = join(
  process.env.MILLRACE_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url)),
  '20newsgroups',
)

interface Post {
  readonly category: string
  readonly text: string
}

function read(split: 'train' | 'test'): Post[] {
  const lines = gunzipSync(readFileSync(join(directory, `${split}.ndjson.gz`))).toString()
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

describe('models: 20 Newsgroups', () => {
  // What scikit-learn 1.9.1 answers with the same settings, all else at its defaults.
  const expected = [
    { tfidf: false, accuracy: 0.7728359001593202 },
    { tfidf: true, accuracy: 0.7738980350504514 },
  ]
  for (const { tfidf, accuracy } of expected) {
    it(`naive Bayes ${tfidf ? 'over tf-idf' : 'over counts'} is right as often`, (t) => {
      if (!existsSync(directory)) {
        const message = `SKIPPED: ${directory} is not there (set MILLRACE_DATA), so parity on real texts was NOT checked`
        console.error(message)
        t.diagnostic(message)
        assert.ok(process.env.CI !== 'true', message)
        return
      }
      const [train, test] = [read('train'), read('test')]
      const start = performance.now()
      const classifier = textClassifier({ tfidf }).fit(
        train.map((post) => post.text),
        train.map((post) => post.category),
      )
      const seconds = (performance.now() - start) / 1000
      t.diagnostic(`learnt ${train.length} posts in ${seconds.toFixed(2)} s`)
      const [block] = classifier.model.blocks
      assert.equal(block?.vectorizer === 'count' && block.terms.length, 130_103)
      const answers = classifier.predict(test.map((post) => post.text))
      const right = answers.filter(({ label }, index) => label === test[index]!.category).length
      assert.equal(right / test.length, accuracy)
    })
  }
})
