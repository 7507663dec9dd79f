import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { avro } from '../formats/index.ts'
import { TestRegistry } from '../formats/registry-testing.ts'
import { Codecs } from '../pipeline/codecs.ts'
import { topic } from '../pipeline/topic.ts'
import { keptIn, linesType, withMemory } from './door-testing.ts'

const schema = { type: 'record', name: 'Order', fields: [{ name: 'id', type: 'string' }] }
const declared = topic('in', {
  schema: z.looseObject({ id: z.string() }),
  key: (order) => order.id,
  format: avro({ schema, register: true }),
})

describe('door: topics with a format', () => {
  it('takes JSON and stores it in the format', async () => {
    const registry = await TestRegistry.start()
    const codecs = new Codecs({
      ...{ name: 'test', prefix: '' },
      connection: async () => ({ urls: [registry.url] }),
    })
    const asked = (options: { type?: string } = {}, body = '{"id":"ab"}\n{"id":"cd"}\n') =>
      withMemory(
        async (process) => {
          const answer = await process.post('/in', body, { type: linesType, ...options })
          const kept = await keptIn(process.log, 'in')
          values.push(...kept.map(({ value }) => value))
          answers.push(answer.status, answer.body.message ?? '')
        },
        { topics: [declared], codecs },
      )
    const values: unknown[] = []
    const answers: unknown[] = []
    registry.instead = () => [503, { message: 'not now' }]
    await asked()
    registry.instead = undefined
    await asked()
    await asked({}, '{"id":"ab","more":1}')
    await registry.stop()
    assert.deepEqual(values.sort(), ['\0\0\0\0\u0001\u0004ab', '\0\0\0\0\u0001\u0004cd'])
    assert.equal(answers[0], 503)
    assert.equal(answers[2], 200)
    assert.deepEqual(answers.slice(4, 5), [400])
    assert.match(String(answers[5]), /no field more/)
  })

  it('takes nothing where no registry is known, rather than something else', () =>
    withMemory(
      async (process) => {
        const { status, body } = await process.post('/in', '{"id":"ab"}')
        assert.equal(status, 503)
        assert.match(body.message ?? '', /SCHEMA_REGISTRY_URL|not known/)
        assert.deepEqual(await keptIn(process.log, 'in'), [])
      },
      { topics: [declared], codecs: new Codecs(undefined) },
    ))
})
