import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BatchBuilder } from '../core/batch-builder.ts'
import { createMemoryLog } from '../log/memory.ts'
import type { Section } from './panel-view.ts'
import { BoardReader, BoardTeller, boardsTopic } from './told-boards.ts'

const words = (text: string): readonly Section[] => [
  { title: 'Demo', panels: [{ kind: 'text', title: 'About', note: null, paragraphs: [text] }] },
]

function demo() {
  const log = createMemoryLog()
  const problems: string[] = []
  const problem = (one: string) => void problems.push(one)
  const teller = (key: string) => new BoardTeller({ log, key, app: `${key}/app.ts`, problem })
  const messages = async () => (await log.offsets(boardsTopic, 0)).end
  return { log, problems, teller, messages, reader: new BoardReader(log) }
}

describe('panels: told boards', () => {
  it('are read by whoever follows, the one told last first', async () => {
    const { teller, reader } = demo()
    await reader.read()
    assert.deepEqual(reader.boards, [])
    await teller('one').tell(words('first'), 1)
    await teller('two').tell(words('second'), 2)
    await reader.read()
    const apps = reader.boards.map(({ app, atMs, sections }) => [app, atMs, sections])
    assert.deepEqual(apps, [
      ['two/app.ts', 2, words('second')],
      ['one/app.ts', 1, words('first')],
    ])
    const { boards } = reader
    await reader.read()
    assert.equal(reader.boards, boards, 'nothing changed: the very same list')
  })

  it('are told again only when something is shown that was not', async () => {
    const { teller, messages } = demo()
    const one = teller('one')
    await one.tell(words('a'), 1)
    await one.tell(words('a'), 2)
    assert.equal(await messages(), 1)
    await one.tell(words('a'), 30_000)
    assert.equal(await messages(), 2, 'and now and then, so that it is known to run')
    await one.end(words('b'), 30_001)
    assert.equal(await messages(), 3)
  })

  it('vanish with the panels of their application', async () => {
    const { log, teller, reader, messages } = demo()
    await teller('none').tell([], 1)
    assert.equal(await log.topic(boardsTopic), undefined, 'without panels there is no topic')
    await teller('one').tell(words('a'), 1)
    const without = teller('one')
    await without.tell([], 2)
    await reader.read()
    assert.deepEqual(reader.boards, [])
    await without.tell([], 60_000)
    assert.equal(await messages(), 2, 'taken back once, however long it runs')
  })

  it('pass over what is no board of this version', async () => {
    const { log, teller, reader } = demo()
    await teller('one').tell(words('a'), 1)
    const builder = new BatchBuilder(boardsTopic, 0)
    builder.append('newer', '{"v":2}', 1)
    builder.append('broken', '{', 1)
    await log.commit({ outputs: [{ topic: boardsTopic, partition: 0, batch: builder.build() }] })
    await reader.read()
    assert.equal(reader.boards.length, 1)
  })

  it('that cannot be written are a problem told once, not an end', async () => {
    const { log, teller, problems } = demo()
    const failing = { ...log, topic: () => Promise.reject(new Error('the disk is full')) }
    const problem = (one: string) => void problems.push(one)
    const one = new BoardTeller({ log: failing, key: 'k', app: 'a', problem })
    await one.tell(words('a'), 1)
    await one.tell(words('b'), 2)
    assert.deepEqual(problems, ['panels are not told: the disk is full'])
    assert.equal(typeof teller, 'function')
  })
})
