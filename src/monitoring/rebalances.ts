/** How often the partitions of groups were shared out anew while somebody looked, and when last. */
import type { GroupInfo } from '../log/log.ts'

export interface Rebalances {
  /** Of the group; 0: not known, because nobody is in it. */
  readonly generation: number
  /** Since this process began to look. */
  readonly count: number
  /** Undefined: none was seen. */
  readonly lastAtMs: number | undefined
}

export class RebalanceCount {
  readonly #groups = new Map<string, Rebalances>()

  /** To be told of all groups, now and then; forgets those that are gone. */
  look(groups: ReadonlyMap<string, Pick<GroupInfo, 'generation'>>, nowMs: number): void {
    for (const name of this.#groups.keys()) if (!groups.has(name)) this.#groups.delete(name)
    for (const [name, { generation }] of groups) {
      const known = this.#groups.get(name)
      if (known === undefined) {
        this.#groups.set(name, { generation, count: 0, lastAtMs: undefined })
      } else if (generation > 0 && generation !== known.generation) {
        // A group that was deleted and made anew counts from its beginning again.
        const since = generation > known.generation ? known.generation : 0
        const count = known.count + generation - since
        this.#groups.set(name, { generation, count, lastAtMs: nowMs })
      }
    }
  }

  of(group: string): Rebalances {
    return this.#groups.get(group) ?? { generation: 0, count: 0, lastAtMs: undefined }
  }
}
