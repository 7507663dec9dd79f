/**
 * What ids tell of where messages come from: `a/step/0` was made of `a` by a flatMap, `a+b` of `a`
 * and `b` by a join. An id that has a '+' of its own looks like a pair: then too much is found.
 */

/** What a flatMap adds, once or more: names of steps are made of these characters. */
const madeByFlatMap = /^(\/[\w.-]+\/\d+)*(?=\+|$)/
const lastFlatMap = /\/[\w.-]+\/\d+$/
/** Of an id with many '+' not all ways to part it are tried. */
const mostAncestors = 64

export class Lineage {
  readonly #id: string
  readonly #ancestors = new Set<string>()
  /** False where the id has more parts than are looked for. */
  readonly isWhole: boolean

  constructor(id: string) {
    this.#id = id
    const waiting = [id]
    for (const one of waiting) {
      for (const parent of parentsOf(one)) {
        if (this.#ancestors.size >= mostAncestors) break
        if (!this.#ancestors.has(parent)) waiting.push(parent)
        this.#ancestors.add(parent)
      }
    }
    this.isWhole = this.#ancestors.size < mostAncestors
  }

  /** Whether that is the message itself, what it was made of, or what was made of it. */
  has(id: string): boolean {
    return id === this.#id || this.#ancestors.has(id) || this.#isMadeOfIt(id)
  }

  #isMadeOfIt(id: string): boolean {
    const own = this.#id
    for (let at = id.indexOf(own); at >= 0; at = id.indexOf(own, at + 1)) {
      const isPart = at === 0 || id[at - 1] === '+'
      if (isPart && madeByFlatMap.test(id.slice(at + own.length))) return true
    }
    return false
  }
}

function parentsOf(id: string): string[] {
  const parents: string[] = []
  const step = lastFlatMap.exec(id)
  if (step !== null) parents.push(id.slice(0, step.index))
  for (let at = id.indexOf('+'); at >= 0; at = id.indexOf('+', at + 1)) {
    parents.push(id.slice(0, at), id.slice(at + 1))
  }
  return parents.filter((parent) => parent !== '')
}
