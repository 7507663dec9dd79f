/** What differs between the form that state was written in and the one that a step has, in words. */
import type { Form } from './entry-forms.ts'

/** What differs, and what to do about it. */
export interface Difference {
  readonly words: string
  readonly hint: string
}

const anew = 'give the step another name (it begins anew) or start over with --fresh'

export function formDifference(written: Form, own: Form): Difference {
  if (unversioned(written.name) === unversioned(own.name)) return byVersion(written, own)
  const [before, after] = [windowOf(written.name), windowOf(own.name)]
  const undo = `undo the change, ${anew}`
  if (before !== undefined && after !== undefined) {
    const { words, isOnlyMore } = byWindow(before, after)
    const why = 'what came before cannot be reckoned any more: '
    return { words, hint: isOnlyMore ? `${why}${anew}` : undo }
  }
  const [one, other] = trimmed(written.name, own.name)
  return { words: `it was written by '${one}', the step is now '${other}'`, hint: undo }
}

const version = / v\d+\b/g
const unversioned = (name: string) => name.replace(version, ' v')
const versionsOf = ({ name, version: own }: Form) => [
  ...[...name.matchAll(version)].map(([found]) => Number(found.slice(2))),
  own,
]

/** A vector of versions: mostly one of them differs. */
function byVersion(written: Form, own: Form): Difference {
  const ours = versionsOf(own)
  const changed = versionsOf(written).flatMap((found, index) => {
    return found === ours[index] ? [] : [{ found, ours: ours[index]! }]
  })
  const [first = { found: written.version, ours: own.version }] = changed
  if (changed.some(({ found, ours: known }) => found > known)) {
    const words = `a newer version of the application wrote it (version ${first.found}, this one knows ${first.ours})`
    return { words, hint: `run the newer one, or ${anew}` }
  }
  const words = `it is of version ${first.found}, the step now says ${first.ours} and not how old state becomes new`
  return { words, hint: `give it migrate, undo the change, ${anew}` }
}

interface WindowName {
  readonly kind: string
  readonly parameters: ReadonlyMap<string, string>
  readonly fields: ReadonlyMap<string, string>
}

/** Undefined: it is no window; see `windowFormName`. */
function windowOf(name: string): WindowName | undefined {
  const found = /^(\w+) window \((.*?)\) of (.*) v\d+$/.exec(name)
  if (found === null) return undefined
  const [, kind, parameters, aggregates] = found as unknown as [string, string, string, string]
  return { kind, parameters: pairs(parameters, / (.*)/), fields: fieldsOf(aggregates) }
}

function fieldsOf(aggregates: string): Map<string, string> {
  if (!aggregates.startsWith('{ ')) return new Map([['', aggregates]])
  const found = aggregates.slice(2, -2).matchAll(/(.+?): (.+?) v\d+(?:, |$)/g)
  return new Map([...found].map(([, field, aggregate]) => [field!, aggregate!]))
}

const pairs = (text: string, between: RegExp) =>
  new Map(
    text.split(', ').map((one) => {
      const [name, value = ''] = one.split(between)
      return [name!, value] as const
    }),
  )

function byWindow(before: WindowName, after: WindowName) {
  const told: string[] = []
  if (before.kind !== after.kind) {
    told.push(`its windows were ${before.kind} and are now ${after.kind}`)
  } else {
    const parameters = differing(before.parameters, after.parameters)
    told.push(...parameters.map(({ name, was, is }) => `${name} was ${was} and is now ${is}`))
  }
  const fields = differing(before.fields, after.fields)
  const more = fields.filter(({ was }) => was === undefined)
  for (const { name, was, is } of fields) {
    const field = name === '' ? 'what it reckons' : `'${name}'`
    if (was === undefined) told.push(`it now also reckons ${field} (${is})`)
    else if (is === undefined) told.push(`it no longer reckons ${field} (${was})`)
    else told.push(`${field} was ${was} and is now ${is}`)
  }
  return { words: told.join(', '), isOnlyMore: told.length === more.length }
}

function differing(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name) => ({ name, was: before.get(name), is: after.get(name) }))
    .filter(({ was, is }) => was !== is)
}

/** Without the words that both begin with, and those that both end with. */
function trimmed(one: string, other: string): [string, string] {
  const [left, right] = [one.split(' '), other.split(' ')]
  let from = 0
  while (from < left.length - 1 && from < right.length - 1 && left[from] === right[from]) from++
  let end = 0
  const most = Math.min(left.length, right.length) - from - 1
  while (end < most && left.at(-1 - end) === right.at(-1 - end)) end++
  const cut = (words: string[]) => {
    const kept = words.slice(from, words.length - end).join(' ')
    return `${from > 0 ? '... ' : ''}${kept}${end > 0 ? ' ...' : ''}`
  }
  return [cut(left), cut(right)]
}
