import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { propertiesText, scramLogin } from './properties.ts'

/** As java.util.Properties reads one line: escapes of the value undone. */
const readValue = (line: string): string =>
  line
    .slice(line.indexOf('=') + 1)
    .replaceAll(/\\u([\da-f]{4})|\\(.)/g, (_, hex: string | undefined, one: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
      return { n: '\n', r: '\r', t: '\t' }[one] ?? one
    })

describe('properties files', () => {
  it('hold any text on one line of ASCII, and give it back', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const text = propertiesText([{ comment: 'one', settings: { name: value } }])
        assert.match(text, /^[\x20-\x7e\n]*$/)
        const lines = text.split('\n')
        assert.deepEqual([lines.length, lines[0]], [3, '# one'])
        assert.equal(readValue(lines[1]!), value)
      }),
    ))

  it('hold a sign-in whose password has quotes', () => {
    assert.match(scramLogin('a', 'b"c\\'), /username="a" password="b\\"c\\\\";$/)
  })
})
