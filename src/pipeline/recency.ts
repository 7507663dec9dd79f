/** Things in the order in which they were used last: a list that is linked within them. */

export interface Used<Self> {
  before: Self | undefined
  after: Self | undefined
}

export class Recency<Item extends Used<Item>> {
  #oldest: Item | undefined
  #newest: Item | undefined

  get oldest(): Item | undefined {
    return this.#oldest
  }

  add(item: Item): void {
    item.before = this.#newest
    item.after = undefined
    if (this.#newest === undefined) this.#oldest = item
    else this.#newest.after = item
    this.#newest = item
  }

  touch(item: Item): void {
    if (item === this.#newest) return
    this.remove(item)
    this.add(item)
  }

  remove({ before, after }: Item): void {
    if (before === undefined) this.#oldest = after
    else before.after = after
    if (after === undefined) this.#newest = before
    else after.before = before
  }
}
