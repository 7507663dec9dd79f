/** The questions of docs/results.md: what is learnt from which data, here and with scikit-learn. */
import type { DataSet } from './results-data.ts'

export interface PeerCase {
  readonly estimator: string
  readonly options: Readonly<Record<string, unknown>>
  /** TfidfVectorizer's arguments, several for a union of them; null: a CountVectorizer. */
  readonly vectorizer: Readonly<Record<string, unknown>> | readonly unknown[] | null
}

export interface Case {
  readonly section: keyof typeof sections
  /** What the row is called. */
  readonly what: string
  readonly data: DataSet
  readonly clean?: readonly string[]
  /** The flags of `millrace train`, without those of the data; undefined: scikit-learn's row alone. */
  readonly flags?: string
  /** Undefined: scikit-learn has no such thing. */
  readonly peer?: PeerCase
}

/** What was written by others is taken away before the signature is looked for. */
const stripping = ['headers', 'quotes', 'footers']

export const sections = {
  whole: {
    title: '20 Newsgroups, whole posts, everything at its defaults',
    text: 'The official split by date: 11,314 posts to learn from, 7,532 to be asked about, 20 labels. The headers are left in the posts, and they tell much.',
  },
  six: {
    title: 'Six of the groups, whole posts, everything at its defaults',
    text: 'talk.politics.misc, misc.forsale, rec.motorcycles, comp.sys.mac.hardware, sci.med and talk.religion.misc: 3,197 posts to learn from, 2,130 to be asked about.',
  },
  stripped: {
    title: 'Posts without headers, footers and quotes, everything at its defaults',
    text: "What is left is what a person wrote. scikit-learn's side strips with its own `strip_newsgroup_...` functions, in the same order: headers, quotes, footers.",
  },
  tweets: {
    title: 'Tweets and short news',
    text: 'TweetEval hate (HatEval): 9,000 tweets to learn from, 2,970 to be asked about, which were drawn otherwise, so that everybody falls far below the validation score; macro F1 is its official figure. Airline: Twitter US Airline Sentiment, 14,640 tweets, three labels, five folds drawn by label with seed 0, the mean of their figures; 155 tweets are there twice. AG News: 8,814 rows of its training part, four labels, unevenly common; the official test of 7,600.',
  },
  best: {
    title: 'The best combination, chosen on the training part alone',
    text: "20 Newsgroups. What led a cross-validation with three folds of the training part, by macro F1; the test part was asked once, afterwards. scikit-learn's side tried LinearSVC, RidgeClassifier, SGDClassifier, ComplementNB and MultinomialNB on words, with and without stop words. Stripped here in the order of `fetch_20newsgroups`: headers, footers, quotes.",
  },
} as const

const defaults = [
  ['MultinomialNB', 'multinomial-nb', ''],
  ['ComplementNB', 'complement-nb', ''],
  ['LinearSVC', 'linear-svc', ' --calibrate none'],
] as const

function atDefaults(
  section: Case['section'],
  data: DataSet,
  clean: readonly string[] = [],
): Case[] {
  const place = section === 'stripped' ? `${data === 'six' ? 'six groups' : 'all groups'}, ` : ''
  return defaults.map(([peer, name, more]) => ({
    section,
    what: `${place}tf-idf + ${name}`,
    data,
    clean,
    flags: `--estimator ${name}${more}`,
    peer: { estimator: peer, options: {}, vectorizer: {} },
  }))
}

function onTweets(data: DataSet): Case[] {
  const pairs = { ngram_range: [1, 2], sublinear_tf: true }
  const flags = '--features word:1-2 --sublinear'
  return [
    ...atDefaults('tweets', data).map((one) => ({ ...one, what: `${data}, ${one.what}` })),
    {
      section: 'tweets',
      what: `${data}, word:1-2, sublinear tf-idf + linear-svc (C=0.3)`,
      data,
      flags: `--estimator linear-svc --option C=0.3 ${flags} --calibrate none`,
      peer: { estimator: 'LinearSVC', options: { C: 0.3 }, vectorizer: pairs },
    },
    {
      section: 'tweets',
      what: `${data}, word:1-2, counts + nb-svm (C=0.1)`,
      data,
      flags: '--estimator nb-svm --option C=0.1 --features word:1-2 --no-tfidf --calibrate none',
    },
  ]
}

/** Chosen before the test part was asked; see the section's text. */
const best: readonly Case[] = [
  {
    section: 'best',
    what: "whole posts: linear-svc on words and characters; scikit-learn's RidgeClassifier on words",
    data: 'twenty',
    flags:
      '--estimator linear-svc --features word:1-2,char_wb:2-5 --min-df 2 --sublinear --calibrate none',
    peer: {
      estimator: 'RidgeClassifier',
      options: { alpha: 0.3, solver: 'sparse_cg' },
      vectorizer: { sublinear_tf: true },
    },
  },
  {
    section: 'best',
    what: 'stripped: complement-nb (alpha 0.05) on words and characters; ComplementNB (alpha 0.3) on words',
    data: 'twenty',
    clean: ['headers', 'footers', 'quotes'],
    flags:
      '--estimator complement-nb --option alpha=0.05 --features word:1-2,char_wb:3-5 --stop-words english --sublinear',
    peer: {
      estimator: 'ComplementNB',
      options: { alpha: 0.3 },
      vectorizer: { ngram_range: [1, 2], stop_words: 'english', sublinear_tf: true },
    },
  },
]

export const cases: readonly Case[] = [
  {
    section: 'whole',
    what: 'counts + multinomial-nb',
    data: 'twenty',
    flags: '--estimator multinomial-nb --no-tfidf',
    peer: { estimator: 'MultinomialNB', options: {}, vectorizer: null },
  },
  ...atDefaults('whole', 'twenty'),
  ...atDefaults('six', 'six'),
  ...atDefaults('stripped', 'twenty', stripping),
  ...atDefaults('stripped', 'six', stripping),
  ...onTweets('hate'),
  ...onTweets('airline'),
  ...onTweets('ag-news'),
  ...best,
]
