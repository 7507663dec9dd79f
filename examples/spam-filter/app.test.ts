import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipelineTest } from 'millrace/testing'
import * as app from './app.ts'

const { judged, labels, mails, scored } = app
const mail = (id: string, subject: string) => ({
  ...{ id, subject, text: `${subject}\nand a body`, date: 'Mon, 02 Sep 2002 10:00:00 +0000' },
})
/** In place of the model: no training, and answers that a test can foresee. */
const models = {
  'spam-filter': (texts: readonly string[]) =>
    texts.map((text) => ({ label: text.includes('FREE') ? 'spam' : 'ham', score: 0.9, terms: [] })),
}

describe('examples/spam-filter: the pipelines', () => {
  it(
    'score mails, judge them once the truth is there, and keep both',
    pipelineTest(app, { models }, async (t) => {
      await t.push(mails, [mail('1', 'FREE money'), mail('2', 'lunch'), mail('3', 'FREE lunch')])
      await t.run()
      assert.deepEqual(
        (await t.outputs(scored)).map((one) => [one.id, one.spam.label, 'text' in one]),
        [
          ['1', 'spam', false],
          ['2', 'ham', false],
          ['3', 'spam', false],
        ],
      )
      await t.expectOutputs(judged, [])
      await t.push(labels, [
        { id: '3', label: 'ham' },
        { id: '1', label: 'spam' },
      ])
      await t.run()
      const outputs = await t.outputs(judged)
      const told = outputs.map((one) => [one.id, one.truth.label, one.isRight]).sort()
      assert.deepEqual(told, [
        ['1', 'spam', true],
        ['3', 'ham', false],
      ])
      assert.equal(t.sunk(app.warehouse).length, 2)
    }),
  )

  it(
    'read the stream twice: mails without their labels, labels without their mails',
    pipelineTest(app, { models }, async (t) => {
      const all = { ...mail('ham/7', 'lunch'), time: t.now(), group: 'ham', label: 'ham' }
      t.feed(app.ingestMails, all)
      t.feed(app.ingestLabels, all)
      await t.run()
      await t.expectOutputs(mails, [mail('ham/7', 'lunch')])
      await t.expectOutputs(labels, [{ id: 'ham/7', label: 'ham' }])
      assert.deepEqual(
        (await t.outputs(judged)).map(({ isRight }) => isRight),
        [true],
      )
    }),
  )

  it(
    'judge every mail once, whichever side comes first and wherever the process is killed',
    pipelineTest(app, { models }, async (t) => {
      let pushed = 0
      for (const step of ['prepared', 'written', 'committed'] as const) {
        for (const pipeline of ['score', 'judge', 'warehouse']) {
          const id = String(pushed++)
          const one = () => t.push(mails, mail(id, 'FREE'))
          const other = () => t.push(labels, { id, label: 'spam' })
          for (const push of pushed % 2 === 0 ? [one, other] : [other, one]) await push()
          await t.crash(step, { pipeline })
          await t.restart()
          await t.run()
        }
      }
      assert.deepEqual(
        (await t.outputs(judged)).map(({ id, isRight }) => [id, isRight]),
        Array.from({ length: pushed }, (_, index) => [String(index), true]),
      )
      assert.equal(t.sunk('warehouse').length, pushed)
    }),
  )
})
