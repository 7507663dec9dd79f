import { type Aggregator, aggregateOf } from './aggregators.ts'
import type { Over } from './over.ts'

interface Post {
  readonly author: string
  readonly likes: number
  readonly sentiment: { readonly score: number; readonly label: 'good' | 'bad' }
  readonly place?: { readonly city: string }
  readonly at: Date
}
type Liked = Post & { readonly likes: 1 }

/** Compiles only where both are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <Truth extends true>(truth?: Truth) => truth

const byAuthor = aggregateOf((over: Over<Post>) => ({
  posts: over.count(),
  located: over.count((p) => p.place),
  score: over.mean((p) => p.sentiment.score),
  likes: over.sum((p) => p.likes),
  most: over.max((p) => p.likes),
  firstName: over.min((p) => p.author),
  label: over.last((p) => p.sentiment.label),
  city: over.first((p) => p.place?.city),
  authors: over.distinct((p) => p.author),
  p99: over.quantile(0.99, (p) => p.likes),
  middle: over.quantiles([0.25, 0.75], (p) => p.likes),
  lately: over.decayedSum(1000, (p) => p.likes),
  since: over.timeSince(),
  good: over.where((p) => p.likes > 1).count(),
  own: over.with({} as Aggregator<string, Map<string, number>, Set<string>>, (p) => p.author),
}))
type Out = ReturnType<typeof byAuthor.result>
holds<
  Same<
    Out,
    Readonly<{
      posts: number
      located: number
      score: number | null
      likes: number
      most: number | null
      firstName: string | null
      label: 'good' | 'bad' | null
      city: string | null
      authors: number
      p99: number | null
      middle: readonly [number | null, number | null]
      lately: number
      since: number | null
      good: number
      own: Map<string, number>
    }>
  >
>()

const narrowed = aggregateOf((over: Over<Post>) => ({
  one: over.where((p): p is Liked => p.likes === 1).last((p) => p.likes),
}))
holds<Same<ReturnType<typeof narrowed.result>, { readonly one: 1 | null }>>()

export const wrong = aggregateOf((over: Over<Post>) => ({
  // @ts-expect-error a misspelt field
  likes: over.sum((p) => p.like),
  // @ts-expect-error a text has no mean
  author: over.mean((p) => p.author),
  // @ts-expect-error a date has no order here
  latest: over.max((p) => p.at),
  // @ts-expect-error an object is not counted by its value
  places: over.distinct((p) => p.place),
  // @ts-expect-error a share is a number
  half: over.quantile('0.5', (p) => p.likes),
  // @ts-expect-error the other aggregator takes texts
  own: over.with({} as Aggregator<string, number>, (p) => p.likes),
}))
// @ts-expect-error an aggregate, not a number
export const none = aggregateOf((over: Over<Post>) => ({ posts: over.count(), two: 2 }))
