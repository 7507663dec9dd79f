import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Lineage } from './message-lineage.ts'

const related = (id: string, others: readonly string[]) => {
  const lineage = new Lineage(id)
  return others.filter((other) => lineage.has(other))
}

describe('the lineage of a message', () => {
  it('goes forward over flatMap and join, however often', () => {
    const made = [
      'm1',
      'm1/split/0',
      'm1/split/12/again/3',
      'm1+m2',
      'm0+m1',
      'm0+m1+m2',
      'm0+m1/split/1',
      'm1/split/0+m2',
    ]
    assert.deepEqual(related('m1', made), made)
    const others = ['m', 'm11', 'xm1', 'm1x', 'm1/2', 'm1/split', 'm1/a/b', 'm11+m2', 'xm1+m1x']
    assert.deepEqual(related('m1', others), [])
  })

  it('goes back to both sides of a pair, and to what a flatMap had', () => {
    assert.deepEqual(related('a+b', ['a', 'b', 'a+b', 'a+c', 'c+b', 'a/s/0']), ['a', 'b', 'a+b'])
    const pair = 'a/s/0+b/t/1'
    const expected = ['a', 'a/s/0', 'b', 'b/t/1', 'a/s/0+b', `${pair}/u/2`]
    assert.deepEqual(related(pair, [...expected, 'a/s/1', 's', '0']), expected)
    assert.deepEqual(related('a+b+c', ['a', 'b', 'c', 'a+b', 'b+c', 'a+c']), [
      ...['a', 'b', 'c', 'a+b', 'b+c'],
    ])
  })

  it('knows ids as sources make them', () => {
    const mail = 'generate:mails:spam-2/01398'
    const pair = `${mail}+generate:labels:spam-2/01398`
    assert.deepEqual(related(mail, [mail, pair, `${mail}0`]), [mail, pair])
    assert.deepEqual(related('generate:mails:spam-2', [mail]), [])
    assert.deepEqual(related(pair, [mail, pair, 'generate:labels:spam-2/01398']), [
      ...[mail, pair, 'generate:labels:spam-2/01398'],
    ])
    const place = 'Zk3x/0/17'
    assert.deepEqual(related(place, [place, `${place}1`, `${place}/split/0`, `Zk3x/0/1`]), [
      ...[place, `${place}/split/0`],
    ])
  })

  it('is the same seen from both ends', () => {
    const name: fc.Arbitrary<string> = fc.constantFrom('s', 't.u', 'v-1')
    const step = name.chain((one) => fc.nat({ max: 20 }).map((at) => `/${one}/${at}`))
    const root: fc.Arbitrary<string> = fc.constantFrom('a', 'b:c', 'd/e')
    const leaf = fc
      .tuple(root, fc.array(step, { maxLength: 2 }))
      .map(([id, steps]) => `${id}${steps.join('')}`)
    const pair = fc.tuple(leaf, leaf, fc.array(step, { maxLength: 1 }))
    const property = fc.property(pair, ([left, right, steps]) => {
      const made = `${left}+${right}${steps.join('')}`
      for (const side of [left, right]) {
        assert.ok(new Lineage(made).has(side), `${made} -> ${side}`)
        assert.ok(new Lineage(side).has(made), `${side} -> ${made}`)
      }
    })
    fc.assert(property, { seed: 5, numRuns: 300 })
  })

  it('of an id with many parts stays bounded, and says so', () => {
    const many = Array.from({ length: 500 }, (_, index) => `p${index}`).join('+')
    const lineage = new Lineage(many)
    assert.equal(lineage.isWhole, false)
    assert.ok(lineage.has(many) && lineage.has('p0'))
    assert.equal(new Lineage('a+b').isWhole, true)
    assert.ok(new Lineage('+'.repeat(1000)).has(`${'+'.repeat(1000)}/s/1`))
  })
})
