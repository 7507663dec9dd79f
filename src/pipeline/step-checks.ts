/** What is refused of a step when it is written down, beside what its types refuse. */
import { fail } from '../core/errors.ts'
import type { Definition, Target } from './definition.ts'

/**
 * Of a join without a key before it, which is one to one and has no options. Types refuse other ones
 * too, but applications run without a check of types. Throws `PIPELINE_INVALID`.
 */
export function checkJoin(
  field: string,
  other: { readonly kind: string },
  hasOptions: boolean,
): void {
  if (other.kind === 'topic' && !hasOptions) return
  const what = other.kind === 'topic' ? 'a join within a time' : `a ${other.kind}`
  const words = `${what} goes by a key; put keyBy before it: .keyBy(...).join('${field}', ...)`
  throw fail('PIPELINE_INVALID', `join '${field}': ${words}`)
}

/** Throws `PIPELINE_INVALID` where the pipeline would read again what it writes, for ever. */
export function checkTarget({ name, inputs }: Definition, target: Target): void {
  if (target.kind !== 'topic') return
  const { topic } = target
  const isRead = inputs.some((input) => input.kind === 'topic' && input.topic.name === topic.name)
  if (!isRead) return
  const words = `it reads topic ${topic.name} and would read what it writes there, for ever; write to another topic`
  throw fail('PIPELINE_INVALID', `pipeline ${name}: ${words}`)
}
