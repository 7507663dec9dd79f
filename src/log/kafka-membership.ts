/**
 * One member's place in a group on Kafka: the classic protocol, with partitions handed over one by
 * one as their owners release them. A generation is joined in the background, so that `heartbeat`
 * never waits long; meanwhile the member keeps what it holds.
 *
 * A static member (`instanceId`) that is started again within the session timeout gets back at once
 * what it had; `leave` gives everything back all the same, as it promises.
 */
import { hostname } from 'node:os'
import { fail } from '../core/errors.ts'
import { faultOf } from './kafka-faults.ts'
import { decodeAssignment, encodeSubscription } from './kafka-group-protocol.ts'
import type { KafkaMembership, KafkaMembershipOptions } from './kafka-member.ts'
import { Holdings } from './kafka-member-holdings.ts'
import { MemberRequests, meaningOf } from './kafka-member-requests.ts'
import { sharesOf } from './kafka-member-shares.ts'
import { Steady } from './kafka-member-steady.ts'
import type { AssignmentChange, TopicPartition } from './log.ts'

const defaultSessionTimeoutMs = 10_000
/** How long a heartbeat waits for an answer, and then for a generation that comes about. */
const patienceMs = 50
/** Callers that loop without a pause ask the broker no more often. */
const beatEveryMs = 20
const firstWaitMs = 10
const longestWaitMs = 500

/**
 * Resolves once the member has its id, perhaps before it owns anything; a static member first waits
 * for its generation. Throws `OPTIONS_INVALID`, `LOG_FORBIDDEN`, `LOG_UNREACHABLE`.
 */
export async function joinKafkaGroup(options: KafkaMembershipOptions): Promise<KafkaMembership> {
  const member = new Member(options)
  await member.begin()
  return member
}

class Member implements KafkaMembership {
  readonly group: string
  memberId = ''
  superseded = false
  next: readonly TopicPartition[] = []
  readonly #options: KafkaMembershipOptions
  readonly #requests: MemberRequests
  readonly #sessionTimeoutMs: number
  readonly #joinedAtMs: number
  readonly #holdings = new Holdings()
  /** What needs the generation as it is. */
  readonly #steady = new Steady()
  #kafkaGeneration = -1
  #rank: number | undefined
  /** Why it is in the group no more. */
  #out: 'left' | 'fenced' | undefined
  /** What the brokers refuse for good. */
  #refusal: { readonly error: unknown } | undefined
  /** When the last question was asked that the group answered. */
  #seenAtMs: number
  #askedAtMs = 0
  #isJoinWanted = false
  /** Until the generation that is wanted is joined. Never rejects. */
  #joining: Promise<void> | undefined
  #beating: Promise<void> | undefined
  #leaving: Promise<void> | undefined

  constructor(options: KafkaMembershipOptions) {
    const { client, clock, group, join, instanceId } = options
    const sessionTimeoutMs = join.sessionTimeoutMs ?? defaultSessionTimeoutMs
    this.group = group
    this.#options = options
    this.#sessionTimeoutMs = sessionTimeoutMs
    this.#requests = new MemberRequests({ client, group, instanceId, sessionTimeoutMs })
    this.#joinedAtMs = clock.now()
    this.#seenAtMs = this.#joinedAtMs
  }

  get generation(): number {
    return Math.max(0, this.#kafkaGeneration)
  }

  get kafkaGeneration(): number {
    return this.#kafkaGeneration
  }

  get owned(): readonly TopicPartition[] {
    return this.#holdings.owned
  }

  get isGone(): boolean {
    return this.#out !== undefined
  }

  get paused(): boolean {
    return this.#options.paused()
  }

  get #isStatic(): boolean {
    return this.#options.instanceId !== undefined
  }

  owns(topic: string, partition: number): boolean {
    return this.#holdings.owns({ topic, partition })
  }

