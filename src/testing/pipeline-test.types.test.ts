import { pipelineTest } from 'millrace/testing'
import { z } from 'zod'
import { pipeline } from '../pipeline/pipeline.ts'
import { topic } from '../pipeline/topic.ts'

const Post = z.object({
  author: z.string(),
  at: z.coerce.date(),
  language: z.string().default('en'),
})
const posts = topic('posts', { schema: Post })
const counts = topic<{ author: string; posts: number }>('counts')
export const app = pipeline('app').from(posts).to(topic('copies'))

export const typed = pipelineTest(
  app,
  { seed: 1, models: { mood: (texts: readonly string[]) => texts } },
  async (t) => {
    await t.push(posts, { author: 'ann', at: '2025-01-01' }, { key: (post) => post.author })
    await t.push(posts, [{ author: 'ann', at: new Date(), language: 'de' }], { partition: 1 })
    await t.push('posts', { anything: 1 })
    const [post] = await t.outputs(posts)
    post?.at.getTime()
    const [message] = await t.messages(counts)
    message?.value?.posts.toFixed()
    await t.expectOutputs(counts, [{ author: 'ann', posts: 1 }])
    await t.crash('written', { pipeline: app, nth: 2 })
    // @ts-expect-error
    await t.push(posts, { author: 1, at: '2025-01-01' })
    // @ts-expect-error
    await t.push(posts, [{ autor: 'ann', at: '2025-01-01' }])
    // @ts-expect-error
    await t.push(posts, { author: 'ann', at: '2025-01-01' }, { key: (post) => post.autor })
    // @ts-expect-error
    await t.expectOutputs(counts, [{ author: 'ann', posts: '1' }])
    // @ts-expect-error
    post?.autor
    // @ts-expect-error
    await t.crash('begun')
  },
)
// @ts-expect-error
export const wrong = () => pipelineTest(app, { log: 'pulsar' }, () => undefined)
// @ts-expect-error
export const without = () => pipelineTest(app, { seed: 1 })
