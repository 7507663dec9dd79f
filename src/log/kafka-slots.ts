/** Members of one handle that commit: each has a producer, whose transactional id is free again once it left. */
import { fail } from '../core/errors.ts'
import type { KafkaCommits } from './kafka-commit.ts'
import type { KafkaMembership } from './kafka-member.ts'
import type { Membership } from './log.ts'

interface Slot {
  readonly group: string
  readonly index: number
  readonly member: KafkaMembership
  readonly commits: KafkaCommits
}

export class KafkaSlots {
  #slots: Slot[] = []

  /** `open` is given the lowest number that no other member of the group has. */
  async add(
    group: string,
    member: KafkaMembership,
    open: (index: number) => KafkaCommits,
  ): Promise<void> {
    await this.#free()
    const taken = this.#slots.filter((slot) => slot.group === group).map(({ index }) => index)
    let index = 0
    while (taken.includes(index)) index++
    this.#slots.push({ group, index, member, commits: open(index) })
  }

  /** Throws `MEMBER_FENCED`. */
  of(member: Membership): KafkaCommits {
    const slot = this.#slots.find((one) => one.member === member)
    if (slot !== undefined && !slot.member.isGone) return slot.commits
    throw fail('MEMBER_FENCED', `group ${member.group}: member ${member.memberId} has left it`)
  }

  async close(): Promise<void> {
    await Promise.all(this.#slots.map(({ commits }) => commits.close()))
  }

  async #free(): Promise<void> {
    const gone = this.#slots.filter(({ member }) => member.isGone)
    this.#slots = this.#slots.filter((slot) => !gone.includes(slot))
    await Promise.all(gone.map(({ commits }) => commits.close()))
  }
}