  async begin(): Promise<void> {
    try {
      if (!this.#isStatic) this.memberId = await this.#requests.memberId(this.#subscription())
    } catch (error) {
      await this.#requests.close()
      throw this.#requests.refusal(error)
    }
    this.#wantJoin()
    if (!this.#isStatic) return
    await this.#joining
    this.#checkIn()
  }

  async heartbeat(): Promise<AssignmentChange> {
    if (this.#out === undefined) {
      await this.#pace()
      if (this.#isSilent()) this.#fence(true)
      else {
        await this.#within(patienceMs, this.#beat())
        await this.#within(patienceMs, this.#joining)
      }
    }
    const change = this.#holdings.change()
    if (change.lost.length === 0) this.#checkIn()
    return change
  }

  async release(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.#holdings.release(partitions)) this.#wantJoin()
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#leave()
    return this.#leaving
  }

  async steadily<Result>(work: () => Promise<Result>): Promise<Result> {
    while (this.#joining !== undefined) await this.#joining
    this.#checkIn()
    return this.#steady.run(work)
  }

  async check(): Promise<void> {
    const { client } = this.#options
    const ask = () => this.#requests.heartbeat(this.memberId, this.#kafkaGeneration)
    try {
      await client.patiently(`group ${this.group}: heartbeat`, ask)
    } catch (error) {
      const meaning = meaningOf(error)
      if (faultOf(error).id === 'REBALANCE_IN_PROGRESS') this.#wantJoin()
      else if (meaning === 'out' || meaning === 'rejoin') {
        if (meaning === 'out') this.#fence(false)
        throw this.#fenced()
      } else throw this.#requests.refusal(error)
    }
    this.#checkIn()
  }

  #subscription(): Buffer {
    const { topics, planHash, exclusive = false } = this.#options.join
    return encodeSubscription({
      topics,
      held: this.#holdings.claim(),
      generation: this.#kafkaGeneration,
      ...{ planHash, exclusive, joinedAtMs: this.#joinedAtMs, rank: this.#rank },
      ...{ host: hostname(), pid: process.pid },
    })
  }

  #wantJoin(): void {
    this.#isJoinWanted = true
    // Not before the promise is kept here, which the loop takes away when it ends.
    this.#joining ??= Promise.resolve().then(() => this.#join())
  }

  /** Joins generations until none is wanted any more. */
  async #join(): Promise<void> {
    const { clock } = this.#options
    let failingSinceMs: number | undefined
    for (let waitMs = firstWaitMs; this.#isJoinWanted && this.#isIn(); ) {
      await this.#steady.idle()
      if (!this.#isIn()) break
      this.#isJoinWanted = false
      try {
        await this.#joinOnce()
        failingSinceMs = undefined
        waitMs = firstWaitMs
      } catch (error) {
        const meaning = meaningOf(error)
        failingSinceMs = meaning === 'again' ? (failingSinceMs ?? clock.now()) : undefined
        this.#failed(error, clock.now() - (failingSinceMs ?? clock.now()))
        if (this.#isIn() && meaning === 'again') await clock.sleep(waitMs)
        waitMs = Math.min(longestWaitMs, waitMs * 2)
      }
    }
    this.#joining = undefined
  }

  #failed(error: unknown, failingMs: number): void {
    const meaning = meaningOf(error)
    this.#isJoinWanted = true
    if (meaning === 'out') this.#fence(false)
    if (meaning === 'refused') this.#refuse(error)
    if (meaning !== 'again') return
    this.#requests.forgetCoordinator()
    if (failingMs > this.#sessionTimeoutMs) this.#fence(true)
  }

  async #joinOnce(): Promise<void> {
    const { clock, join } = this.#options
    const joined = await this.#requests.join(this.memberId, this.#subscription())
    if (!this.#isIn()) return
    this.memberId = joined.memberId
    const askedAtMs = clock.now()
    const { generationId } = joined
    const shares = sharesOf(joined)
    const bytes = await this.#requests.sync(joined.memberId, generationId, shares)
    if (!this.#isIn()) return
    this.#seenAtMs = Math.max(this.#seenAtMs, askedAtMs)
    this.#kafkaGeneration = generationId
    const given = decodeAssignment(bytes)
    const hasReleased = this.#holdings.take(given ?? { owned: [], revoking: [] })
    // A static member gets what it had without the leader: with another plan it must be asked.
    const isKnown = given === undefined || given.planHash === join.planHash
    this.#rank = isKnown ? given?.rank : undefined
    this.superseded = given?.superseded ?? false
    this.next = given?.next ?? []
    if (hasReleased || !isKnown) this.#isJoinWanted = true
  }

  /** One question at a time. Never rejects. */
  #beat(): Promise<void> {
    this.#beating ??= this.#beatOnce().finally(() => {
      this.#beating = undefined
    })
    return this.#beating
  }

  async #beatOnce(): Promise<void> {
    const generation = this.#kafkaGeneration
    if (generation < 0) return
    const askedAtMs = this.#options.clock.now()
    this.#askedAtMs = askedAtMs
    const wasJoining = this.#joining !== undefined
    try {
      await this.#requests.heartbeat(this.memberId, generation)
    } catch (error) {
      const meaning = meaningOf(error)
      if (meaning === 'out') this.#fence(false)
      else if (meaning === 'refused') this.#refuse(error)
      else if (meaning === 'again') this.#requests.forgetCoordinator()
      // An answer to an older generation says nothing of this one.
      else if (!wasJoining && generation === this.#kafkaGeneration) this.#moved(error)
      if (meaning !== 'rejoin') return
    }
    this.#seenAtMs = Math.max(this.#seenAtMs, askedAtMs)
  }

  /** The group makes a new generation, or has made one without this member. */
  #moved(error: unknown): void {
    // Only a static member is left in a group that it did not come to: what it holds may be given away.
    if (this.#isStatic && faultOf(error).id === 'ILLEGAL_GENERATION') this.#fence(true)
    else this.#wantJoin()
  }

  async #leave(): Promise<void> {
    const wasFenced = this.#out === 'fenced'
    this.#out ??= 'left'
    this.#holdings.clear()
    await this.#within(this.#sessionTimeoutMs, this.#steady.idle())
    if (!wasFenced) await this.#sayGoodbye()
    await this.#requests.close()
  }

  /** Tries until the group would have missed this member anyway. */
  async #sayGoodbye(): Promise<void> {
    const { clock } = this.#options
    const untilMs = clock.now() + this.#sessionTimeoutMs
    for (let waitMs = firstWaitMs; this.memberId !== ''; waitMs *= 2) {
      try {
        return await this.#requests.leave(this.memberId)
      } catch (error) {
        if (meaningOf(error) !== 'again' || clock.now() + waitMs > untilMs) return
        this.#requests.forgetCoordinator()
        await clock.sleep(waitMs)
      }
    }
  }

