/**
 * Which member of a group works on which partitions: one rule for every log that shares them out
 * itself. Partition p of every topic goes to one member, so that joins find both sides; loads differ
 * by one at most; and nothing moves that need not. In an exclusive group one member has them all.
 */
import type { TopicPartition } from './log.ts'

/** A partition and the member that owns it now. */
export interface Ownership extends TopicPartition {
  readonly memberId: string
}

/**
 * The partitions that each member should own. A pure function: the same partitions, members (in the
 * order in which they joined) and owners give the same answer in every process. Owners that are no
 * members count as nobody. Without members the answer is empty.
 */
export function assign(
  partitions: readonly TopicPartition[],
  members: readonly string[],
  current: readonly Ownership[],
  exclusive = false,
): Map<string, TopicPartition[]> {
  const target = new Map<string, TopicPartition[]>(members.map((member) => [member, []]))
  if (members.length === 0) return target
  const numbers = [...new Set(partitions.map(({ partition }) => partition))].sort((a, b) => a - b)
  const held = heldNumbers(numbers, members, current)
  const working = exclusive ? [byMostHeld(members, held)[0]!] : members
  const owners = chooseOwners(numbers, working, held)
  for (const { topic, partition } of partitions) {
    target.get(owners.get(partition)!)!.push({ topic, partition })
  }
  return target
}

/** For each member the numbers it holds now. Held by several, a number is whose most topics are. */
function heldNumbers(
  numbers: readonly number[],
  members: readonly string[],
  current: readonly Ownership[],
): Map<string, number[]> {
  const votes = new Map<number, Map<string, number>>(numbers.map((number) => [number, new Map()]))
  for (const { partition, memberId } of current) {
    const counts = votes.get(partition)
    if (counts !== undefined) counts.set(memberId, (counts.get(memberId) ?? 0) + 1)
  }
  const held = new Map<string, number[]>(members.map((member) => [member, []]))
  for (const number of numbers) {
    const counts = votes.get(number)!
    let holder: string | undefined
    for (const member of members) {
      const count = counts.get(member) ?? 0
      if (count > 0 && (holder === undefined || count > counts.get(holder)!)) holder = member
    }
    if (holder !== undefined) held.get(holder)!.push(number)
  }
  return held
}

function byMostHeld(
  members: readonly string[],
  held: ReadonlyMap<string, readonly number[]>,
): string[] {
  return [...members].sort((a, b) => held.get(b)!.length - held.get(a)!.length)
}

/** Each member keeps what it holds up to its share; the rest goes to whoever has less. */
function chooseOwners(
  numbers: readonly number[],
  members: readonly string[],
  held: ReadonlyMap<string, readonly number[]>,
): Map<number, string> {
  const share = Math.floor(numbers.length / members.length)
  let larger = numbers.length % members.length
  const owners = new Map<number, string>()
  const room: { member: string; left: number }[] = []
  // Whoever holds most gets the larger shares, because then least has to move.
  for (const member of byMostHeld(members, held)) {
    const quota = larger-- > 0 ? share + 1 : share
    const kept = held.get(member)!.slice(0, quota)
    for (const number of kept) owners.set(number, member)
    room.push({ member, left: quota - kept.length })
  }
  let next = 0
  for (const number of numbers) {
    if (owners.has(number)) continue
    while (room[next]!.left === 0) next++
    owners.set(number, room[next]!.member)
    room[next]!.left--
  }
  return owners
}
