/**
 * The laws of every part, whatever its kind: what `sourceContract` and `sinkContract` begin with.
 * For tests only.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { z } from 'zod'
import { codeOf } from './errors.ts'
import { type Part, usePart } from './part.ts'

/** Registers the tests that need only the declaration. */
export function partLaws<Options extends z.ZodObject, Context, Opened>(
  part: Part<Options, Context, Opened>,
): void {
  test('the example is valid', () => {
    usePart(part, part.example)
  })

  test('every option says what it means', () => {
    for (const [option, schema] of Object.entries(part.options.shape)) {
      const { description } = schema as { description?: string }
      assert.ok(description, `option '${option}' has no description`)
    }
  })

  test('an unknown option is refused, with a suggestion', () => {
    const [option] = Object.keys(part.options.shape)
    const misspelt = { ...part.example, [`${option}x`]: 1 } as z.input<Options>
    assert.throws(
      () => usePart(part, misspelt),
      (error: Error) => {
        assert.equal(codeOf(error), 'OPTIONS_INVALID')
        assert.match(error.message, new RegExp(`${part.name}.*did you mean '${option}'`))
        return true
      },
    )
  })
}

/** Rejects when the promise takes longer than `limitMs`, saying what was slow. */
export async function promptly<Value>(
  what: string,
  promise: Promise<Value>,
  limitMs = 1000,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${limitMs} ms`)), limitMs)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
