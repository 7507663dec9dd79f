import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { file } from '../sinks/index.ts'
import { generate } from '../sources/index.ts'
import { classifier } from './model-use.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { planMermaid, planText } from './plan-text.ts'
import { rolling } from './rolling-feature.ts'
import { table } from './table.ts'
import { topic } from './topic.ts'

const mails = topic<{ id: string; text: string }>('mails', { partitions: 2 })
const labels = topic<{ label: string }>('labels', { partitions: 2 })
const scored = topic<{ id: string }>('scored')
const spam = classifier('spam', { labels: ['ham', 'spam'] })

const ingest = pipeline('ingest')
  .from(generate({ name: 'g', count: 3, value: (n) => ({ id: `${n}`, text: '' }) }))
  .to(mails)
const score = pipeline('score')
  .from(mails)
  .filter('long', (mail) => mail.text.length > 3)
  .predict('spam', spam, { input: (mail) => mail.text })
  .join('truth', labels)
  .to(scored)
  .to(file({ path: 'scored.ndjson' }))

const definitions = [score, ingest].map((one) => one['~pipeline'])

describe('a plan', () => {
  it('puts whoever writes a topic before whoever reads it', () => {
    const plan = planOf(definitions)
    assert.deepEqual(
      plan.pipelines.map(({ name }) => name),
      ['ingest', 'score'],
    )
    const found = plan.topics.find(({ name }) => name === 'mails')!
    assert.deepEqual([found.writtenBy, found.readBy], [['ingest'], ['score']])
  })

  it('is plain data', () => {
    const plan = planOf(definitions)
    assert.deepEqual(
      JSON.parse(JSON.stringify(plan)),
      JSON.parse(JSON.stringify(planOf(definitions))),
    )
  })

  it('has a hash that changes with the steps and with nothing else', () => {
    const hashOf = (one: { '~pipeline': (typeof definitions)[number] }) =>
      planOf([one['~pipeline']]).pipelines[0]!.hash
    const same = pipeline('score')
      .from(mails)
      .map('a', (mail) => mail)
      .to(scored)
    const other = pipeline('score')
      .from(mails)
      .map('b', (mail) => mail)
      .to(scored)
    assert.equal(
      hashOf(same),
      hashOf(
        pipeline('score')
          .from(mails)
          .map('a', () => ({ id: '' }))
          .to(scored),
      ),
    )
    assert.notEqual(hashOf(same), hashOf(other))
  })

  it('says every end with its guarantee, and every step', () => {
    assert.equal(
      planText(planOf(definitions)).replaceAll(/plan [0-9a-f]{12}/g, 'plan'),
      `pipeline ingest (plan)
  from  source generate: exactly once
  to    topic mails: exactly once
  dead letters: ingest.dead-letters

pipeline score (plan)
  from  topic mails: exactly once
  from  topic labels: exactly once, into 'truth'
  step  filter 'long'
  step  predict 'spam' with model spam
  step  join 'truth' with topic labels
  to    topic scored: exactly once
  to    sink file: exactly once (cut back to the committed position after a crash)
  dead letters: score.dead-letters

topics
  mails   2 partitions, delete; written by ingest, read by score
  labels  2 partitions, delete; written by others, read by score
  scored  4 partitions, delete; written by score, read by nobody here`,
    )
  })

  it('draws each pipeline with arrows from its inputs to its outputs', () => {
    const text = planMermaid(planOf(definitions))
    assert.match(text, /^flowchart LR\n/)
    const id = (label: string) => new RegExp(`(n\\d+)\\S*"${label}"`).exec(text)![1]
    const arrows: [string, string][] = [
      ['ingest', 'mails'],
      ['mails', 'score'],
      ['labels', "join 'truth' with topic labels"],
      ["join 'truth' with topic labels", 'scored'],
    ]
    for (const [from, to] of arrows) {
      assert.ok(text.includes(`  ${id(from)} --> ${id(to)}`), `${from} -> ${to} in\n${text}`)
    }
  })

  it('refuses two pipelines or two steps of one name, and a topic declared in two ways', () => {
    const twice = { code: 'PIPELINE_INVALID', message: /two pipelines are called 'score'/ }
    assert.throws(() => planOf([definitions[0]!, definitions[0]!]), twice)
    assert.throws(
      () =>
        pipeline('x')
          .from(mails)
          .map('a', (v) => v)
          .map('a', (v) => v),
      {
        code: 'PIPELINE_INVALID',
        message: /two steps are called 'a'/,
      },
    )
    const otherwise = pipeline('y')
      .from(topic<{ id: string }>('mails', { partitions: 8 }))
      .to(scored)
    assert.throws(() => planOf([definitions[0]!, otherwise['~pipeline']]), {
      code: 'TOPIC_DIFFERS',
      message: /partitions 2 and 8/,
    })
    assert.throws(() => topic('no spaces'), { code: 'NAME_INVALID' })
    assert.throws(() => pipeline(''), { code: 'NAME_INVALID' })
  })

  it('refuses a topic that comes in at two steps, whose position they would share', () => {
    const people = topic<{ name: string }>('people', { partitions: 2 })
    const calls = topic<{ from: string; to: string }>('calls', { partitions: 2 })
    const keyed = pipeline('p').from(calls).keyBy()
    const within = { within: '1h' } as const
    const twice = [
      keyed
        .join('caller', table(people))
        .keyBy(({ to }) => to)
        .join('called', table(people)),
      keyed.join('one', people, within).keyBy().join('other', people, within),
      keyed.join('again', calls, within),
      pipeline('p').from(calls).join('again', calls),
    ]
    for (const one of twice) {
      assert.throws(() => planOf([one.to(topic<object>('out'))['~pipeline']]), {
        code: 'PIPELINE_INVALID',
        message: /reads topic (people|calls) already; copy it to another topic/,
      })
    }
  })

  it('takes topics of any number of partitions for features beside a join', () => {
    const text = planText(
      planOf([
        pipeline('p')
          .from(mails)
          .join('truth', labels)
          .add({
            seen: rolling.count({ by: 'id', over: '1h', from: topic('seen', { partitions: 1 }) }),
          })
          .to(topic('out'))['~pipeline'],
      ]),
    )
    assert.match(text, /from {2}topic seen: exactly once/)
  })
})
