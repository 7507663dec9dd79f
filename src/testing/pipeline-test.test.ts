import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipelineTest } from 'millrace/testing'
import { pipeline } from '../pipeline/pipeline.ts'
import { topic } from '../pipeline/topic.ts'
import { tumbling } from '../transforms/window.ts'

interface Post {
  readonly author: string
  readonly likes: number
}
const posts = topic<Post>('posts', { key: (post) => post.author, partitions: 2 })
const liked = topic<Post>('liked')
const counts = topic<{ key: string; start: string; end: string; posts: number }>('counts')

const like = pipeline('like')
  .from(posts)
  .filter('liked', (post) => post.likes > 1)
  .to(liked)

const count = pipeline('count')
  .from(liked)
  .keyBy((post) => post.author)
  .window(tumbling('1m'))
  .aggregate('per-minute', (over) => ({ posts: over.count() }))
  .to(counts)

describe('pipelineTest', () => {
  it(
    'runs',
    pipelineTest([like, count], async (t) => {
      await t.push(posts, [
        { author: 'ann', likes: 1 },
        { author: 'ann', likes: 3 },
        { author: 'ben', likes: 4 },
      ])
      await t.run()
      await t.expectOutputs(liked, [
        { author: 'ann', likes: 3 },
        { author: 'ben', likes: 4 },
      ])
      await t.expectOutputs(counts, [])
      await t.advance('3m')
      assert.equal((await t.outputs(counts)).length, 2)
    }),
  )
})
