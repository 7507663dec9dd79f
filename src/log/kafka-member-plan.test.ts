import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Subscription } from './kafka-group-protocol.ts'
import { Holdings } from './kafka-member-holdings.ts'
import { planGroup } from './kafka-member-plan.ts'
import { nameOf, namesOf } from './log.contract.support.ts'

const topics = [
  { name: 'in', partitions: 4 },
  { name: 'also', partitions: 2 },
]
const allOf = ['also/0', 'also/1', 'in/0', 'in/1', 'in/2', 'in/3']

/** A member as far as the plan is concerned, without a broker. */
class Player {
  readonly memberId: string
  readonly holdings = new Holdings()
  generation = -1
  rank: number | undefined
  superseded = false
  subscription: Subscription
  readonly #fixed: Pick<Subscription, 'topics' | 'planHash' | 'exclusive' | 'joinedAtMs'>

  constructor(memberId: string, fixed: Partial<Subscription> = {}) {
    const { planHash, exclusive = false, joinedAtMs = 0 } = fixed
    const wanted = fixed.topics ?? topics
    this.memberId = memberId
    this.#fixed = { topics: wanted, planHash, exclusive, joinedAtMs }
    this.subscription = this.claim()
  }

  claim(): Subscription {
    const { generation, rank } = this
    this.subscription = {
      ...{ held: this.holdings.claim(), generation, rank },
      ...this.#fixed,
    }
    return this.subscription
  }
}

/** One generation: all claim, the plan is made, and those who hear of it take it. */
function play(players: readonly Player[], generation: number, hears = (_: Player) => true): void {
  for (const player of players) player.claim()
  const plan = planGroup(players, generation)
  for (const player of players) {
    if (!hears(player)) continue
    const given = plan.get(player.memberId)!
    player.holdings.take(given)
    player.rank = given.rank
    player.generation = generation
    player.superseded = given.superseded
  }
}

function release(players: readonly Player[]): void {
  for (const { holdings } of players) holdings.release(holdings.change().revoking)
}

function ownerCounts(players: readonly Player[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const one of players.flatMap(({ holdings }) => holdings.owned)) {
    found.set(nameOf(one), (found.get(nameOf(one)) ?? 0) + 1)
  }
  return found
}

/** Generations until all was released that was asked for. */
function settle(players: readonly Player[], generation: number): void {
  for (let round = 0; round < 3; round++) {
    play(players, generation + round)
    release(players)
  }
}

type Move =
  | { readonly kind: 'come' }
  | { readonly kind: 'go'; readonly who: number }
  | { readonly kind: 'release'; readonly who: number }
  | { readonly kind: 'generation'; readonly deaf: number }

const who = fc.nat(9)
const moves: fc.Arbitrary<Move> = fc.oneof(
  fc.constant({ kind: 'come' as const }),
  fc.record({ kind: fc.constant('go' as const), who }),
  fc.record({ kind: fc.constant('release' as const), who }),
  fc.record({ kind: fc.constant('generation' as const), deaf: fc.nat(15) }),
)

describe('the plan of a group', () => {
  it('never gives a partition to two, and in the end each to one, evenly', () => {
    fc.assert(
      fc.property(
        fc.array(moves, { minLength: 10, maxLength: 40 }),
        fc.boolean(),
        (made, exclusive) => {
          let players: Player[] = []
          let generation = 0
          let names = 0
          const come = () => {
            players.push(new Player(`m${names++}`, { exclusive, joinedAtMs: names % 3 }))
          }
          for (const move of made) {
            if (move.kind === 'come') come()
            else if (move.kind === 'go') players = players.filter((_, index) => index !== move.who)
            else if (move.kind === 'release') release(players.slice(move.who, move.who + 1))
            else {
              // It joined, but the answer was lost on the way.
              const deaf = players[move.deaf]
              play(players, ++generation, (player) => player !== deaf)
            }
            const owners = ownerCounts(players)
            assert.ok(
              [...owners.values()].every((count) => count === 1),
              'owned by one at most',
            )
          }
          if (players.length === 0) come()
          settle(players, generation + 1)
          assert.deepEqual([...ownerCounts(players).keys()].sort(), allOf)
          const sizes = players.map(({ holdings: { owned } }) => {
            return new Set(owned.map(({ partition }) => partition)).size
          })
          const spread = Math.max(...sizes) - Math.min(...sizes)
          assert.equal(exclusive ? Math.max(...sizes) : spread <= 1, exclusive ? 4 : true)
          const ranks = players.map(({ rank }) => rank)
          assert.equal(new Set(ranks).size, players.length, 'each joined before or after another')
        },
      ),
    )
  })

  it('gives a number only when nobody else holds it in any topic', () => {
    const pair = ['left', 'right'].map((name) => ({ name, partitions: 2 }))
    const [old, young] = [
      new Player('old', { topics: pair }),
      new Player('young', { topics: pair }),
    ]
    play([old], 1)
    play([old, young], 2)
    const { revoking } = old.holdings.change()
    assert.deepEqual(namesOf(revoking), ['left/1', 'right/1'])
    const [first, ...rest] = revoking
    old.holdings.release([first!])
    play([old, young], 3)
    assert.deepEqual(young.holdings.owned, [])
    old.holdings.release(rest)
    play([old, young], 4)
    assert.deepEqual(namesOf(young.holdings.owned), namesOf(revoking))
  })

  it('takes everything from members with an older plan, in the order of joining, not of clocks', () => {
    const old = new Player('b', { planHash: 'one', joinedAtMs: 9 })
    const plain = new Player('c', { joinedAtMs: 9 })
    play([old, plain], 1)
    const young = new Player('a', { planHash: 'two', joinedAtMs: 1 })
    settle([young, old, plain], 2)
    assert.deepEqual(
      [old, plain, young].map(({ superseded }) => superseded),
      [true, false, false],
    )
    assert.deepEqual(old.holdings.owned, [])
    assert.equal(ownerCounts([plain, young]).size, 6)
  })

  it('believes the newer word where two claim the same, and gives nothing to the unreadable', () => {
    const one = { topic: 'in', partition: 0 }
    const base = { topics, planHash: undefined, exclusive: false, joinedAtMs: 0, held: [one] }
    const members = [
      { memberId: 'a', subscription: { ...base, generation: 3, rank: 1 } },
      { memberId: 'b', subscription: { ...base, generation: 4, rank: 2 } },
      { memberId: 'c', subscription: undefined },
    ]
    const plan = planGroup(members, 5)
    assert.deepEqual([...plan.keys()], ['a', 'b'])
    assert.ok(!namesOf(plan.get('a')!.owned).includes('in/0'))
    assert.ok(namesOf(plan.get('b')!.owned).includes('in/0'))
  })
})

