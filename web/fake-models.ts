/** A test tool: one made-up model with two versions, and what it answers. */
import type { ExplainAnswer, ModelRecord, RegisteredVersion } from '../src/server/state.ts'

const dayMs = 86_400_000

function version(number: number, accuracy: number, counts: number[][]): RegisteredVersion {
  return {
    name: 'spam-filter',
    version: String(number).repeat(64),
    number,
    registeredAtMs: Date.now() - (4 - number) * dayMs,
    estimator: number === 1 ? 'multinomialNB()' : 'logisticRegression({ penalty: 10 })',
    featureSchema: ['words 1-2, tf-idf'],
    labels: ['ham', 'spam'],
    metrics: {
      count: 672,
      accuracy,
      majorityShare: 0.834,
      macroF1: accuracy - 0.021,
      balancedAccuracy: accuracy - 0.03,
      rocAuc: 0.991,
      logLoss: 0.142,
      ece: 0.018,
    },
    data: {},
    seeds: { seed: 0 },
    libraryVersion: '0.1.0',
    recipe: {},
    details: {
      confusion: { labels: ['ham', 'spam'], counts },
      warnings: number === 1 ? ['spam has only 111 rows to test with'] : [],
    },
  }
}

const versions = [
  version(2, 0.9747, [
    [553, 8],
    [9, 102],
  ]),
  version(1, 0.9539, [
    [541, 20],
    [11, 100],
  ]),
]

export const model: ModelRecord = {
  name: 'spam-filter',
  revision: 2,
  newest: versions[0]!,
  versionCount: 2,
  aliases: [
    { alias: 'champion', version: versions[0]!.version, number: 2, revision: 2 },
    { alias: 'previous', version: versions[1]!.version, number: 1, revision: 1 },
  ],
  versions,
  history: [
    {
      revision: 2,
      alias: 'champion',
      version: versions[0]!.version,
      previous: versions[1]!.version,
      atMs: Date.now() - dayMs,
      reason: 'two points more on the mails held back, with fewer good mails lost',
      by: 'promote',
    },
    {
      revision: 1,
      alias: 'champion',
      version: versions[1]!.version,
      previous: null,
      atMs: Date.now() - 3 * dayMs,
      reason: '',
      by: 'train',
    },
  ],
}

/** Each word moves the answer by a figure made of its letters. */
export function answerTo(text: string, number: number): ExplainAnswer {
  const words = [...new Set(text.toLowerCase().match(/\p{L}+/gu) ?? [])]
  const terms = words
    .map((term) => {
      const sum = [...term].reduce((total, letter) => total + letter.codePointAt(0)!, 0)
      return { term, analyzer: 'word', contribution: ((sum % 37) - 15) / 10 }
    })
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
    .slice(0, 10)
  const total = terms.reduce((sum, { contribution }) => sum + contribution, -0.4)
  const score = 1 / (1 + Math.exp(-Math.abs(total)))
  const sign = Math.sign(total) || 1
  return {
    model: 'spam-filter',
    version: number,
    label: total > 0 ? 'spam' : 'ham',
    score,
    terms: terms.map((one) => ({ ...one, contribution: one.contribution * sign })),
    otherTerms: 0.12 * sign,
    intercept: -0.4 * sign,
  }
}
