import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { createMemoryLog } from '../log/memory.ts'
import { gauge, panels, pie } from '../panels/panel.ts'
import type { GaugeView, PieView } from '../panels/panel-view.ts'
import { PanelsReader } from './panels-reader.ts'
import { appendAll } from './testing.ts'
import { topic } from './topic.ts'

const mails = topic('mails', { schema: z.object({ label: z.string(), score: z.number() }) })
const declared = [
  panels('Mails', [
    pie(mails, { title: 'Labels', by: 'label' }),
    gauge(mails, { title: 'Score', value: { mean: 'score' } }),
  ]),
]

describe('panels reader', () => {
  it('takes in what topics hold and goes on from there, and counts what it cannot read', async () => {
    const log = createMemoryLog()
    const reader = new PanelsReader(log, declared)
    assert.equal(await reader.read(), false, 'the topic is not there yet')
    await log.createTopic('mails', { partitions: 2 })
    await appendAll(log, 'mails', [
      { value: { label: 'ham', score: 1 } },
      { value: { label: 'spam', score: 2 }, partition: 1 },
      { value: null, key: 'gone' },
      { value: Buffer.from('{') },
      { value: { label: 'ham' } },
    ])
    while (await reader.read());
    await appendAll(log, 'mails', [{ value: { label: 'ham', score: 6 } }])
    while (await reader.read());
    const [labels, score] = reader.sections()[0]!.panels as [PieView, GaugeView]
    assert.deepEqual(labels.slices, [
      { name: 'ham', value: 2 },
      { name: 'spam', value: 1 },
    ])
    assert.deepEqual([labels.messages, labels.unreadable], [3, 2])
    assert.equal(score.value, 3)
  })
})