describe('what would come next', () => {
  it('is what a member gets when the process of another ends', () => {
    for (const count of [2, 3, 5]) {
      const players = Array.from({ length: count }, (_, number) => new Player(`m${number}`))
      for (let generation = 1; generation < 4; generation++) {
        play(players, generation)
        release(players)
      }
      const plan = planGroup(players, 4)
      const told = players.map(({ memberId }) => namesOf(plan.get(memberId)!.next!))
      assert.deepEqual([...new Set(told.flat())].sort(), allOf, 'somebody has a copy of each')
      for (const gone of players) {
        const others = players.filter((one) => one !== gone)
        const after = planGroup(others, 4)
        for (const { memberId, holdings } of others) {
          const had = namesOf(holdings.owned)
          const more = namesOf(after.get(memberId)!.owned).filter((one) => !had.includes(one))
          const next = namesOf(plan.get(memberId)!.next!)
          assert.ok(
            more.every((one) => next.includes(one)),
            `${more} in ${next}`,
          )
        }
      }
    }
  })
})

describe('what a member has', () => {
  const [a, b] = [
    { topic: 'in', partition: 0 },
    { topic: 'in', partition: 1 },
  ]

  it('is told once; what is to be released, until it is', () => {
    const holdings = new Holdings()
    assert.equal(holdings.take({ owned: [b, a], revoking: [b] }), false)
    assert.deepEqual(holdings.change(), { granted: [a, b], revoking: [b], lost: [] })
    assert.deepEqual(holdings.change(), { granted: [], revoking: [b], lost: [] })
    assert.equal(holdings.release([b]), true)
    assert.equal(holdings.release([b]), false)
    assert.deepEqual(holdings.change(), { granted: [], revoking: [], lost: [] })
    assert.deepEqual([holdings.owns(a), holdings.owns(b)], [true, false])
  })

  it('is lost even where it comes back before anybody asked', () => {
    const holdings = new Holdings()
    holdings.take({ owned: [a], revoking: [] })
    holdings.change()
    holdings.take({ owned: [], revoking: [] })
    holdings.take({ owned: [a], revoking: [] })
    assert.deepEqual(holdings.change(), { granted: [a], revoking: [], lost: [a] })
  })

  it('does not come back where it was released while the group still counted it', () => {
    const holdings = new Holdings()
    holdings.take({ owned: [a, b], revoking: [a, b] })
    holdings.change()
    assert.deepEqual(holdings.claim(), [a, b])
    holdings.release([a])
    assert.equal(holdings.take({ owned: [a, b], revoking: [] }), true, 'the group must be told')
    assert.deepEqual(holdings.owned, [b])
    assert.deepEqual(holdings.claim(), [b])
    assert.equal(holdings.take({ owned: [a, b], revoking: [] }), false)
    assert.deepEqual(holdings.change(), { granted: [a], revoking: [], lost: [] })
  })

  it('that was given back is not lost', () => {
    const holdings = new Holdings()
    holdings.take({ owned: [a], revoking: [] })
    holdings.change()
    holdings.clear()
    assert.deepEqual(holdings.change(), { granted: [], revoking: [], lost: [] })
  })
})
