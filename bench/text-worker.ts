/**
 * Millrace's side of the text benchmark: a process that is told by lines of JSON what to do, and
 * answers each with how long it took. bench/peers/scikit_learn_text.py is the other side.
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { CountVectorizer, HashingVectorizer } from 'millrace/features'
import {
  type CompiledTextClassifier,
  logisticRegression,
  multinomialNB,
  sgdClassifier,
  textClassifier,
} from 'millrace/models'
import { complementNB } from '../src/models/complement-nb.ts'
import { linearSVC } from '../src/models/linear-svc.ts'
import type { Answer, Task } from './text-sides.ts'
import type { BenchTexts } from './text-texts.ts'

const estimators = {
  multinomialNB,
  complementNB,
  linearSVC,
  sgdClassifier,
  logisticRegression,
}

const vectorizers = {
  'word:1-2': (texts: readonly string[]) =>
    new CountVectorizer({ ngramRange: [1, 2] }).fitTransform(texts),
  'char_wb:2-5': (texts: readonly string[]) =>
    new CountVectorizer({ analyzer: 'char_wb', ngramRange: [2, 5] }).fitTransform(texts),
  'hashing word:1-1': (texts: readonly string[]) => new HashingVectorizer().transform(texts),
}

const { train, test } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as BenchTexts
let classifier: CompiledTextClassifier | undefined

for await (const line of createInterface({ input: process.stdin })) {
  const work = workOf(JSON.parse(line) as Task)
  const cpu = process.cpuUsage()
  const start = performance.now()
  const tell = work()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const answer: Answer = { seconds, cpuSeconds: (user + system) / 1e6, found: tell() }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

/** What is timed; it gives back what tells, untimed, a figure that both sides must agree on. */
function workOf(task: Task): () => () => number {
  if (task.do === 'fit') {
    const estimator = estimators[task.estimator]()
    return () => {
      classifier = textClassifier({ tfidf: true, estimator, calibrate: null }).fit(
        train.texts,
        train.labels,
      )
      return () => classifier!.model.coefficients.length / classifier!.labels.length
    }
  }
  if (task.do === 'vectorize') {
    const texts = train.texts.slice(0, task.count)
    return () => {
      const { indices } = vectorizers[task.vectorizer](texts)
      return () => indices.length
    }
  }
  const fitted = classifier!
  if (task.do === 'predict') {
    return () => {
      const answers = fitted.predict(test.texts)
      return () =>
        answers.filter(({ label }, row) => label === test.labels[row]).length / answers.length
    }
  }
  const step = test.texts.length / task.count
  const asked = Array.from({ length: task.count }, (_, index) => {
    const text = test.texts[Math.floor(index * step)]!
    return task.characters === undefined ? text : text.slice(-task.characters).toWellFormed()
  })
  return () => {
    const answers = asked.map((text) => fitted.predict([text])[0]!.label)
    return () => new Set(answers).size
  }
}