  /** Everything is lost. The group is told where it may not know. */
  #fence(tell: boolean): void {
    if (this.#out !== undefined) return
    this.#out = 'fenced'
    this.#holdings.lose()
    void (tell ? this.#sayGoodbye() : Promise.resolve()).then(() => this.#requests.close())
  }

  #refuse(error: unknown): void {
    this.#refusal ??= { error: this.#requests.refusal(error) }
    this.#fence(true)
  }

  #isIn(): boolean {
    return this.#out === undefined
  }

  #checkIn(): void {
    if (this.#refusal !== undefined) throw this.#refusal.error
    if (this.#out !== undefined) throw this.#fenced()
  }

  #fenced(): Error {
    const who = this.memberId === '' ? 'this member' : `member ${this.memberId}`
    return fail('MEMBER_FENCED', `group ${this.group}: ${who} is in it no more; join again`)
  }

  /** Unanswered for so long that the group has given it up; who is new has nothing to lose. */
  #isSilent(): boolean {
    const silentMs = this.#options.clock.now() - this.#seenAtMs
    return this.#kafkaGeneration >= 0 && silentMs > this.#sessionTimeoutMs
  }

  async #pace(): Promise<void> {
    const { clock } = this.#options
    const waitMs = this.#askedAtMs + beatEveryMs - clock.now()
    if (waitMs > 0) await clock.sleep(Math.min(waitMs, beatEveryMs))
  }

  async #within(waitMs: number, promise: Promise<void> | undefined): Promise<void> {
    if (promise === undefined) return
    const ended = new AbortController()
    const wait = this.#options.clock.sleep(waitMs, ended.signal)
    await Promise.race([promise, wait])
    ended.abort()
  }
}
