/**
 * The leader's part: who gets what in a generation, from what the members say they want and hold. A
 * pure function, so that it does not matter who leads. Nothing is given to anybody while another
 * member still holds it: that one is asked to release it, and the next generation hands it over.
 */
import { assign, type Ownership } from './assignment.ts'
import type { Assignment, Subscription } from './kafka-group-protocol.ts'
import type { TopicPartition } from './log.ts'
import { nameOf } from './topic-partition.ts'

export interface GroupMember {
  readonly memberId: string
  /** Undefined: what it said cannot be read; it gets nothing. */
  readonly subscription: Subscription | undefined
}

interface Ranked {
  readonly memberId: string
  readonly rank: number
  readonly subscription: Subscription
}

/** An assignment for each member whose subscription can be read. */
export function planGroup(
  members: readonly GroupMember[],
  generation: number,
): Map<string, Assignment> {
  const ranked = rankedMembers(members)
  const owners = ownersOf(ranked)
  const target = targetOf(ranked, [...owners.values()])
  const holders = new Map<number, Set<string>>()
  for (const { partition, memberId } of owners.values()) {
    const known = holders.get(partition)
    if (known === undefined) holders.set(partition, new Set([memberId]))
    else known.add(memberId)
  }
  const next = nextOf(ranked, target)
  const plan = new Map<string, Assignment>()
  for (const { memberId, rank, subscription } of ranked) {
    const wanted = target.get(memberId) ?? []
    const held = subscription.held.filter((one) => owners.get(nameOf(one))?.memberId === memberId)
    // A number is given whole: while another holds it in one topic, it is not given in any.
    const free = wanted.filter(({ partition }) => {
      const others = holders.get(partition)
      return others === undefined || (others.size === 1 && others.has(memberId))
    })
    plan.set(memberId, {
      owned: [...new Map([...held, ...free].map((one) => [nameOf(one), one])).values()],
      revoking: without(held, wanted),
      superseded: isSuperseded(ranked, memberId),
      ...{ rank, generation, planHash: subscription.planHash, next: next.get(memberId) ?? [] },
    })
  }
  return plan
}

/** In the order in which they joined. Who is new comes last, by its own clock. */
function rankedMembers(members: readonly GroupMember[]): Ranked[] {
  const readable: (Omit<Ranked, 'rank'> & { readonly known: number })[] = []
  for (const { memberId, subscription } of members) {
    if (subscription === undefined) continue
    const known = subscription.rank ?? Number.POSITIVE_INFINITY
    readable.push({ memberId, subscription, known })
  }
  readable.sort(
    (a, b) =>
      (a.known === b.known ? 0 : a.known - b.known) ||
      a.subscription.joinedAtMs - b.subscription.joinedAtMs ||
      (a.memberId < b.memberId ? -1 : 1),
  )
  let last = 0
  return readable.map(({ memberId, subscription, known }) => {
    last = Number.isFinite(known) && known > last ? known : last + 1
    return { memberId, subscription, rank: last }
  })
}

/** By name. Said to be held by two (one of them missed a generation), it is whose word is newer. */
function ownersOf(ranked: readonly Ranked[]): Map<string, Ownership> {
  const owners = new Map<string, Ownership & { readonly generation: number }>()
  for (const { memberId, subscription } of ranked) {
    const { generation } = subscription
    for (const one of subscription.held) {
      const other = owners.get(nameOf(one))
      if (other !== undefined && other.generation >= generation) continue
      owners.set(nameOf(one), { ...one, memberId, generation })
    }
  }
  return owners
}

/** What each member should have in the end: members with an older plan nothing. */
function targetOf(
  ranked: readonly Ranked[],
  owners: readonly Ownership[],
): Map<string, TopicPartition[]> {
  const eligible = ranked.filter(({ memberId }) => !isSuperseded(ranked, memberId))
  const counts = new Map<string, number>()
  for (const { subscription } of eligible) {
    for (const { name, partitions } of subscription.topics) {
      counts.set(name, Math.max(counts.get(name) ?? 0, partitions))
    }
  }
  const partitions: TopicPartition[] = []
  for (const topic of [...counts.keys()].sort()) {
    for (let partition = 0; partition < counts.get(topic)!; partition++) {
      partitions.push({ topic, partition })
    }
  }
  const exclusive = eligible.some(({ subscription }) => subscription.exclusive)
  const names = eligible.map(({ memberId }) => memberId)
  return assign(partitions, names, owners, exclusive)
}

/** What each member would get if the process that has it ended, one process at a time. */
function nextOf(
  ranked: readonly Ranked[],
  target: ReadonlyMap<string, readonly TopicPartition[]>,
): Map<string, TopicPartition[]> {
  const next = new Map<string, TopicPartition[]>()
  const owners = [...target].flatMap(([memberId, places]) =>
    places.map((one) => ({ ...one, memberId })),
  )
  for (const gone of new Set(ranked.map(processOf))) {
    const others = ranked.filter((one) => processOf(one) !== gone)
    const kept = owners.filter(({ memberId }) => others.some((one) => one.memberId === memberId))
    const had = new Set(kept.map(nameOf))
    for (const [memberId, places] of targetOf(others, kept)) {
      const more = places.filter((one) => !had.has(nameOf(one)))
      next.set(memberId, [...(next.get(memberId) ?? []), ...more])
    }
  }
  return next
}

/** A member that does not say where it runs counts as a process of its own. */
const processOf = ({ memberId, subscription: { host, pid } }: Ranked): string =>
  host === undefined || pid === undefined ? memberId : `${host} ${pid}`

/** True when a member with another plan joined after this one. */
function isSuperseded(ranked: readonly Ranked[], memberId: string): boolean {
  const index = ranked.findIndex((one) => one.memberId === memberId)
  const plan = ranked[index]?.subscription.planHash
  return (
    plan !== undefined &&
    ranked.slice(index + 1).some(({ subscription: { planHash } }) => {
      return planHash !== undefined && planHash !== plan
    })
  )
}

function without(
  some: readonly TopicPartition[],
  others: readonly TopicPartition[],
): TopicPartition[] {
  const names = new Set(others.map(nameOf))
  return some.filter((one) => !names.has(nameOf(one)))
}
