/** The benchmark's model for peers: what it is learnt from, and what is learnt, as files. */
import { writeFileSync } from 'node:fs'
import { TextFeatures } from '../src/features/text-features.ts'
import { multinomialNB } from '../src/models/multinomial-nb.ts'
import { sentimentRows } from './tweets.ts'

/** The rows, a line of JSON each: scikit-learn learns from them itself. */
export function writeRows(file: string): void {
  const lines = sentimentRows().map((row) => JSON.stringify(row))
  writeFileSync(file, `${lines.join('\n')}\n`)
}

/**
 * Labels in a line, the classes' log priors in the next, then a line a term: the term, its idf and its
 * log probability in each class, by tabs.
 */
export function writeModel(file: string): void {
  const rows = sentimentRows()
  const features = new TextFeatures({ features: { maxFeatures: 12_000 }, tfidf: true })
  const matrix = features.fitTransform(rows.map((row) => row.text))
  const [block] = features.blocks
  if (block?.vectorizer !== 'count' || block.tfidf === null) throw new Error('bench: no tf-idf')
  const { multiplicities } = features
  const labels = rows.map((row) => row.label)
  const weights = multinomialNB().fitWeights(matrix, labels, { seed: 0, multiplicities })
  const { idf } = block.tfidf
  const columns = block.terms.length
  const lines = block.terms.map((term, column) => {
    const of = weights.labels.map((_, label) => weights.coefficients[label * columns + column])
    return [term, idf[column], ...of].join('\t')
  })
  const head = [weights.labels.join('\t'), weights.intercepts.join('\t')]
  writeFileSync(file, `${[...head, ...lines].join('\n')}\n`)
}
