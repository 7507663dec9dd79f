/** Holds error codes together: declared once, used somewhere, on the reference page. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { errorCodes } from '../src/core/error-codes.ts'
import { codeOnly, filesOf, textOf } from './house.ts'

describe('error codes', () => {
  const declared = Object.keys(errorCodes)
  const product = filesOf('src/**/*.ts').filter(
    (file) => !/\.(test|contract|types)\.ts$/.test(file) && file !== 'src/core/error-codes.ts',
  )

  test('the reference page has exactly the declared ones', () => {
    const page = [...textOf('docs/reference/errors.md').matchAll(/^## `([A-Z_]+)`/gm)]
    assert.deepEqual(
      page.map((match) => match[1]),
      [...declared].sort(),
    )
  })

  test('every declared one is used in src', () => {
    const code = product.map(codeOnly).join('\n')
    const unused = declared.filter((name) => !code.includes(`'${name}'`))
    assert.deepEqual(unused, [])
  })

  test('every one that is thrown is declared', () => {
    const thrown = product.flatMap((file) =>
      [...codeOnly(file).matchAll(/\bfail\(\s*'([^']+)'/g)].map((match) => match[1]!),
    )
    assert.ok(thrown.length > 0)
    assert.deepEqual(
      thrown.filter((name) => !declared.includes(name)),
      [],
    )
  })

  test('each says when it comes and what to do', () => {
    for (const [name, { when, fix }] of Object.entries(errorCodes)) {
      assert.match(when, /^[A-Z].+\.$/s, name)
      assert.match(fix, /^[A-Z].+\.$/s, name)
    }
  })
})
