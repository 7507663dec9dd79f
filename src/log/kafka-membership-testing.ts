/** What tests of memberships on Kafka are written with: members that do as they are told, in a loop. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import type { KafkaClient } from './kafka-client.ts'
import type { KafkaMembership, KafkaMembershipOptions } from './kafka-member.ts'
import { joinKafkaGroup } from './kafka-membership.ts'
import { nameOf } from './log.contract.support.ts'
import type { JoinOptions, Membership, TopicPartition } from './log.ts'

/** Nobody is given up who only has no turn for a while. */
const calmSessionMs = 10_000
/** For those that fall silent on purpose. */
export const shortSessionMs = 3_000

export function joinAs(
  client: KafkaClient,
  group: string,
  join: JoinOptions,
  more: Partial<KafkaMembershipOptions> = {},
): Promise<KafkaMembership> {
  const timed = { sessionTimeoutMs: calmSessionMs, ...join }
  return joinKafkaGroup({
    ...{ client, clock: systemClock, group, join: timed, paused: () => false },
    ...more,
  })
}

export async function until(what: string, condition: () => boolean, waitMs = 30_000) {
  const untilMs = performance.now() + waitMs
  while (!condition()) {
    assert.ok(performance.now() < untilMs, `waited in vain until ${what}`)
    await sleep(5)
  }
}

/** A member that works as a runner does: beats, takes a while to finish, releases. */
export class Worker {
  readonly member: KafkaMembership
  /** What it was told; must never be more than the group gave it. */
  readonly holds = new Map<string, TopicPartition>()
  isFenced = false
  /** What went wrong in its loop. */
  error: unknown
  readonly #random: () => number
  #isStopped = false
  readonly #ended: Promise<void>

  constructor(member: KafkaMembership, random: () => number = Math.random) {
    this.member = member
    this.#random = random
    this.#ended = this.#work().catch((error: unknown) => {
      this.error = error
    })
  }

  /** As if the process were stopped: it says nothing more. */
  async fallSilent(): Promise<void> {
    this.#isStopped = true
    await this.#ended
  }

  async leave(): Promise<void> {
    await this.fallSilent()
    await this.member.leave()
  }

  async #work(): Promise<void> {
    while (!this.#isStopped && !this.isFenced) {
      await this.#beat()
      if (this.#random() < 0.3 && !this.isFenced) await this.#commit()
      await sleep(this.#random() * 40)
    }
  }

  async #beat(): Promise<void> {
    const change = await this.member.heartbeat().catch((error: unknown) => {
      if (codeOf(error) !== 'MEMBER_FENCED') throw error
      this.isFenced = true
      return undefined
    })
    for (const one of change?.lost ?? []) this.holds.delete(nameOf(one))
    for (const one of change?.granted ?? []) {
      assert.ok(!this.holds.has(nameOf(one)), `${nameOf(one)} is granted once`)
      this.holds.set(nameOf(one), one)
    }
    const revoking = change?.revoking ?? []
    if (revoking.length === 0) return
    await sleep(this.#random() * 30)
    for (const one of revoking) this.holds.delete(nameOf(one))
    await this.member.release(revoking)
  }

  /** Work during which the generation must not change. */
  async #commit(): Promise<void> {
    try {
      await this.member.steadily(async () => {
        const before = this.member.kafkaGeneration
        await sleep(this.#random() * 20)
        assert.equal(this.member.kafkaGeneration, before, 'the generation stays during a commit')
      })
    } catch (error) {
      if (codeOf(error) !== 'MEMBER_FENCED') throw error
    }
  }
}

/** Everything that these members have, each with how many have it. */
export function counts(members: readonly Pick<Membership, 'owned'>[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const { owned } of members) {
    for (const one of owned) found.set(nameOf(one), (found.get(nameOf(one)) ?? 0) + 1)
  }
  return found
}
